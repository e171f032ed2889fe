"""Holding a change, so that one thing at a time is done to it."""

from datetime import datetime

from opsboard.changes.models import Change, Comparison
from opsboard.changes.refusing import Refused


def hold(change: Change) -> Change:
    """As it is now. Nobody else does anything to it until the transaction ends."""
    found = Change.objects.select_for_update(of=("self",)).select_related(
        "service", "path", "environment", "control"
    )
    return found.get(pk=change.pk)


def hold_standing(change: Change) -> Change:
    """Like `hold`, of one that may go on. Raises Refused."""
    held = hold(change)
    refuse_withdrawn(held)
    if gone := gone_of(held):
        raise Refused(gone)
    return held


def gone_of(change: Change) -> str:
    """What of its place was removed, in a sentence; "": nothing was."""
    if change.service.removed_at:
        return f"The service {change.service.slug} was removed."
    if change.environment.removed_at:
        return f"The environment {change.environment.slug} was removed."
    if change.path.removed_at:
        return f"The path {change.path.slug} was removed."
    return ""


def refuse_withdrawn(change: Change) -> None:
    if change.withdrawn_at is not None:
        raise Refused(
            f"{change} was withdrawn at {change.withdrawn_at:%F %H:%M} UTC: declare another one."
        )


def hold_open(comparison: Comparison) -> Comparison:
    """As it is now, with its change held first. Raises Refused when it is over."""
    change = hold_standing(comparison.change)
    held = Comparison.objects.select_for_update().get(pk=comparison.pk)
    held.change = change
    if held.judged_at is not None:
        raise Refused(
            f"{held} was judged at {said_at(held.judged_at)}: repeat it to measure again."
        )
    if held.given_up_at is not None:
        raise Refused(f"{held} was given up: {held.given_up_because} Repeat it to measure again.")
    return held


def said_at(moment: datetime) -> str:
    return f"{moment:%F %H:%M} UTC"
