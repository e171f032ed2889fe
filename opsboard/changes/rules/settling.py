"""What would settle a comparison that says nothing yet."""

import math

from opsboard.changes.rules.deciding import call_of
from opsboard.changes.rules.figures import Figures
from opsboard.changes.rules.guardrails import FEWEST
from opsboard.changes.rules.judged import (
    CACHE_UNOBSERVED,
    CONTROL_TOO_FEW,
    DB_CALLS_UNREPORTED,
    ERROR_RATE_ROSE,
    GUARDRAIL,
    MIX_SHIFTED,
    NO_OVERLAP,
    TOO_FEW,
    VARIABLES,
    Interval,
    Settle,
)
from opsboard.changes.rules.samples import MISS
from opsboard.changes.rules.settings import Settings
from opsboard.changes.rules.strata import FEWEST_IN_A_STRATUM

# Samples a side that find an effect of 20 %; and the most that anybody would wait for.
USUAL, MOST = 200, 10_000
# Neighbours more alike than this tell little new.
STICKY = 0.7
# An interval this much narrower than the gap settles it four times in five.
_SURE = 1.43


def settle_of(figures: Figures, settings: Settings, reason: str) -> Settle:
    """Of a comparison that is inconclusive or confounded."""
    word, _, what = reason.partition("=")
    if word == VARIABLES:
        return Settle(samples=None, stratum=None, by="one variable")
    if word == CACHE_UNOBSERVED:
        return Settle(samples=None, stratum=None, by="cache status")
    if word == DB_CALLS_UNREPORTED:
        return Settle(samples=None, stratum=None, by="database calls")
    if word == CONTROL_TOO_FEW:
        return Settle(samples=None, stratum=None, by="control")
    if word == MIX_SHIFTED:
        return _of_a_stratum(figures, _scarcest(figures, figures.both.words))
    if word == NO_OVERLAP:
        return _of_a_stratum(figures, _lacking(figures))
    if word == TOO_FEW:
        return Settle(samples=_for_the_fewest(figures), stratum=None, by="more")
    return Settle(
        samples=_samples(figures, settings, word, what),
        stratum=None,
        by="slower" if figures.autocorrelation > STICKY else "more",
    )


def _of_a_stratum(figures: Figures, word: str | None) -> Settle:
    """Misses are asked for on purpose: luck has no part in them. Of others there must be more."""
    if word == MISS or (word and MISS in figures.both.words and word in figures.strata):
        return Settle(samples=None, stratum=MISS, by="misses")
    fewest = _fewest(figures, word) if word else 0
    samples = max(figures.n) * FEWEST_IN_A_STRATUM / fewest if fewest else None
    return Settle(samples=_bounded(samples, figures) if samples else None, stratum=word, by="more")


def _scarcest(figures: Figures, words: list[str]) -> str | None:
    return min(words, key=lambda word: _fewest(figures, word), default=None)


def _lacking(figures: Figures) -> str | None:
    """Of those that cannot be compared, the one with most of the traffic."""
    both = figures.both
    lacking = [word for word in both.words if word not in figures.strata]
    return max(lacking, key=lambda word: both.traffic[word], default=None)


def _fewest(figures: Figures, word: str) -> int:
    return min(int(here.sum()) for here in figures.both.compared(word))


def _for_the_fewest(figures: Figures) -> int | None:
    """The usual number; more where many answers were wrong. None: all were."""
    if not figures.is_enough:
        return USUAL
    right = min(figures.ok)
    return _bounded(max(USUAL, max(figures.n) * FEWEST / right), figures) if right else None


def _samples(figures: Figures, settings: Settings, word: str, name: str) -> int | None:
    if word == ERROR_RATE_ROSE and figures.rates:
        difference, (low, _) = figures.rates["diff"], figures.rates["robust"]
        return _needed(figures, difference - low, difference)
    if word == GUARDRAIL:
        found = next((one["interval"] for one in figures.guardrails if one["name"] == name), None)
        if not found:
            return USUAL if max(figures.n) < USUAL else None
        return _needed(figures, found[2] - found[0], settings.least - found[0])
    return _to_a_call(figures, settings)


def _to_a_call(figures: Figures, settings: Settings) -> int | None:
    """If the estimate stays: until it is beyond chance, or surely small."""
    interval = figures.adjusted
    if not interval or call_of(figures, settings) != "inconclusive":
        return None
    estimate, around = interval[0], _half(interval)
    ways = [_needed(figures, around, settings.even - abs(estimate))]
    if abs(estimate) >= settings.least:
        ways.append(_needed(figures, around, abs(estimate)))
    return min((way for way in ways if way), default=None)


def _half(interval: Interval) -> float:
    return (interval[2] - interval[1]) / 2


def _needed(figures: Figures, around: float, gap: float) -> int | None:
    """Intervals narrow with the square root of the samples. None: too many."""
    return _bounded(max(figures.n) * (_SURE * around / gap) ** 2, figures) if gap > 0 else None


def _bounded(samples: float, figures: Figures) -> int | None:
    """In tens, and more than there are."""
    needed = max(samples, max(figures.n) + 10)
    return math.ceil(needed / 10) * 10 if needed <= MOST else None
