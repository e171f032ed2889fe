"""Database calls: what of a fix does not depend on luck."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from opsboard.changes.rules.judged import Calls, Interval
from opsboard.changes.rules.samples import Bools, Floats, Samples
from opsboard.changes.rules.strata import FEWEST_IN_A_STRATUM, Labelled
from opsboard.changes.rules.variance import Spread, critical, robust, together

# Share of right answers that must report them, on each side.
LEAST_REPORTED = 0.8


def are_reported(both: Labelled) -> bool:
    return all(
        np.mean(~np.isnan(side.db_calls[side.ok])) >= LEAST_REPORTED if side.ok.any() else False
        for side in (both.before, both.after)
    )


def ratio_of(both: Labelled, strata: Sequence[tuple[Bools, Bools]], level: float) -> Interval:
    """Log ratio of the mean counts, each stratum with the share it has of both sides together.

    `both` as `counted` leaves it. Constant counts make an interval without width. Where only one
    side has no calls at all, half a call is added to both: 0 to 3 is then log(3.5 / 0.5).
    """
    sizes = np.array([first.sum() + second.sum() for first, second in strata], dtype=np.float64)
    weights = sizes / max(sizes.sum(), 1)
    means, spreads = [], []
    for side, samples in enumerate((both.before, both.after)):
        mean, spread = _mean(samples, [pair[side] for pair in strata], weights)
        means.append(mean)
        spreads.append(spread)
    if means[0] == means[1] == 0:
        return [0.0, 0.0, 0.0]
    if 0 in means:
        means = [mean + 0.5 for mean in means]
    parts = [
        Spread(spread.variance / mean**2, spread.df)
        for mean, spread in zip(means, spreads, strict=True)
    ]
    whole = together(*parts)
    around = critical(level, whole.df) * float(np.sqrt(whole.variance))
    ratio = float(np.log(means[1] / means[0]))
    return [ratio, ratio - around, ratio + around]


def counted(both: Labelled) -> Labelled:
    """Answers that do not report calls are left out, as wrong ones are."""
    before, after = (
        replace(side, ok=side.ok & ~np.isnan(side.db_calls)) for side in (both.before, both.after)
    )
    return replace(both, before=before, after=after)


def _mean(samples: Samples, here: Sequence[Bools], weights: Floats) -> tuple[float, Spread]:
    """The weighted mean of a side with its spread; every stratum has samples."""
    series, mean, alone = np.zeros(len(samples)), 0.0, []
    for stratum, weight in zip(here, weights, strict=True):
        values = samples.db_calls[stratum]
        mean += float(weight) * float(values.mean())
        moved = (values - values.mean()) * (weight / len(values))
        series[stratum] = moved
        of = max(len(values) - 1, 1)
        alone.append(Spread(len(values) / of * float(moved @ moved), float(of)))
    return mean, robust(series[samples.ok], together(*alone))


def calls_of(both: Labelled) -> dict[str, Calls]:
    """By stratum and for "all"; without those where a side reports none."""
    both = counted(both)
    places = {word: both.compared(word) for word in both.words}
    places["all"] = (both.before.ok, both.after.ok)
    found = {word: _calls(both, here) for word, here in places.items()}
    return {word: calls for word, calls in found.items() if calls}


def _calls(both: Labelled, here: tuple[Bools, Bools]) -> Calls | None:
    sides = [
        side.db_calls[where] for side, where in zip((both.before, both.after), here, strict=True)
    ]
    fewest = min(map(len, sides))
    if not fewest:
        return None
    is_constant = all(np.ptp(values) == 0 for values in sides)
    return Calls(
        mean=[float(values.mean()) for values in sides],
        most=[float(values.max()) for values in sides],
        mode=[_mode(values) for values in sides],
        is_constant=is_constant,
        ratio=(None if is_constant or fewest < FEWEST_IN_A_STRATUM else ratio_of(both, [here], 95)),
    )


def _mode(values: Floats) -> float:
    """The most frequent; of several, the least."""
    counts, often = np.unique(values, return_counts=True)
    return float(counts[often.argmax()])
