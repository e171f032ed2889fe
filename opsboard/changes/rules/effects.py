"""By how much times moved between two sides, like with like.

The relative effect P(before < after) + P(equal)/2 of Brunner & Munzel (2000), from placements
within strata, put together with the weights mn/(m+n+1) of van Elteren (1960). Shifting one side
until the effect is one half gives the estimate of Hodges & Lehmann (1963); inverting the test
gives its interval.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from opsboard.changes.rules.samples import Floats
from opsboard.changes.rules.variance import Spread, critical, robust, together

type Places = NDArray[np.intp]

# How far a shift that is found may lie from the exact one; of times a million apart, 34 halvings.
_WITHIN = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Stratum:
    """Values of one stratum on both sides, each sorted; and where in its side's time each lies."""

    before: Floats
    after: Floats
    before_at: Places
    after_at: Places


class Tested(NamedTuple):
    effect: float
    spread: Spread
    # How many standard errors the effect is above one half.
    t: float


def stratum(before: Floats, after: Floats, before_at: Places, after_at: Places) -> Stratum:
    """From values in order of time, and their places in it."""
    first, second = np.argsort(before, kind="stable"), np.argsort(after, kind="stable")
    return Stratum(before[first], after[second], before_at[first], after_at[second])


class Shift:
    """The strata of one comparison. `lengths`: how many moments each side's time has.

    A stratum that lacks a side has no weight.
    """

    def __init__(self, strata: Sequence[Stratum], lengths: tuple[int, int]) -> None:
        self._strata = [one for one in strata if len(one.before) and len(one.after)]
        self._lengths = lengths
        sizes = [(len(one.before), len(one.after)) for one in self._strata]
        weights = np.array([m * n / (m + n + 1) for m, n in sizes])
        self._weights = weights / weights.sum() if len(weights) else weights

    def effect(self, theta: float) -> float:
        """The relative effect once `theta` is taken from the after side; it falls in theta."""
        return sum(
            float(weight) * float(_below(one, theta).mean())
            for weight, one in zip(self._weights, self._strata, strict=True)
        )

    def test(self, theta: float = 0.0, *, independent: bool = False) -> Tested:
        """`independent`: as if no moment were like its neighbour (Brunner & Munzel's own test)."""
        series = [np.zeros(length) for length in self._lengths]
        parts: list[list[Spread]] = [[], []]
        effect = 0.0
        for weight, one in zip(self._weights, self._strata, strict=True):
            after = _below(one, theta)
            before = _above(one, theta)
            p = float(after.mean())
            effect += float(weight) * p
            for side, (values, at) in enumerate(((before, one.before_at), (after, one.after_at))):
                moved = (values - p) * (weight / len(values))
                series[side][at] = moved
                parts[side].append(_independent(moved))
        alone = [together(*each) for each in parts]
        if not independent:
            alone = [robust(one, each) for one, each in zip(series, alone, strict=True)]
        spread = together(*alone)
        return Tested(effect, spread, _errors(effect - 0.5, spread.variance))

    def estimate(self) -> float:
        """The shift that evens both sides out: the middle of all that do."""
        low, high = self.reach
        first = _fall(lambda theta: self.effect(theta) > 0.5 + 1e-12, low, high)
        last = _fall(lambda theta: self.effect(theta) >= 0.5 - 1e-12, low, high)
        return (first + last) / 2

    def interval(self, level: float) -> tuple[float, float, float]:
        """Estimate, low, high."""
        low, high = self.reach

        def beyond(theta: float, sign: int) -> bool:
            tested = self.test(theta)
            return tested.t > sign * critical(level, tested.spread.df)

        lowest = _fall(lambda theta: beyond(theta, 1), low, high)
        highest = _fall(lambda theta: beyond(theta, -1), low, high)
        return self.estimate(), lowest, highest

    @property
    def reach(self) -> tuple[float, float]:
        """Beyond it everything is on one side. Infinite values, failures, move with no shift."""
        ends = [
            (finite_after[0] - finite_before[-1], finite_after[-1] - finite_before[0])
            for one in self._strata
            if len(finite_before := one.before[np.isfinite(one.before)])
            and len(finite_after := one.after[np.isfinite(one.after)])
        ]
        lows, highs = zip(*ends, strict=True) if ends else ((0.0,), (0.0,))
        return float(min(lows)) - 0.01, float(max(highs)) + 0.01


def _below(one: Stratum, theta: float) -> Floats:
    """Of each value after: the share of values before that lie below it, equal ones half."""
    shifted = one.after - theta
    left = np.searchsorted(one.before, shifted, "left")
    return (left + np.searchsorted(one.before, shifted, "right")) / (2 * len(one.before))


def _above(one: Stratum, theta: float) -> Floats:
    """Of each value before: the share of values after that lie above it, equal ones half."""
    shifted = one.after - theta
    left = np.searchsorted(shifted, one.before, "left")
    return 1 - (left + np.searchsorted(shifted, one.before, "right")) / (2 * len(shifted))


def _independent(moved: Floats) -> Spread:
    count = len(moved)
    if count < 2:
        return Spread(0.0, 1.0)
    return Spread(count / (count - 1) * float(moved @ moved), count - 1.0)


def _errors(distance: float, variance: float) -> float:
    """A distance in standard errors; without any error, any distance is beyond all of them."""
    if variance > 0:
        return distance / float(np.sqrt(variance))
    return 0.0 if abs(distance) < 1e-12 else float(np.copysign(np.inf, distance))


def _fall(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Where what holds at `low` holds no longer on the way to `high`."""
    while high - low > _WITHIN:
        middle = (low + high) / 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return (low + high) / 2
