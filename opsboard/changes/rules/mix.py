"""How the mix of cache results moved, and how much of a difference in the mean that explains."""

import numpy as np

from opsboard.changes.rules.judged import Bridge, Interval
from opsboard.changes.rules.rates import robust_difference
from opsboard.changes.rules.samples import Floats
from opsboard.changes.rules.strata import Labelled

# A share that moved by less, or may not have moved at all, has not shifted.
LEAST_SHIFT = 0.05


def mix_of(both: Labelled) -> dict[str, Interval]:
    """By label: share after minus share before, of all samples, with 95 % that minds runs."""
    return {word: robust_difference(both.of(word, 0), both.of(word, 1)) for word in both.words}


def has_shifted(mix: dict[str, Interval]) -> bool:
    return any(
        abs(moved) >= LEAST_SHIFT and (low > 0 or high < 0) for moved, low, high in mix.values()
    )


def bridge_of(both: Labelled) -> Bridge:
    """The means in milliseconds, parted into mix and within (Kitagawa 1955).

    A label that one side lacks moves only the mix: its mean is taken for both.
    """
    sides = [side.latency[side.ok] / 1000 for side in (both.before, both.after)]
    before, after = (float(values.mean()) for values in sides)
    mix = 0.0
    for word in both.words:
        first, second = both.compared(word)
        mean = _means(both.before.latency[first] / 1000, both.after.latency[second] / 1000)
        shares = (first.sum() / len(sides[0]), second.sum() / len(sides[1]))
        mix += float(shares[1] - shares[0]) * sum(mean) / 2
    return Bridge(before=before, mix=mix, within=after - before - mix, after=after)


def _means(before: Floats, after: Floats) -> tuple[float, float]:
    means = [float(np.mean(values)) for values in (before, after) if len(values)]
    return (means[0], means[-1]) if means else (0.0, 0.0)
