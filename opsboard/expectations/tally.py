"""Counters by the minute, kept on a probe's standing, so that windows never re-read the history.

Windows are counted in whole minutes, rounded up: a window of W minutes is the current minute and
the W full ones before it. Minutes are numbered from the epoch.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace

from opsboard.expectations import stored_tally
from opsboard.expectations.clauses import Clause, Operator
from opsboard.expectations.counted import UNTOLD, Counted
from opsboard.expectations.histogram import upper_edge
from opsboard.expectations.stored_tally import WIDTH, Sample
from opsboard.expectations.units import MINUTE

__all__ = ["Counted", "Keep", "Tally", "keep_for"]

MOST_CALLS = 1_000_000

_MOST = 0xFFFF
_N, _WRONG, _TOLD, _WRONG_TOLD, _HITS, _KNOWN = range(WIDTH)


@dataclass(frozen=True, slots=True)
class Keep:
    """What the clauses of a path need kept: `span` in minutes, 0 for nothing at all."""

    span: int = 0
    times: bool = False
    calls: bool = False
    # The longest time that each clause on times lets pass, in microseconds, ascending.
    passing: tuple[int, ...] = ()


def keep_for(clauses: Iterable[Clause]) -> Keep:
    windowed = [clause for clause in clauses if clause.window]
    times = [clause for clause in windowed if clause.fact == "time"]
    return Keep(
        span=max((minutes_of(clause.window or 0) for clause in windowed), default=0),
        times=bool(times),
        calls=any(clause.fact == "db.calls" for clause in windowed),
        passing=tuple(sorted({longest_passing(clause) for clause in times})),
    )


def longest_passing(clause: Clause) -> int:
    """The longest time in microseconds that an upper limit on times lets pass."""
    limit = clause.operands[0]
    whole = limit if isinstance(limit, int) else 0
    return whole - (clause.operator is Operator.UNDER)


def minutes_of(window: int) -> int:
    return -(-window // MINUTE)


@dataclass(frozen=True, slots=True)
class Tally:
    """A value: every change gives a new one. `cells` is never changed in place."""

    # The minute of the first row of `cells`.
    first: int
    # Minute after minute, `WIDTH` counters each.
    cells: "array[int]"
    times: tuple[Sample, ...] = ()
    calls: tuple[Sample, ...] = ()

    @staticmethod
    def empty() -> "Tally":
        return Tally(0, array("H"))

    def with_observation(
        self,
        at_minute: int,
        *,
        wrong: bool,
        total_us: int | None,
        cache: str,
        db_calls: int | None,
        told: bool,
        keep: Keep,
    ) -> "Tally":
        """One observation more, without the minutes that no clause looks at any longer.

        `total_us` is None when no whole reply came or its times are not to be judged; `told` says
        that the observation belongs to an outage which a streak has already confirmed.
        """
        if not keep.span:
            return Tally.empty()
        first, cells = self._with_room(at_minute, keep.span)
        row = (at_minute - first) * WIDTH
        _count(cells, row, wrong=wrong, told=told)
        if cache != "unknown":
            cells[row + _KNOWN] = min(cells[row + _KNOWN] + 1, _MOST)
            cells[row + _HITS] = min(cells[row + _HITS] + (cache in ("hit", "stale")), _MOST)
        times = self.times if keep.times else ()
        calls = self.calls if keep.calls else ()
        if keep.times and total_us is not None:
            times = _with_sample(times, at_minute, _key(total_us, keep.passing))
        if keep.calls and not (db_calls is None and total_us is None):
            told_calls = UNTOLD if db_calls is None else min(db_calls, MOST_CALLS)
            calls = _with_sample(calls, at_minute, told_calls)
        last = first + len(cells) // WIDTH - 1
        return Tally(first, cells, _within(times, first, last), _within(calls, first, last))

    def tell_last(self, count: int) -> "Tally":
        """Mark the newest `count` wrong observations as told: a streak has just confirmed them."""
        cells = self.cells[:]
        for row in range(len(cells) - WIDTH, -1, -WIDTH):
            marked = min(cells[row + _WRONG] - cells[row + _WRONG_TOLD], count)
            cells[row + _WRONG_TOLD] += marked
            cells[row + _TOLD] += marked
            count -= marked
            if not count:
                break
        return replace(self, cells=cells)

    def over(self, window: int, now_minute: int) -> Counted:
        """The sums over a window in microseconds that ends in `now_minute`."""
        since = now_minute - minutes_of(window)
        start = max(0, since - self.first) * WIDTH
        part = self.cells[start : max(0, now_minute - self.first + 1) * WIDTH]
        rows = part.tolist()
        sums = [sum(rows[column::WIDTH]) for column in range(WIDTH)]
        return Counted(
            observations=sums[_N],
            wrong=sums[_WRONG],
            told=sums[_TOLD],
            wrong_told=sums[_WRONG_TOLD],
            hits=sums[_HITS],
            cache_known=sums[_KNOWN],
            times=_summed(self.times, since, now_minute),
            calls=_summed(self.calls, since, now_minute),
        )

    def dump(self) -> str:
        stored = stored_tally.Stored(self.first, self.cells, self.times, self.calls)
        return stored_tally.write(stored)

    @staticmethod
    def load(text: str) -> "Tally":
        """What `dump` wrote. Anything else is an empty tally: its windows begin again."""
        stored = stored_tally.read(text)
        return Tally(*stored) if stored else Tally.empty()

    def _with_room(self, minute: int, span: int) -> tuple[int, "array[int]"]:
        """A copy of the cells from `span` minutes before the newest, with a row for `minute`."""
        last = self.first + len(self.cells) // WIDTH - 1
        # Also when the clock was set back: else the windows would wait for the old time.
        if not self.cells or abs(minute - last) > span:
            return minute, _rows(1)
        first = max(self.first, max(last, minute) - span)
        cells = self.cells[(first - self.first) * WIDTH :]
        if minute < first:
            return minute, _rows(first - minute) + cells
        return first, cells + _rows(minute - last)


def _rows(count: int) -> "array[int]":
    return array("H", bytes(2 * WIDTH * max(0, count)))


def _count(cells: "array[int]", row: int, *, wrong: bool, told: bool) -> None:
    cells[row + _N] = min(cells[row + _N] + 1, _MOST)
    cells[row + _WRONG] = min(cells[row + _WRONG] + wrong, _MOST)
    cells[row + _TOLD] = min(cells[row + _TOLD] + told, _MOST)
    cells[row + _WRONG_TOLD] = min(cells[row + _WRONG_TOLD] + (wrong and told), _MOST)


def _key(us: int, passing: tuple[int, ...]) -> int:
    """An upper bound of `us` that passes each of the clauses just when `us` does.

    The edges of a histogram alone could call 395 ms "404 ms" and break a limit of 400 ms.
    """
    next_limit = bisect_left(passing, us)
    edge = upper_edge(us)
    return min(edge, passing[next_limit]) if next_limit < len(passing) else edge


def _with_sample(samples: tuple[Sample, ...], minute: int, key: int) -> tuple[Sample, ...]:
    """In the order of the minutes, also when it comes late."""
    place = len(samples)
    while place and samples[place - 1][0] >= minute:
        place -= 1
        at, known, count = samples[place]
        if (at, known) == (minute, key):
            return (*samples[:place], (at, key, count + 1), *samples[place + 1 :])
    return (*samples[:place], (minute, key, 1), *samples[place:])


def _within(samples: tuple[Sample, ...], first: int, last: int) -> tuple[Sample, ...]:
    if not samples or (samples[0][0] >= first and samples[-1][0] <= last):
        return samples
    return tuple(sample for sample in samples if first <= sample[0] <= last)


def _summed(samples: tuple[Sample, ...], since: int, until: int) -> dict[int, int]:
    counts: dict[int, int] = {}
    for minute, key, count in samples:
        if since <= minute <= until:
            counts[key] = counts.get(key, 0) + count
    return counts
