"""The way in: two sides of samples, and what they come to."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from opsboard.changes.rules.db_calls import calls_of
from opsboard.changes.rules.deciding import decide
from opsboard.changes.rules.figures import Figures, figures_of
from opsboard.changes.rules.judged import Call, Judged
from opsboard.changes.rules.mix import bridge_of
from opsboard.changes.rules.samples import Samples
from opsboard.changes.rules.settings import Settings
from opsboard.changes.rules.settling import STICKY, settle_of
from opsboard.changes.rules.shifts import MOST_RANKED, step_of
from opsboard.changes.rules.times import ALL, bars_of, times_of

__all__ = ["Settings", "compare"]


def compare(
    before: Samples,
    after: Samples,
    settings: Settings,
    *,
    control: tuple[Samples, Samples] | None = None,
    guarded: Mapping[str, tuple[Samples, Samples]] | None = None,
) -> Judged:
    """`control`: a path the change should not touch, asked in the same windows.

    `guarded`: other paths by slug, for the guardrails "path:SLUG". Numbers come out plain and
    rounded to four places; nothing is NaN or infinite.
    """
    figures = figures_of(before, after, settings, control=control, guarded=guarded or {})
    verdict, reason = decide(figures, settings)
    judged: dict[str, Any] = {
        "verdict": verdict,
        "reason": reason,
        "n": figures.n,
        "changed": settings.variables,
        "ok": figures.ok,
        "metric": settings.metric,
        "margin": settings.margin,
        "equivalence": settings.equivalence or settings.margin,
        "notes": _notes(figures),
    }
    if figures.rates:
        judged["error_rate"] = figures.rates
    if figures.is_enough:
        judged |= _measured(figures, settings)
    if verdict in ("inconclusive", "confounded"):
        judged["settle"] = settle_of(figures, settings, reason)
    return cast(Judged, _plain(judged))


def _measured(figures: Figures, settings: Settings) -> dict[str, Any]:
    both = figures.both
    found: dict[str, Any] = {
        "level": figures.level,
        "mix": figures.mix,
        "mix_shifted": figures.is_shifted,
        "coverage": figures.measured.coverage,
        "strata": figures.strata,
        "guardrails": figures.guardrails,
        "autocorrelation": figures.autocorrelation,
        "cache_unknown": both.unknown,
        "is_inferred": both.is_inferred,
        "db_calls": calls_of(both),
    }
    if figures.pooled:
        found |= {"pooled": figures.pooled, "pooled_call": settings.call(figures.pooled)}
    if figures.adjusted:
        found |= {"adjusted": figures.adjusted, "adjusted_call": settings.call(figures.adjusted)}
    if figures.control:
        found["control"] = figures.control
    if figures.with_failures:
        found["with_failures"] = figures.with_failures
    if min(figures.ok):
        found |= {
            "times": times_of(both, _calls(figures, settings)),
            "bridge": _even(bridge_of(both)),
            "bars": bars_of(both),
        }
    return found


def _calls(figures: Figures, settings: Settings) -> dict[str, Call]:
    calls = {word: settings.call(interval) for word, interval in figures.strata.items()}
    return calls | ({ALL: settings.call(figures.pooled)} if figures.pooled else {})


def _even(bridge: Any) -> dict[str, float]:
    """Rounded so that the parts still make the whole."""
    rounded = {name: round(value, 4) for name, value in bridge.items()}
    rounded["within"] = rounded["after"] - rounded["before"] - rounded["mix"]
    return rounded


def _notes(figures: Figures) -> list[str]:
    notes = []
    step = step_of(figures.both)
    if step > 1 and figures.is_enough:
        notes.append(
            f"Of more than {MOST_RANKED:,} samples a side, one in {step} of each cache result was "
            "ranked, in order of time; counts, shares, means and errors are of all."
        )
    if figures.autocorrelation > STICKY:
        notes.append(
            f"Times follow the ones before them closely (autocorrelation "
            f"{figures.autocorrelation:.2f}): the intervals may be too narrow. Ask more slowly."
        )
    if figures.both.is_inferred:
        notes.append(
            "The cache did not say what it did: hits and misses are inferred from database calls."
        )
    return notes


def _plain(value: Any) -> Any:
    """For JSON: no number of numpy, none that JSON cannot hold, four places."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, float | np.floating):
        # Adding zero makes -0.0 plain.
        return round(float(value), 4) + 0.0 if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
