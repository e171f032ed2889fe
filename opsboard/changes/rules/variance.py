"""How far a sum over a series in time may lie from what it estimates, when neighbours are alike.

Requests that follow each other share their load: a variance that takes them for independent is
too small. The equal-weighted cosine estimator (Lazarus, Lewis, Stock & Watson 2018) is not.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from opsboard.changes.rules.samples import Floats


class Spread(NamedTuple):
    variance: float
    # Degrees of freedom of the variance.
    df: float


# Degrees of freedom do not matter to what does not vary.
NONE = Spread(0.0, 1e9)


def cosine(series: Floats) -> Spread:
    """The equal-weighted cosine variance of the series' sum; its deviations, in order of time.

    (2/v) * sum over k = 1..v of (sum over t of u_t cos(pi k (t - 1/2) / T))**2, with
    v = max(4, floor(0.41 T**(2/3))): Lazarus, Lewis, Stock & Watson 2018.
    """
    length = len(series)
    waves = min(max(4, int(0.41 * length ** (2 / 3))), length - 1)
    if waves < 1:
        return NONE
    k = np.arange(1, waves + 1)
    turned = np.exp(-0.5j * np.pi * k / length) * np.fft.rfft(series, 2 * length)[1 : waves + 1]
    return Spread(2 / waves * float(np.sum(turned.real**2)), float(waves))


def robust(series: Floats, independent: Spread) -> Spread:
    """Of a sum over time: the larger of both, so that correlation is never counted as a gain."""
    found = cosine(series)
    return found if found.variance > independent.variance else independent


def together(*parts: Spread) -> Spread:
    """The variance of a sum of independent parts, with its degrees of freedom (Welch 1947)."""
    variance = sum(part.variance for part in parts)
    if variance <= 0:
        return NONE
    # As shares: squares of small variances would vanish.
    below = sum((part.variance / variance) ** 2 / part.df for part in parts)
    return Spread(variance, 1 / below)


def critical(level: float, df: float) -> float:
    """Student's t that holds the middle `level` percent."""
    return float(stdtrit(df, 0.5 + level / 200))


def autocorrelation(series: Floats) -> float:
    """Of neighbours, from -1 to 1; 0 of a series that does not vary."""
    around = series - series.mean() if len(series) else series
    square = float(around @ around)
    # What is left of equal values is rounding.
    if square <= 1e-18 * len(series):
        return 0.0
    return float(around[1:] @ around[:-1]) / square
