"""What the steps of one turn come to: one reply and one judgement for the whole path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby

from opsboard.expectations.clauses import Clause
from opsboard.expectations.facts import MOST_JSON, Facts
from opsboard.expectations.got import Holding, not_judged
from opsboard.expectations.holding import hold
from opsboard.outbound.reply import Certificate, Failure, Phases, Reply
from opsboard.probes.rules import Judgement, StepResult, Verdict
from opsboard.probes.taking import Taken, mask, mask_whole

PHASES = tuple(Phases.__dataclass_fields__)
# Which verdict is told of the whole. What a step found out of the service is not hidden by an error
# of our own in another.
_GRAVITY = (Verdict.PASSING, Verdict.WARNING, Verdict.ERROR, Verdict.FAILING)


@dataclass(frozen=True, slots=True)
class Stepped:
    """A step that is over, with its judged reply; an empty one when it was not run."""

    result: StepResult
    reply: Reply = field(default_factory=Reply)
    judgement: Judgement | None = None
    is_wrong: bool = False

    @property
    def was_run(self) -> bool:
        return self.result.verdict is not None


@dataclass(frozen=True)
class FactsOfAll(Facts):
    """Facts of several replies together; the rest is read from `reply`."""

    cache_of_all: str
    calls_of_all: int | None
    db_time_of_all: int | None

    @property
    def cache(self) -> str:
        return self.cache_of_all

    @property
    def db_calls(self) -> int | None:
        return self.calls_of_all

    @property
    def db_time(self) -> int | None:
        return self.db_time_of_all


def not_run(name: str, reason: str = "") -> Stepped:
    return Stepped(StepResult(name=name, reason=reason))


def stepped(
    name: str, reply: Reply, judgement: Judgement | None, problems: Sequence[str]
) -> Stepped:
    """A step that was asked. `problems` say what could not be taken or put, and make it fail."""
    verdict = judgement.verdict if judgement else Verdict.FAILING
    reasons = [judgement.reason] if judgement and judgement.reason else []
    if verdict in (Verdict.PASSING, Verdict.WARNING) or not judgement:
        reasons += problems
        verdict = Verdict.FAILING if problems else verdict
    facts = judgement.facts if judgement else None
    result = StepResult(
        name=name,
        verdict=verdict,
        reason="; ".join(reasons),
        status=reply.status,
        total=reply.phases.total,
        db_calls=facts.db_calls if facts else None,
        cache=facts.cache if facts else "unknown",
        holdings=judgement.holdings if judgement else (),
    )
    return Stepped(result, reply, judgement, bool(problems or (judgement and judgement.is_wrong)))


def whole_of(
    done: Sequence[Stepped],
    clauses: Sequence[Clause],
    taken: Mapping[str, Taken],
    own_trouble: str,
    *,
    now: datetime,
) -> tuple[Reply, Judgement]:
    """The reply is that of the step that is worst, with the times of all. Taken values are masked.

    `own_trouble` says why we ourselves gave up between two steps; "" when we did not.
    """
    run = [one for one in done if one.was_run]
    told = max(run, key=_gravity)
    if _gravity(told) == 0:
        told = run[-1]
    reply = _reply(done, run, told, taken, own_trouble)
    facts = _facts(reply, run, now)
    holdings = tuple(_hold(clause, facts, reply, is_whole=run == list(done)) for clause in clauses)
    verdict = max((told.result.verdict, _verdict(holdings, own_trouble)), key=_gravity_of)
    steps = tuple(_masked(one.result, taken) for one in done)
    return reply, Judgement(
        verdict=verdict or Verdict.PASSING,
        reason=_reason(steps, holdings, own_trouble),
        holdings=holdings,
        is_wrong=any(one.is_wrong for one in run) or any(map(_is_wrong, holdings)),
        facts=facts,
        steps=steps,
    )


def _gravity(one: Stepped) -> int:
    return _gravity_of(one.result.verdict)


def _gravity_of(verdict: Verdict | None) -> int:
    return _GRAVITY.index(verdict) if verdict is not None else -1


def _reply(
    done: Sequence[Stepped],
    run: Sequence[Stepped],
    told: Stepped,
    taken: Mapping[str, Taken],
    own_trouble: str,
) -> Reply:
    replies = [one.reply for one in run]
    reply = told.reply
    if own_trouble and reply.failure is None and told.result.verdict is not Verdict.FAILING:
        reply = Reply(failure=Failure.INTERNAL, detail=own_trouble, is_ours=True)
    elif reply.detail:
        where = _place(done.index(told) + 1, told.result.name)
        reply = replace(reply, detail=f"{where[:1].upper()}{where[1:]}: {reply.detail}")
    return replace(
        reply,
        detail=mask(reply.detail, taken),
        headers=tuple((name, mask(value, taken)) for name, value in reply.headers),
        body=mask_whole(reply.body, taken),
        phases=Phases(**{name: sum(getattr(r.phases, name) for r in replies) for name in PHASES}),
        certificate=_ending_first(replies),
        loop_delay=max(reply.loop_delay for reply in replies),
    )


def _ending_first(replies: Sequence[Reply]) -> Certificate | None:
    shown = [reply.certificate for reply in replies if reply.certificate]
    return min(shown, key=lambda certificate: certificate.not_after, default=None)


def _facts(reply: Reply, run: Sequence[Stepped], now: datetime) -> FactsOfAll:
    facts = [one.judgement.facts if one.judgement else None for one in run]
    caches = [one.cache for one in facts if one and one.cache != "unknown"]
    return FactsOfAll(
        reply,
        now,
        MOST_JSON,
        caches[-1] if caches else "unknown",
        _sum([one.db_calls if one else None for one in facts]),
        _sum([one.db_time if one else None for one in facts]),
    )


def _sum(numbers: Sequence[int | None]) -> int | None:
    """None when one of them is not known: less than all would look better than it is."""
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None


def _hold(clause: Clause, facts: Facts, reply: Reply, *, is_whole: bool) -> Holding:
    if not is_whole:
        return not_judged(clause, "not every step was run")
    return hold(clause, facts, reply)


def _verdict(holdings: Sequence[Holding], own_trouble: str) -> Verdict:
    failed = [holding.clause for holding in holdings if holding.held is False]
    if any(not clause.warn for clause in failed):
        return Verdict.FAILING
    if own_trouble:
        return Verdict.ERROR
    return Verdict.WARNING if failed else Verdict.PASSING


def _is_wrong(holding: Holding) -> bool:
    clause = holding.clause
    return holding.held is False and clause.is_about_answer and not clause.warn


# In words.


def _reason(steps: Sequence[StepResult], holdings: Sequence[Holding], own_trouble: str) -> str:
    """ "step 2, Pay: status is 503, expected 201; step 3, Receipt, was not run"."""
    broken = [holding.sentence for holding in holdings if holding.held is False]
    reasons = [own_trouble.rstrip(".")] if own_trouble else []
    reasons += [f"the whole path: {'; '.join(broken)}"] if broken else []
    numbered = enumerate(steps, start=1)
    for is_plain, found in groupby(numbered, key=lambda pair: _is_left_out(pair[1])):
        group = list(found)
        reasons += [_left_out(group)] if is_plain else [_said(n, one) for n, one in group]
    return "; ".join(reason for reason in reasons if reason)


def _is_left_out(step: StepResult) -> bool:
    return step.verdict is None and not step.reason


def _left_out(group: Sequence[tuple[int, StepResult]]) -> str:
    (first, step), last = group[0], group[-1][0]
    if first == last:
        return f"{_place(first, step.name)}, was not run"
    return f"steps {first} {'to' if last > first + 1 else 'and'} {last} were not run"


def _said(number: int, step: StepResult) -> str:
    if step.verdict is None:
        return f"{_place(number, step.name)}, was not run: {step.reason}"
    # Nothing is said of a step that passes.
    return f"{_place(number, step.name)}: {step.reason.rstrip('.')}" if step.reason else ""


def _place(number: int, name: str) -> str:
    return f"step {number}, {name}"


def _masked(step: StepResult, taken: Mapping[str, Taken]) -> StepResult:
    holdings = tuple(
        one._replace(got=mask(one.got, taken), said=mask(one.sentence, taken))
        for one in step.holdings
    )
    return replace(step, reason=mask(step.reason, taken), holdings=holdings)
