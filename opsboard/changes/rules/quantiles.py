"""Percentiles: one definition everywhere, and how sure one can be of them.

A percentile lies between the two nearest samples, linearly: numpy's default, and Hyndman & Fan's
(1996) definition 7. NIST's handbook and others interpolate differently.
"""

import numpy as np

from opsboard.changes.rules.judged import Interval
from opsboard.changes.rules.samples import Floats

# Resamples of a bootstrap, and how many numbers it holds at once.
RESAMPLES, AT_ONCE = 1_000, 4_000_000


def quantile(values: Floats, q: float) -> float:
    """`values` not empty, `q` from 0 to 1."""
    return float(np.quantile(values, q))


def ratio_of_quantiles(
    before: Floats, after: Floats, q: float, *, seed: int, level: float = 0.95
) -> Interval:
    """[estimate, low, high] of the log ratio of a quantile, after over before.

    Both sides above zero, not empty and in the order of time. A circular block bootstrap (Politis &
    Romano 1992) with blocks of 2 n^(1/3) samples keeps the autocorrelation; the seed makes it
    repeatable.
    """
    chance = np.random.default_rng(seed)
    resampled = _resampled(np.log(after), q, chance) - _resampled(np.log(before), q, chance)
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    estimate = np.log(quantile(after, q) / quantile(before, q))
    return [float(estimate), float(low), float(high)]


def _resampled(values: Floats, q: float, chance: np.random.Generator) -> Floats:
    n = len(values)
    length = min(n, max(1, round(2 * n ** (1 / 3))))
    blocks = -(-n // length)
    found = []
    for begun in range(0, RESAMPLES, step := max(1, AT_ONCE // n)):
        count = min(step, RESAMPLES - begun)
        starts = chance.integers(0, n, size=(count, blocks, 1))
        places = (starts + np.arange(length)) % n
        drawn = values[places.reshape(count, -1)[:, :n]]
        found.append(np.quantile(drawn, q, axis=1))
    return np.concatenate(found)
