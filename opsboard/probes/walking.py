"""One turn of a path that takes several requests, request by request: plain values in and out.

A `Walk` hands out one ask after another and takes each reply, until it is over and says what came
of the whole. It opens no connection and reads no clock, so the worker, a page and a command all
walk the same way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from opsboard.expectations.clauses import Clause
from opsboard.outbound.reply import Ask, Failure, Reply
from opsboard.outbound.wording import lasting
from opsboard.probes.rules import Judgement, Verdict, judge
from opsboard.probes.taking import (
    CannotPutError,
    CannotTakeError,
    Take,
    Taken,
    Text,
    fill,
    fill_address,
    names_of,
    take,
)
from opsboard.probes.walked import Stepped, not_run, stepped, whole_of

# A step is not begun with less time than this, in microseconds.
LEAST = 1_000
# Clean-up steps have a fifth of the whole time for themselves, and at least this much of it.
RESERVED_SHARE = 5
RESERVED_LEAST = 200_000
# The lease of a claim outlasts the timeout by more: later than this the result would be dropped.
OWN_DELAY_ALLOWED = 3_000_000

# Adds to the nth ask of a turn, counted from 0, what only the turn knows.
type Dress = Callable[[Ask, int], Ask]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One request of a path, what is expected of its reply, and what is taken out of it."""

    name: str
    ask: Ask
    # Those of `ask`, cut where taken values go.
    url: Text
    headers: tuple[tuple[str, Text], ...]
    body: Text
    clauses: tuple[Clause, ...]
    takes: tuple[Take, ...] = ()
    # Cleans up: run whatever happened before.
    always: bool = False
    # Asked twice; the second reply is judged.
    warms: bool = False

    @property
    def needs(self) -> frozenset[str]:
        return names_of(self.url, self.body, *(value for _, value in self.headers))


def only_step(ask: Ask, clauses: tuple[Clause, ...]) -> Step:
    """Of a path that is one request, asked twice to warm a cache."""
    headers = tuple((name, (value,)) for name, value in ask.headers)
    return Step(
        name="",
        ask=ask,
        url=(ask.url,),
        headers=headers,
        body=(ask.body.decode(),),
        clauses=clauses,
        warms=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that one path asks in a turn."""

    steps: tuple[Step, ...]
    # Of the whole, in microseconds.
    timeout: int
    # Clauses about the whole.
    clauses: tuple[Clause, ...] = ()
    # One request that is asked twice: it is judged as if it had no steps.
    is_single: bool = False


class Walk:
    """`begin`, then `hear` each reply, as long as an ask comes back; then `finish`."""

    def __init__(self, plan: Plan, *, now: datetime, dress: Dress) -> None:
        self.plan = plan
        # Told to stop before its end: what came of it is no result.
        self.is_cut_short = False
        # Of all replies so far, in microseconds.
        self.spent = 0
        self._now = now
        self._dress = dress
        self._timeout = plan.timeout
        self._asks = 0
        self._at = -1
        self._is_warming = False
        self._is_broken = False
        self._url = ""
        self._done: list[Stepped] = []
        self._taken: dict[str, Taken] = {}
        self._own_trouble = ""

    def begin(self) -> Ask | None:
        return self._next()

    def hear(self, reply: Reply, *, own_delay: int = 0) -> Ask | None:
        """The next ask, or None when the walk is over.

        `own_delay` is how much longer the walk has taken than its replies: time of our own.
        """
        self.spent += reply.phases.total
        step = self._step
        if self._is_warming:
            self._is_warming = False
            if reply.failure is None:
                return self._ask(step) or self._next()
            reply = replace(reply, detail=f"The first of two requests: {reply.detail}")
        self._judge(step, reply)
        if own_delay > OWN_DELAY_ALLOWED and self._remains:
            self._own_trouble = (
                f"Opsboard itself kept this path waiting for {lasting(own_delay)} between its "
                "steps: start another worker."
            )
            self._is_broken = True
        return self._next()

    def wind_up(self) -> None:
        """Run no more steps but those that clean up: somebody stops us."""
        if not all(step.always for step in self._remains):
            self.is_cut_short = self._is_broken = True

    def break_off(self, left: int) -> Ask | None:
        """Give up the reply that is waited for, and clean up in `left` microseconds if possible."""
        self.is_cut_short = self._is_broken = True
        self._timeout = self.spent + left
        self._done.append(not_run(self._step.name))
        return self._next()

    @property
    def can_clean_up(self) -> bool:
        """There is something to clean up, and that is not what is under way."""
        known = self._taken.keys()
        later = any(step.always and step.needs <= known for step in self._remains)
        return later and not self._step.always

    def finish(self) -> tuple[Reply, Judgement]:
        """One reply and one judgement for the whole. Nothing that was taken is in them."""
        if self.plan.is_single and (only := self._done[0]).judgement:
            return only.reply, only.judgement
        return whole_of(
            self._done, self.plan.clauses, self._taken, self._own_trouble, now=self._now
        )

    # Step by step.

    @property
    def _step(self) -> Step:
        return self.plan.steps[self._at]

    @property
    def _remains(self) -> Sequence[Step]:
        return self.plan.steps[self._at + 1 :]

    def _next(self) -> Ask | None:
        while self._remains:
            self._at += 1
            step = self._step
            if self._is_broken and not step.always:
                self._leave_out(step, "")
            elif missing := step.needs - self._taken.keys():
                self._leave_out(step, f"{' and '.join(sorted(missing))} was not taken")
            elif ask := self._ask(step):
                self._is_warming = step.warms
                return ask
        return None

    def _leave_out(self, step: Step, reason: str) -> None:
        if self._is_broken:
            self._done.append(not_run(step.name, reason))
        else:
            # Nothing else says that this path was not walked to its end.
            self._add(step, Reply(), None, [reason])

    def _ask(self, step: Step) -> Ask | None:
        """None: it cannot be asked, and has been judged for that."""
        timeout = self._time_for(step)
        if timeout < LEAST:
            detail = f"No time was left of {lasting(self.plan.timeout)}."
            self._judge(step, Reply(failure=Failure.TIMEOUT, detail=detail))
            return None
        try:
            ask = replace(
                step.ask,
                url=fill_address(step.url, self._taken),
                headers=tuple((name, fill(text, self._taken)) for name, text in step.headers),
                body=fill(step.body, self._taken).encode(),
                timeout=timeout,
            )
        except CannotPutError as error:
            self._add(step, Reply(), None, [str(error)])
            return None
        self._url = ask.url
        nth, self._asks = self._asks, self._asks + 1
        return self._dress(ask, nth)

    def _time_for(self, step: Step) -> int:
        left = self._timeout - self.spent
        cleaning = sum(later.always for later in self._remains)
        if step.always and (self._is_broken or len(self._remains) == cleaning):
            return left // (1 + cleaning)
        return left - (self._reserve if cleaning else 0)

    @property
    def _reserve(self) -> int:
        return max(self._timeout // RESERVED_SHARE, min(RESERVED_LEAST, self._timeout // 2))

    def _judge(self, step: Step, reply: Reply) -> None:
        judgement = judge(reply, step.clauses, now=self._now)
        problems = [] if reply.failure else self._take(step, judgement)
        self._add(step, reply, judgement, problems)

    def _take(self, step: Step, judgement: Judgement) -> list[str]:
        """Take what can be taken, also from an answer that is not as expected: to clean up."""
        problems = []
        for wanted in step.takes:
            try:
                self._taken[wanted.name] = take(wanted, judgement.facts, self._url)
            except CannotTakeError as error:
                problems.append(str(error))
        return problems

    def _add(
        self, step: Step, reply: Reply, judgement: Judgement | None, problems: Sequence[str]
    ) -> None:
        done = stepped(step.name, reply, judgement, problems)
        self._is_broken |= done.result.verdict in (Verdict.FAILING, Verdict.ERROR)
        self._done.append(done)
