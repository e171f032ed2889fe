"""Shares of wrong answers on both sides, and whether they rose."""

from typing import Any

import numpy as np
from scipy.special import gammaln, ndtri

from opsboard.changes.rules.judged import Pair, Rates
from opsboard.changes.rules.samples import Bools, Floats, Samples
from opsboard.changes.rules.variance import Spread, critical, robust, together

# A rise smaller than this share makes no verdict.
LEAST_RISE = 0.01


def wilson(hits: int, of: int, level: float = 95) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927)."""
    z = float(ndtri(0.5 + level / 200))
    share = hits / of
    middle = share + z**2 / (2 * of)
    around = z * float(np.sqrt(share * (1 - share) / of + z**2 / (4 * of**2)))
    below = 1 + z**2 / of
    return (middle - around) / below, (middle + around) / below


def newcombe(before: int, of_before: int, after: int, of_after: int) -> tuple[float, float]:
    """95 % of the difference after - before: method 10 of Newcombe (1998), for independent ones."""
    p, q = before / of_before, after / of_after
    low_p, high_p = wilson(before, of_before)
    low_q, high_q = wilson(after, of_after)
    difference = q - p
    return (
        difference - float(np.hypot(q - low_q, high_p - p)),
        difference + float(np.hypot(high_q - q, p - low_p)),
    )


def share_spread(is_it: Bools) -> Spread:
    """Of the share in order of time: failures come in bursts, and hits after hits."""
    of = len(is_it)
    series: Floats = (is_it - is_it.mean()) / of
    independent = Spread(of / max(of - 1, 1) * float(series @ series), max(of - 1.0, 1.0))
    return robust(series, independent)


def robust_difference(before: Bools, after: Bools, level: float = 95) -> list[float]:
    """[after - before, low, high] of two shares, with the variance that minds neighbours."""
    difference = float(after.mean() - before.mean())
    spread = together(share_spread(before), share_spread(after))
    around = critical(level, spread.df) * float(np.sqrt(spread.variance))
    return [difference, difference - around, difference + around]


def fisher(before: int, of_before: int, after: int, of_after: int) -> float:
    """Fisher's exact two-sided p: all tables no likelier than the one seen (1935)."""
    hits, of = before + after, of_before + of_after
    first, last = max(0, hits - of_before), min(hits, of_after)
    k = np.arange(first, last + 1)
    likely = _choose(of_after, k) + _choose(of_before, hits - k) - _choose(of, hits)
    seen = likely[after - first]
    return min(1.0, float(np.exp(likely[likely <= seen + 1e-7]).sum()))


def _choose(of: int, k: Any) -> Any:
    return gammaln(of + 1) - gammaln(k + 1) - gammaln(of - k + 1)


def rates_of(before: Samples, after: Samples) -> Rates:
    """Both sides hold at least one sample."""
    failed, failed_after = int((~before.ok).sum()), int((~after.ok).sum())
    difference, *bounds = robust_difference(~before.ok, ~after.ok)
    counts = (failed, len(before), failed_after, len(after))
    return Rates(
        before=failed / len(before),
        after=failed_after / len(after),
        diff=difference,
        newcombe=list(newcombe(*counts)),
        robust=bounds,
        fisher=fisher(*counts),
    )


def has_risen(rates: Rates) -> bool:
    """Both lower bounds above zero: independent failures and bursts of them."""
    bounds: tuple[Pair, Pair] = (rates["newcombe"], rates["robust"])
    return rates["diff"] > LEAST_RISE and all(low > 0 for low, _ in bounds)


def may_have_risen(rates: Rates) -> bool:
    return rates["newcombe"][0] > 0
