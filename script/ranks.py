"""Two whole samples compared by ranks, without cache results or the order of time.

Mann & Whitney 1947; Hollander & Wolfe 1999, 4.1 to 4.3. It is what most tools do, and it takes a
lucky cache hit for an improvement: here to compare with, never to decide.
"""

from math import sqrt

import numpy as np
from scipy.special import ndtr, ndtri

from opsboard.changes.rules.judged import Interval
from opsboard.changes.rules.samples import Floats

# Below it, and without ties, chances are counted; from it on they are normal. As R does.
COUNTED_BELOW = 50


def common_language(before: Floats, after: Floats) -> float:
    """How often one after is larger than one before; ties count half (McGraw & Wong 1992)."""
    ranked = np.sort(before)
    smaller = np.searchsorted(ranked, after, "left") + np.searchsorted(ranked, after, "right")
    return float(smaller.mean() / 2 / len(before))


def mann_whitney(before: Floats, after: Floats) -> float:
    """The two-sided p value, with the corrections for continuity and ties where it is normal."""
    pairs = len(before) * len(after)
    larger = common_language(before, after) * pairs
    if _is_counted(before, after):
        fewest = round(min(larger, pairs - larger))
        return min(1.0, 2 * float(_chances(len(before), len(after))[: fewest + 1].sum()))
    error = _error(before, after)
    if not error:
        return 1.0
    away = max(0.0, abs(larger - pairs / 2) - 0.5)
    return 2 * float(ndtr(-away / error))


def hodges_lehmann(before: Floats, after: Floats, *, level: float = 0.95) -> Interval:
    """[estimate, low, high] of the shift: the median difference of all pairs, after less before.

    The bounds are differences too, as many from each end as the rank test of `level` leaves out.
    """
    differences = np.sort(np.subtract.outer(after, before), axis=None)
    if _is_counted(before, after):
        at_most = np.cumsum(_chances(len(before), len(after)))
        left_out = int(np.searchsorted(at_most, (1 - level) / 2))
    else:
        left_out = int(len(differences) / 2 - ndtri((1 + level) / 2) * _error(before, after))
    at = max(1, left_out)
    return [float(np.median(differences)), float(differences[at - 1]), float(differences[-at])]


def _is_counted(before: Floats, after: Floats) -> bool:
    both = np.concatenate((before, after))
    is_small = len(before) < COUNTED_BELOW and len(after) < COUNTED_BELOW
    return is_small and len(np.unique(both)) == len(both)


def _chances(m: int, n: int) -> Floats:
    """Of each number of pairs in which the later is larger, 0 to m n, when nothing differs.

    The coefficients of Gauss's binomial, over their sum.
    """
    ways = np.zeros(m * n + 1)
    ways[0] = 1.0
    for i in range(1, m + 1):
        ways[n + i :] -= ways[: -(n + i)].copy()
        for at in range(i, len(ways)):
            ways[at] += ways[at - i]
    return ways / ways.sum()


def _error(before: Floats, after: Floats) -> float:
    m, n = len(before), len(after)
    ties = np.unique(np.concatenate((before, after)), return_counts=True)[1].astype(float)
    lost = (ties**3 - ties).sum() / ((m + n) * (m + n - 1))
    return sqrt(m * n / 12 * (m + n + 1 - lost))
