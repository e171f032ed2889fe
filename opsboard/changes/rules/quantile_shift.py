"""By how much a quantile moved: with an interval that minds neighbours.

The share below the quantile has a robust interval; the values at its ends bound the quantile
(Woodruff 1952). The difference of two quantiles takes from each the half that faces the other
(Zou & Donner 2008).
"""

import numpy as np
from numpy.typing import NDArray

from opsboard.changes.rules.judged import Interval
from opsboard.changes.rules.quantiles import quantile
from opsboard.changes.rules.rates import share_spread
from opsboard.changes.rules.samples import Floats
from opsboard.changes.rules.variance import critical


def quantile_shift(before: Floats, after: Floats, at: float) -> Interval:
    """[after - before, low, high], 95 %; values in order of time, both sides at least two."""
    (first, first_low, first_high), (second, second_low, second_high) = (
        _bounded(values, at) for values in (before, after)
    )
    return apart([first, first_low, first_high], [second, second_low, second_high])


def apart(first: Interval, second: Interval) -> Interval:
    """Second minus first, of two independent estimates with their intervals."""
    difference = second[0] - first[0]
    return [
        difference,
        difference - float(np.hypot(second[0] - second[1], first[2] - first[0])),
        difference + float(np.hypot(second[2] - second[0], first[0] - first[1])),
    ]


def _bounded(values: Floats, at: float) -> tuple[float, float, float]:
    found = quantile(values, at)
    below: NDArray[np.bool_] = values <= found
    spread = share_spread(below)
    # At a quantile many values may be equal: the share's own variance is then too small.
    least = at * (1 - at) / len(values)
    around = critical(95, spread.df) * float(np.sqrt(max(spread.variance, least)))
    low, high = np.quantile(values, [max(at - around, 0.0), min(at + around, 1.0)])
    return found, float(low), float(high)
