"""The samples of one side, in the order of time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The words of a cache result in files and figures. "stale" counts as a hit in comparisons.
HIT, MISS, STALE, BYPASS, UNKNOWN = "hit", "miss", "stale", "bypass", "unknown"
CACHE_WORDS = (UNKNOWN, HIT, MISS, STALE, BYPASS)

type Floats = NDArray[np.float64]
type Bools = NDArray[np.bool_]
type Labels = NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Arrays of one length n >= 0, oldest first."""

    # Microseconds, above zero.
    latency: Floats
    # Places in CACHE_WORDS.
    cache: Labels
    # No wrong answer: neither times nor database calls make one.
    ok: Bools
    # NaN: not reported.
    db_calls: Floats

    def __len__(self) -> int:
        return len(self.latency)
