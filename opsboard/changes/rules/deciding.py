"""From figures to a verdict: each rule in its order, the first that speaks has it."""

from opsboard.changes.rules.figures import Figures
from opsboard.changes.rules.guardrails import FEWEST, unheld, worse
from opsboard.changes.rules.holm import adjusted, p_above
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
    Call,
    Verdict,
)
from opsboard.changes.rules.rates import has_risen, may_have_risen
from opsboard.changes.rules.settings import TIME, Settings
from opsboard.changes.rules.strata import LEAST_COVERAGE, MOST_UNKNOWN

# A stratum with less of the traffic makes no verdict alone.
_LEAST_TRAFFIC = 0.1
# One-sided, of all strata together.
_CHANCE = 0.025
_GOOD = ("improved", "no_change")

type Decided = tuple[Verdict, str]


def decide(figures: Figures, settings: Settings) -> Decided:
    return (
        _of_variables(settings)
        or _of_counts(figures)
        or _of_errors(figures)
        or _of_facts(figures, settings)
        or _of_overlap(figures, settings)
        or _of_mix(figures, settings)
        or _of_strata(figures, settings)
        or _of_call(figures, settings)
    )


def call_of(figures: Figures, settings: Settings) -> Call:
    """What the times (or calls) say by themselves.

    Where the cache is what was changed, its luck is the change, and all samples are the answer.
    """
    interval = figures.pooled if _mix_is_the_change(figures, settings) else figures.adjusted
    return settings.call(interval) if interval else "inconclusive"


def _mix_is_the_change(figures: Figures, settings: Settings) -> bool:
    return settings.variables == ["cache"] and figures.is_shifted


def _of_variables(settings: Settings) -> Decided | None:
    count = len(settings.variables)
    return ("confounded", f"{VARIABLES}={count}") if count != 1 else None


def _of_counts(figures: Figures) -> Decided | None:
    return None if figures.is_enough and figures.rates else ("inconclusive", TOO_FEW)


def _of_errors(figures: Figures) -> Decided | None:
    return ("regressed", ERROR_RATE) if figures.rates and has_risen(figures.rates) else None


def _of_facts(figures: Figures, settings: Settings) -> Decided | None:
    if min(figures.ok) < FEWEST:
        return "inconclusive", TOO_FEW
    if not figures.is_reported:
        return "inconclusive", DB_CALLS_UNREPORTED
    if min(figures.measured.right) < FEWEST:
        return "inconclusive", TOO_FEW
    if figures.has_control and settings.metric == TIME and not figures.control:
        return "inconclusive", CONTROL_TOO_FEW
    return None


def _of_overlap(figures: Figures, settings: Settings) -> Decided | None:
    if figures.measured.coverage >= LEAST_COVERAGE or _mix_is_the_change(figures, settings):
        return None
    return ("confounded" if figures.is_shifted else "inconclusive"), NO_OVERLAP


def _of_mix(figures: Figures, settings: Settings) -> Decided | None:
    if not figures.is_shifted or _mix_is_the_change(figures, settings):
        return None
    calls = {settings.call(one) if one else None for one in (figures.pooled, figures.adjusted)}
    return ("confounded", MIX_SHIFTED) if len(calls) != 1 else None


def _of_strata(figures: Figures, settings: Settings) -> Decided | None:
    """A good mean does not hide that one kind of request got slower."""
    if call_of(figures, settings) == "regressed":
        return None
    ps = adjusted([p_above(one, 0) for one in figures.strata.values()])
    traffic = figures.both.traffic
    for (word, interval), p in zip(figures.strata.items(), ps, strict=True):
        is_slower = settings.call(interval) == "regressed" and p <= _CHANCE
        if is_slower and traffic[word] >= _LEAST_TRAFFIC:
            return "regressed", f"{STRATUM}={word}"
    return None


def _of_call(figures: Figures, settings: Settings) -> Decided:
    call = call_of(figures, settings)
    if call == "regressed":
        return call, ""
    slipped = worse(figures.guardrails, settings)
    if slipped:
        return "regressed", f"{GUARDRAIL}={slipped['name']}"
    if figures.both.unknown > MOST_UNKNOWN:
        return "inconclusive", CACHE_UNOBSERVED
    if call not in _GOOD:
        return call, ""
    if figures.rates is None or may_have_risen(figures.rates):
        return "inconclusive", ERROR_RATE_ROSE
    blocking = unheld(figures.guardrails)
    return ("inconclusive", f"{GUARDRAIL}={blocking['name']}") if blocking else (call, "")
