"""A verdict that is none may need other settings than its change has: they are declared anew."""

from typing import Any, cast

from opsboard.changes.models import Change, Comparison
from opsboard.changes.rules.judged import Judged, Settle

# A burst cannot ask more seldom.
SLOWEST = 0.1


def settle_of(comparison: Comparison | None) -> Settle | None:
    if comparison is None or comparison.judged_at is None:
        return None
    return cast(Judged, comparison.result).get("settle")


def other_settings(change: Change, settle: Settle | None) -> dict[str, Any]:
    """The fields of a change that would have to be others for it to be settled. {}: none has to."""
    if settle is None:
        return {}
    by, samples = settle["by"], settle["samples"] or 0
    more = {"samples": samples} if samples > change.samples else {}
    if by == "misses":
        return more | _misses(change)
    if by == "slower" and change.sampling == Change.Sampling.BURST:
        return more | {"rate": max(change.rate / 2, SLOWEST)}
    if by == "one variable" and len(change.variables) > 1:
        return {"variables": []}
    return more


def _misses(change: Change) -> dict[str, Any]:
    """A program that sends samples may send misses alone; Opsboard has to be told to ask so."""
    if change.sampling == Change.Sampling.SENT:
        return {}
    if change.sampling == Change.Sampling.BURST and change.mode == Change.Mode.MISSES:
        return {}
    return {"sampling": Change.Sampling.BURST, "mode": Change.Mode.MISSES}
