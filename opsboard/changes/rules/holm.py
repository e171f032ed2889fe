"""Several questions of one comparison: what holds of each when all are asked (Holm 1979)."""

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from opsboard.changes.rules.judged import Interval


def adjusted(ps: Sequence[float]) -> list[float]:
    """The p values, each raised by how many are asked with it; in the order given."""
    raised, highest = [0.0] * len(ps), 0.0
    for rank, place in enumerate(np.argsort(ps, kind="stable").tolist()):
        highest = max(highest, min(1.0, (len(ps) - rank) * ps[place]))
        raised[place] = highest
    return raised


def p_above(interval: Interval, bound: float, level: float = 95) -> float:
    """One-sided p of "it is at most `bound`", from an estimate and its interval."""
    estimate, low, _ = interval
    return _tail(estimate - bound, estimate - low, level)


def p_below(interval: Interval, bound: float, level: float = 95) -> float:
    """One-sided p of "it is at least `bound`"."""
    estimate, _, high = interval
    return _tail(bound - estimate, high - estimate, level)


def _tail(distance: float, around: float, level: float) -> float:
    if around <= 0:
        return 0.0 if distance > 0 else 1.0
    return float(ndtr(-distance / around * ndtri(0.5 + level / 200)))
