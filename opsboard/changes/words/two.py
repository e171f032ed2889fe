"""The two sentences of every verdict and reason: what happened, and why or how sure that is."""

from collections.abc import Callable

from opsboard.changes.rules.judged import (
    CACHE_UNOBSERVED,
    CONTROL_TOO_FEW,
    DB_CALLS_UNREPORTED,
    ERROR_RATE,
    ERROR_RATE_ROSE,
    GUARDRAIL,
    MIX_SHIFTED,
    NO_OVERLAP,
    STRATUM,
    TOO_FEW,
    VARIABLES,
)
from opsboard.changes.words import caps, confounding, moving
from opsboard.changes.words.numbers import capital
from opsboard.changes.words.seen import Seen

type Two = tuple[str, str]

_OF_VERDICT: dict[str, Callable[[Seen], Two]] = {
    "improved": moving.improved,
    "regressed": moving.regressed,
    "no_change": moving.no_change,
    "inconclusive": moving.inconclusive,
    "confounded": confounding.by_the_cache,
    "invalid": confounding.not_the_same,
}
_OF_REASON: dict[tuple[str, str], Callable[[Seen], Two]] = {
    ("regressed", ERROR_RATE): caps.more_errors,
    ("regressed", STRATUM): moving.regressed_in_part,
    ("regressed", GUARDRAIL): caps.guarded,
    ("inconclusive", TOO_FEW): caps.too_few,
    ("inconclusive", NO_OVERLAP): caps.too_little_alike,
    ("inconclusive", ERROR_RATE_ROSE): caps.errors_rose,
    ("inconclusive", CACHE_UNOBSERVED): caps.cache_unobserved,
    ("inconclusive", GUARDRAIL): caps.guarded,
    ("inconclusive", DB_CALLS_UNREPORTED): caps.calls_unreported,
    ("inconclusive", CONTROL_TOO_FEW): caps.control_too_few,
    ("confounded", MIX_SHIFTED): confounding.by_the_cache,
    ("confounded", NO_OVERLAP): confounding.nothing_alike,
    ("confounded", VARIABLES): confounding.by_variables,
}


def two_sentences(seen: Seen) -> Two:
    """Of a reason that is not known, what its verdict alone says."""
    verdict = seen.judged["verdict"]
    say = _OF_REASON.get((verdict, seen.reason), _OF_VERDICT[verdict])
    first, second = say(seen)
    return f"{capital(first)}.", f"{capital(second)}."
