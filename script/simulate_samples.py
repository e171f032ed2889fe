"""Simulated samples of one side of a change, whose truth is known.

Milliseconds are exp(log median + spread z) of the cache result, times its ratio, times 5 in one of
a hundred. z is normal and like the one before it by `likeness` (a first-order autoregression).
"""

from dataclasses import dataclass

import numpy as np

from opsboard.changes.rules.samples import CACHE_WORDS, HIT, MISS, UNKNOWN, Samples

# Median in microseconds, spread of its logarithm, database calls.
OF_HIT, OF_MISS = (20_000, 0.35, 0), (180_000, 0.50, 12)
SPIKE, SPIKES = 5.0, 0.01
# A sticky cache gives the result before once more this often.
STICKS = 0.7
FAST_FAILURE = 2_000


@dataclass(frozen=True)
class Side:
    n: int = 200
    # Share of hits; what times are multiplied with, by cache result.
    hits: float = 0.5
    ratio: float = 1.0
    miss_ratio: float | None = None
    likeness: float = 0.3
    is_sticky: bool = False
    # Share of wrong answers; a burst of them lasts so many on average.
    failing: float = 0.0
    burst: float = 1.0
    fails_fast: bool = False
    # What times are multiplied with at the first and the last sample.
    drift: tuple[float, float] = (1.0, 1.0)
    sees_cache: bool = True
    counts_calls: bool = False


def drawn(side: Side, chance: np.random.Generator) -> Samples:
    hit = _hits(side, chance)
    median, spread, calls = (np.where(hit, *each) for each in zip(OF_HIT, OF_MISS, strict=True))
    miss_ratio = side.ratio if side.miss_ratio is None else side.miss_ratio
    latency = median * np.exp(spread * _alike(side, chance)) * np.where(hit, side.ratio, miss_ratio)
    latency *= np.where(chance.random(side.n) < SPIKES, SPIKE, 1.0)
    latency *= np.linspace(*side.drift, side.n)
    ok = ~_failures(side, chance)
    if side.fails_fast:
        latency = np.where(ok, latency, FAST_FAILURE * chance.lognormal(0, 0.1, side.n))
    places = np.where(hit, CACHE_WORDS.index(HIT), CACHE_WORDS.index(MISS))
    return Samples(
        latency=np.round(latency),
        cache=np.where(side.sees_cache, places, CACHE_WORDS.index(UNKNOWN)).astype(np.int8),
        ok=ok,
        db_calls=np.where(side.counts_calls, calls.astype(float), np.nan),
    )


def _hits(side: Side, chance: np.random.Generator) -> np.ndarray:
    hit = chance.random(side.n) < side.hits
    if side.is_sticky:
        for at in np.flatnonzero(chance.random(side.n - 1) < STICKS) + 1:
            hit[at] = hit[at - 1]
    return hit


def _alike(side: Side, chance: np.random.Generator) -> np.ndarray:
    z = chance.normal(size=side.n)
    fresh = np.sqrt(1 - side.likeness**2)
    for at in range(1, side.n):
        z[at] = side.likeness * z[at - 1] + fresh * z[at]
    return z


def _failures(side: Side, chance: np.random.Generator) -> np.ndarray:
    """In bursts: one ends with chance 1 / `burst` and begins as often as keeps the share."""
    ends = 1 / side.burst
    begins = side.failing * ends / (1 - side.failing)
    failed = chance.random(side.n) < side.failing
    if side.burst > 1:
        luck = chance.random(side.n)
        for at in range(1, side.n):
            failed[at] = luck[at] >= ends if failed[at - 1] else luck[at] < begins
    return failed
