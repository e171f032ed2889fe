"""Changes in the words and marks of lists: the verdict, the effect, what is being varied. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from opsboard.changes.models import Change, Comparison
from opsboard.changes.rules.judged import (
    ERROR_RATE,
    GUARDRAIL,
    STRATUM,
    Interval,
    Judged,
)
from opsboard.changes.rules.power import detectable, tellable
from opsboard.web.release_words import Verdict
from opsboard.web.words import MINUS

Word = Comparison.Verdict

VERDICTS: Mapping[str, Verdict] = {
    Word.IMPROVED: Verdict("Improved", "better", "pass"),
    Word.REGRESSED: Verdict("Regressed", "worse", "fail"),
    Word.NO_CHANGE: Verdict("No change", "same", "none"),
    Word.INCONCLUSIVE: Verdict("Inconclusive", "unsure", "nodata"),
    Word.CONFOUNDED: Verdict("Confounded", "mixed", "warn"),
    Word.INVALID: Verdict("Invalid", "none", "none"),
}
# Of these no figure says what the change did.
NOT_COMPARED = {Word.CONFOUNDED, Word.INVALID}
MANY = {"hit": "hits", "miss": "misses", "bypass": "requests past the cache"}
# Of these only the range does: one figure would be taken for an effect.
WITHIN = {Word.NO_CHANGE, Word.INCONCLUSIVE}


@dataclass(frozen=True, slots=True)
class Effect:
    """How much more or less it became: "+34%", and the range that it lies in, "+28 to +39%"."""

    # "": only the range can be said.
    words: str
    # "": there is none. It says what the figure is of, where that is something else.
    range: str


def effect_of(comparison: Comparison | None) -> Effect | None:
    """None: there is no verdict, or none that a figure goes with."""
    if comparison is None or not comparison.verdict or comparison.verdict in NOT_COMPARED:
        return None
    judged = cast(Judged, comparison.result)
    reason, _, of_what = judged.get("reason", "").partition("=")
    if reason == ERROR_RATE and (rates := judged.get("error_rate")):
        return Effect(f"{signed(round(100 * rates['diff']))} points", "wrong answers")
    if reason == GUARDRAIL and comparison.verdict == Word.REGRESSED:
        return Effect("", "something guarded")
    if reason == STRATUM:
        found, more = judged.get("strata", {}).get(of_what), f" on {MANY.get(of_what, of_what)}"
    else:
        found, more = _deciding(judged), ""
    if not found:
        return None
    if judged.get("metric") == "db calls":
        more = f" calls{more}"
    estimate, low, high = (percent(ratio) for ratio in found)
    words = "" if comparison.verdict in WITHIN else f"{signed(estimate)}%"
    if words and low == high:
        return Effect(words, more.strip())
    return Effect(words, f"{signed(low)} to {signed(high)}%{more}")


def _deciding(judged: Judged) -> Interval | None:
    """Where the cache is what was changed, its luck is the change: then of all requests."""
    if judged.get("mix_shifted") and judged.get("changed") == ["cache"]:
        return judged.get("pooled")
    return judged.get("adjusted")


def percent(ratio: float) -> int:
    """A log ratio of after over before, as whole percent more (above zero) or less."""
    # What is a thousand times slower needs no exact figure, and must not overflow.
    return round(100 * math.expm1(min(ratio, 10.0)))


def signed(value: int) -> str:
    """ "+8", "0"; below zero with a real minus sign."""
    return f"+{value:,}" if value > 0 else f"{MINUS if value else ''}{abs(value)}"


def variables_words(variables: Sequence[str]) -> str:
    """ "Index"; "Index and configuration" when more than one is declared."""
    named = [str(Change.Variable(one).label) for one in variables if one in Change.Variable]
    first, *others = named or ["None"]
    if not others:
        return first
    *middle, last = [one.lower() for one in others]
    return f"{', '.join([first, *middle])} and {last}"


def finds_words(samples: int, margin: float) -> str:
    """What so many samples a side can find, said before anything is measured."""
    share = 1 - detectable(samples, margin=margin)
    return (
        f"With {samples:,} a side a difference of {math.ceil(100 * share)}% is found 9 times in "
        f"10, and as often that nothing changed within {math.ceil(100 * tellable(samples))}%, if "
        "times vary as those of most paths do."
    )
