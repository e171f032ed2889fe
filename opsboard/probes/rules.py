"""What a reply means, and when it is believed: plain values in, plain values out.

`judge` turns one reply into a judgement, `advance` turns a judgement into the next standing. Times
are whole microseconds since 1970 UTC, durations whole microseconds.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from functools import lru_cache
from itertools import pairwise
from operator import itemgetter

from opsboard.expectations.clauses import Clause
from opsboard.expectations.facts import Facts, facts_of
from opsboard.expectations.got import Holding
from opsboard.expectations.grammar import parse
from opsboard.expectations.holding import hold
from opsboard.expectations.tally import Keep, Tally
from opsboard.expectations.windows import WindowHolding, hold_over
from opsboard.outbound.reply import Failure, Reply

MINUTE = 60_000_000
SPREAD_KEY = "{path}/{environment}/{location}"


class State(StrEnum):
    """A probe's standing: confirmed, except that no data is also derived when read."""

    PASSING = "passing"
    WARNING = "warning"
    FAILING = "failing"
    NO_DATA = "no_data"
    PAUSED = "paused"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


class Verdict(IntEnum):
    """The opinion on one observation. ERROR is our own, and says nothing about the service."""

    PASSING = 0
    WARNING = 1
    FAILING = 2
    ERROR = 3


STATES = {
    Verdict.PASSING: State.PASSING,
    Verdict.WARNING: State.WARNING,
    Verdict.FAILING: State.FAILING,
}
LETTERS = "pwf"
# What is not known is not counted as good: no data hides a warning, and only failing hides it.
GRAVITY = [State.PAUSED, State.PASSING, State.WARNING, State.NO_DATA, State.FAILING]
# A sheet without an expected result still expects an answer that is not an error.
UNWRITTEN = parse("status in 200..299")
# A job has to have ended well, unless its sheet says which exit codes are good.
ENDED_WELL = parse("exit == 0")


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected result of a path, compiled: what is held at once, and what over a window."""

    clauses: tuple[Clause, ...]
    windowed: tuple[Clause, ...]
    # The clause a path has when it says nothing about errors over time; it leaves out outages
    # that a streak has already told.
    implied: Clause | None
    keep: Keep


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """What one step of a path of several did in one turn."""

    name: str
    # None: it was not run, which is never passing.
    verdict: Verdict | None = None
    # Why it is not passing, or why it was not run; "" where that is plain from the others.
    reason: str = ""
    status: int | None = None
    # Microseconds.
    total: int = 0
    db_calls: int | None = None
    cache: str = "unknown"
    holdings: tuple[Holding, ...] = ()


def with_exit(clauses: tuple[Clause, ...]) -> tuple[Clause, ...]:
    """The clauses that a heartbeat is held to, of those that its sheet has."""
    is_said = any(clause.fact == "exit" for clause in clauses)
    return clauses if is_said else (*ENDED_WELL, *clauses)


@dataclass(frozen=True, slots=True)
class Judgement:
    verdict: Verdict
    # Why, in words a person can act on; "" when passing.
    reason: str
    holdings: tuple[Holding, ...]
    is_wrong: bool
    facts: Facts
    # Of a path of several steps, in the order of its sheet.
    steps: tuple[StepResult, ...] = ()


def judge(reply: Reply, clauses: Sequence[Clause], *, now: datetime) -> Judgement:
    """Hold every clause against one reply. What is missing fails; nothing missing ever passes."""
    facts = facts_of(reply, now=now)
    if reply.is_ours:
        return Judgement(Verdict.ERROR, reply.detail, (), is_wrong=False, facts=facts)
    holdings = tuple([hold(clause, facts, reply) for clause in clauses])
    if reply.failure is None and all(one.held is not False for one in holdings):
        return Judgement(Verdict.PASSING, "", holdings, is_wrong=False, facts=facts)
    return Judgement(
        verdict=_verdict(reply, holdings),
        reason=_reason(reply, holdings),
        holdings=holdings,
        is_wrong=_is_wrong(reply, holdings),
        facts=facts,
    )


def _verdict(reply: Reply, holdings: Sequence[Holding]) -> Verdict:
    failed = [holding.clause for holding in holdings if holding.held is False]
    if reply.failure is not None or any(not clause.warn for clause in failed):
        return Verdict.FAILING
    return Verdict.WARNING if failed else Verdict.PASSING


def _reason(reply: Reply, holdings: Sequence[Holding]) -> str:
    # Of a reply cut at its cap much is still told; of any other failure, nothing is.
    if reply.failure not in (None, Failure.TOO_LARGE):
        return reply.detail
    sentences = [holding.sentence for holding in holdings if holding.held is False]
    return "; ".join(([reply.detail.rstrip(".")] if reply.failure else []) + sentences)


def _is_wrong(reply: Reply, holdings: Sequence[Holding]) -> bool:
    return reply.failure is not None or any(
        holding.held is False and holding.clause.is_about_answer and not holding.clause.warn
        for holding in holdings
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What is confirmed of one probe, and the streak that may overturn it."""

    state: State = State.NO_DATA
    since: int = 0
    # The streak's own opinion; a broken window makes `state` worse than it, never better.
    streak_state: State = State.NO_DATA
    # Newest verdicts, oldest first, one of LETTERS each: as many as either patience asks for.
    recent: str = ""
    reason: str = ""
    tally: Tally = field(default_factory=Tally.empty)
    # None: never observed.
    observed_at: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    at: int
    before: State
    after: State
    reason: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What one observation did to the standing."""

    standing: Standing
    changes: tuple[Change, ...]
    # The first disagreement is asked again at once, so that a change is confirmed in seconds.
    asks_again: bool
    windows: tuple[WindowHolding, ...]


def take_turn(
    standing: Standing,
    judgement: Judgement,
    expected: Expected,
    *,
    at: int,
    total: int | None,
    patience: int,
    patience_to_recover: int,
    silent_at: int,
    is_scheduled: bool,
) -> Turn:
    """The standing after one observation made at `at`.

    `total` is the time it took, None when our own loop delayed it: it is not the far side's.
    `silent_at` is when silence since the last observation became no data. Only scheduled
    observations count in windows; the others count for patience alone.
    """
    heard, gap = _after_silence(standing, at=at, silent_at=silent_at)
    tally = heard.tally
    if is_scheduled and judgement.verdict is not Verdict.ERROR:
        tally = _counted(heard, judgement, expected, at=at, total=total)
    windows = hold_windows(expected, tally, at=at, patience=patience)
    after = advance(
        heard,
        judgement,
        windows,
        patience=patience,
        patience_to_recover=patience_to_recover,
        expected=expected,
    )
    if after.streak_state is State.FAILING and heard.streak_state is not State.FAILING:
        tally = tally.tell_last(patience)
    changes, since = gap, heard.since
    if after.state is not heard.state:
        changes = (*gap, Change(at, heard.state, after.state, after.reason))
        since = at
    return Turn(
        # Made anew and not by replace(), which takes five times as long: this is every turn.
        standing=Standing(
            state=after.state,
            since=since,
            streak_state=after.streak_state,
            recent=after.recent,
            reason=after.reason,
            tally=tally,
            observed_at=at,
        ),
        changes=changes,
        asks_again=is_scheduled and after.state is heard.state and _first_disagreement(after),
        windows=windows,
    )


def _after_silence(
    standing: Standing, *, at: int, silent_at: int
) -> tuple[Standing, tuple[Change, ...]]:
    """Write down, dated back to when it began, the silence that this observation ends."""
    if at <= silent_at or standing.state is State.NO_DATA:
        return standing, ()
    reason = "Nothing was recorded."
    silent = replace(
        standing,
        state=State.NO_DATA,
        since=silent_at,
        streak_state=State.NO_DATA,
        recent="",
        reason=reason,
    )
    return silent, (Change(silent_at, standing.state, State.NO_DATA, reason),)


def _counted(
    standing: Standing, judgement: Judgement, expected: Expected, *, at: int, total: int | None
) -> Tally:
    facts = judgement.facts
    return standing.tally.with_observation(
        at // MINUTE,
        wrong=judgement.is_wrong,
        total_us=None if judgement.is_wrong else total,
        cache=facts.cache,
        db_calls=facts.db_calls,
        told=judgement.is_wrong and standing.streak_state is State.FAILING,
        keep=expected.keep,
    )


def hold_windows(
    expected: Expected, tally: Tally, *, at: int, patience: int
) -> tuple[WindowHolding, ...]:
    minute = at // MINUTE
    holdings = [
        hold_over(clause, tally.over(clause.window or 0, minute), patience=patience)
        for clause in expected.windowed
    ]
    if expected.implied is not None:
        counted = tally.over(expected.implied.window or 0, minute).without_told()
        holdings.append(hold_over(expected.implied, counted, patience=patience))
    return tuple(holdings)


def advance(
    standing: Standing,
    judgement: Judgement,
    windows: Sequence[WindowHolding],
    *,
    patience: int,
    patience_to_recover: int,
    expected: Expected,
) -> Standing:
    """Confirm a change after as many verdicts in a row as it takes, or when a window is broken.

    It takes `patience` of them to make it worse and `patience_to_recover` to make it better; a
    broken window is believed at once.

    An error of our own neither extends nor resets a streak: the standing is no data until the next
    verdict. The first passing verdict after no data is taken at once.
    """
    if judgement.verdict is Verdict.ERROR:
        return replace(standing, state=State.NO_DATA, reason=judgement.reason)
    longest = max(patience, patience_to_recover)
    recent = (standing.recent + LETTERS[judgement.verdict])[-longest:]
    streak = _streak(standing.streak_state, recent, patience, patience_to_recover)
    broken = [window for window in windows if window.held is False]
    state = _worse(streak, _windows_state(broken))
    if standing.state is State.NO_DATA and _is_graver(judgement.verdict, state):
        # Passing before our own error, failing after it: not known until confirmed.
        state = State.NO_DATA
    if state is not State.FAILING and (certain := _holding_back(standing, windows, expected)):
        state, broken = State.FAILING, [*broken, *certain]
    reason = _why(standing, state, judgement, broken)
    return Standing(
        state=state,
        since=standing.since,
        streak_state=streak,
        recent=recent,
        reason=reason,
        tally=standing.tally,
        observed_at=standing.observed_at,
    )


def _is_graver(verdict: Verdict, state: State) -> bool:
    return GRAVITY.index(STATES[verdict]) > GRAVITY.index(state)


def _streak(state: State, recent: str, patience: int, patience_to_recover: int) -> State:
    if state is State.PASSING and not recent.strip(LETTERS[Verdict.PASSING]):
        return state
    if state is State.NO_DATA and recent.endswith(LETTERS[Verdict.PASSING]):
        return State.PASSING
    ranks = [LETTERS.index(letter) for letter in recent]
    now = GRAVITY.index(state) if state is not State.NO_DATA else -1
    # "At least that bad": a failing verdict also counts towards warning, in both directions.
    if len(ranks) >= patience:
        mildest = STATES[Verdict(min(ranks[-patience:]))]
        if GRAVITY.index(mildest) > now:
            return mildest
    if len(ranks) >= patience_to_recover:
        gravest = STATES[Verdict(max(ranks[-patience_to_recover:]))]
        if GRAVITY.index(gravest) < now:
            return gravest
    return state


def _windows_state(broken: Iterable[WindowHolding]) -> State:
    return max(
        (State.WARNING if window.clause.warn else State.FAILING for window in broken),
        key=GRAVITY.index,
        default=State.PASSING,
    )


def _worse(streak: State, windows: State) -> State:
    if windows is State.PASSING:
        return streak
    return windows if streak is State.NO_DATA else max(streak, windows, key=GRAVITY.index)


def _holding_back(
    standing: Standing, windows: Sequence[WindowHolding], expected: Expected
) -> list[WindowHolding]:
    """A failing path does not recover into a window that is certain to break once it is full."""
    if standing.state is not State.FAILING:
        return []
    return [
        window
        for window in windows
        if window.is_certain_to_break
        and not window.clause.warn
        and window.clause is not expected.implied
    ]


def _why(
    standing: Standing, state: State, judgement: Judgement, broken: Sequence[WindowHolding]
) -> str:
    reasons = [judgement.reason] if judgement.reason else []
    reasons += [window.sentence for window in broken]
    if state is State.PASSING:
        return ""
    # A single good answer does not explain away why the path is still failing.
    several = len(reasons) > 1
    told = (reason.rstrip(".") if several else reason for reason in reasons)
    return "; ".join(told) or standing.reason


def is_disputed(standing: Standing) -> bool:
    """Whether the newest verdict is another than what is confirmed."""
    newest = STATES[Verdict(LETTERS.index(standing.recent[-1]))] if standing.recent else None
    return newest is not None and newest is not standing.streak_state


def _first_disagreement(standing: Standing) -> bool:
    if not is_disputed(standing):
        return False
    before = standing.recent[-2:-1]
    return not before or STATES[Verdict(LETTERS.index(before))] is standing.streak_state


# The schedule ------------------------------------------------------------------------------


def grid_after(now: int, interval: int, key: str) -> int:
    """The first grid point after `now`.

    A probe's grid is its interval, shifted by a hash of the probe: a thousand probes of one
    interval never start in the same second.
    """
    shift = _spread(key) % interval
    return ((now - shift) // interval + 1) * interval + shift


@lru_cache(maxsize=16_384)
def _spread(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8).digest())


@dataclass(frozen=True, slots=True)
class Missed:
    first: int
    last: int
    slots: int


def missed_between(slot: int, following: int, interval: int) -> Missed | None:
    """The slots after `slot` and before `following` that nobody probed, or None."""
    slots = (following - slot - 1) // interval
    if slots < 1:
        return None
    return Missed(first=slot + interval, last=slot + slots * interval, slots=slots)


# History -----------------------------------------------------------------------------------


def worst(states: Iterable[State]) -> State:
    """The state of a service at one moment, from its probes'. Without any: no data."""
    return max(states, key=GRAVITY.index, default=State.NO_DATA)


def path_state(states: Sequence[State]) -> State:
    """A path's standing from those of its locations, each already read as of now.

    Failing when more than half of those with fresh data are; no data when fewer than half have any.
    """
    active = [state for state in states if state is not State.PAUSED]
    if not active:
        return State.PAUSED if states else State.NO_DATA
    fresh = [state for state in active if state is not State.NO_DATA]
    if 2 * len(fresh) < len(active) or not fresh:
        return State.NO_DATA
    failing = sum(state is State.FAILING for state in fresh)
    if 2 * failing > len(fresh):
        return State.FAILING
    milder = [state for state in fresh if state is not State.FAILING]
    return State.WARNING if failing else max(milder, key=GRAVITY.index)


def seconds_in_states(
    timelines: Sequence[Sequence[tuple[int, State]]],
    start: int,
    end: int,
    *,
    without: Sequence[tuple[int, int]] = (),
) -> dict[State, int]:
    """Seconds a service spent in each state between `start` and `end`.

    One timeline a probe: its state from each moment on, oldest first. Before a probe's first
    moment it did not exist, and is left out, and so are the spans of `without`. The seconds add up
    to whole seconds of the span in which at least one probe existed.
    """
    moments = {at for line in timelines for at, _ in line} | {at for span in without for at in span}
    marks = sorted({start, end, *(at for at in moments if start < at < end)})
    spent = dict.fromkeys(State, 0)
    for begin, finish in pairwise(marks):
        present = [state for line in timelines if (state := state_at(line, begin)) is not None]
        if present and not any(first <= begin < last for first, last in without):
            spent[worst(present)] += finish - begin
    return {state: round(total / 1_000_000) for state, total in spent.items()}


def state_at(timeline: Sequence[tuple[int, State]], at: int) -> State | None:
    """None before the first moment of the timeline."""
    later = bisect_right(timeline, at, key=itemgetter(0))
    return timeline[later - 1][1] if later else None


# Grave for a day's bar: a bar shows the worst that was seen, and silence is milder than trouble.
DAY_GRAVITY = [State.PAUSED, State.PASSING, State.NO_DATA, State.WARNING, State.FAILING]


# The seconds before a first answer are counted as unknown, and do not colour the whole day.
SHORT_SILENCE = 60


def worst_of_day(spent: dict[State, int]) -> State:
    seen = [state for state, seconds in spent.items() if seconds > 0]
    if spent[State.NO_DATA] < SHORT_SILENCE and len(seen) > 1:
        seen = [state for state in seen if state != State.NO_DATA]
    return max(seen, key=DAY_GRAVITY.index, default=State.NO_DATA)


def availability(*, passing: int, warning: int, failing: int) -> float | None:
    """The share of known seconds that were up, in percent; None when nothing is known."""
    known = passing + warning + failing
    return 100 * (passing + warning) / known if known else None
