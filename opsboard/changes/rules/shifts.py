"""The log ratio of a comparison's metric: pooled, within each stratum, and like with like."""

import numpy as np
from numpy.typing import NDArray

from opsboard.changes.rules.db_calls import ratio_of
from opsboard.changes.rules.effects import Shift, Stratum, stratum
from opsboard.changes.rules.judged import Interval
from opsboard.changes.rules.samples import Bools
from opsboard.changes.rules.settings import TIME
from opsboard.changes.rules.strata import Labelled

# Times a side that are ranked. Of more, every k-th of each stratum is.
MOST_RANKED = 100_000

type Here = tuple[Bools, Bools]


def shift_of(both: Labelled, metric: str, strata: list[Here], level: float) -> Interval:
    """[estimate, low, high] of after over before; each stratum has samples on both sides."""
    if metric != TIME:
        return ratio_of(both, strata, level)
    return list(_ranked(both, strata, failures=False).interval(level))


def with_failures(both: Labelled, words: list[str], level: float) -> Interval | None:
    """With wrong answers as the slowest of all. None: so many failed that it has no bounds."""
    strata = [(both.of(word, 0), both.of(word, 1)) for word in words]
    shift = _ranked(both, strata, failures=True)
    found = list(shift.interval(level))
    low, high = shift.reach
    return found if low + 1e-6 < found[1] and found[2] < high - 1e-6 else None


def step_of(both: Labelled) -> int:
    """Every how many-th time is ranked."""
    return -(-max(len(both.before), len(both.after)) // MOST_RANKED)


def _ranked(both: Labelled, strata: list[Here], *, failures: bool) -> Shift:
    """The time of a side is that of its right answers; with failures, of all."""
    sides = (both.before, both.after)
    logs = [np.where(side.ok, np.log(side.latency), np.inf) for side in sides]
    step = step_of(both)
    # Of each stratum by itself: hits and misses in turn would lose one of them.
    places = [[np.flatnonzero(here)[::step] for here in pair] for pair in strata]
    if step > 1:
        kept = [np.sort(np.concatenate([pair[side] for pair in places])) for side in (0, 1)]
    elif failures:
        kept = [np.arange(len(side)) for side in sides]
    else:
        kept = [np.flatnonzero(side.ok) for side in sides]
    lengths = (len(kept[0]), len(kept[1]))
    return Shift([_stratum(logs, pair, kept) for pair in places], lengths)


def _stratum(
    logs: list[NDArray[np.float64]],
    pair: list[NDArray[np.intp]],
    kept: list[NDArray[np.intp]],
) -> Stratum:
    before, after = pair
    first, second = (np.searchsorted(kept[side], pair[side]) for side in (0, 1))
    return stratum(logs[0][before], logs[1][after], first, second)
