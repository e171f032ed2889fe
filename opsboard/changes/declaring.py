"""Declaring a change: what is changed and how it will be measured, before anything is."""

from datetime import datetime
from typing import Any

from django.db import transaction

from opsboard.changes.baselines import give_up
from opsboard.changes.holding import hold, refuse_withdrawn
from opsboard.changes.models import Change, Comparison
from opsboard.changes.refusing import Refused
from opsboard.changes.wanting import Wanted, as_kept, check, wanted_of
from opsboard.people import audit
from opsboard.people.audit import Actor

__all__ = ["Wanted", "check", "declare", "edit", "wanted_of", "withdraw"]

# What may still be said when a baseline was opened, until the change was applied.
STILL_OPEN = ("title", "purpose", "version", "commit", "assumptions", "commands")


@transaction.atomic
def declare(wanted: Wanted, *, by: Actor, now: datetime) -> Change:
    """Raises Refused with the first problem that `check` finds."""
    _refuse_problems(wanted)
    change = Change.objects.create(
        **as_kept(wanted), declared_at=now, declared_by=by.person, declared_as=by.who[:120]
    )
    audit.record(by, "added", "change", str(change), now=now, after=_as_known(as_kept(wanted)))
    return change


@transaction.atomic
def edit(change: Change, wanted: Wanted, *, by: Actor, now: datetime) -> None:
    """Settings are locked once a baseline was opened, all of it once it was applied."""
    held = hold(change)
    refuse_withdrawn(held)
    before, after = as_kept(wanted_of(held)), as_kept(wanted)
    different = [name for name in after if after[name] != before[name]]
    if not different:
        return
    attempts = Comparison.objects.filter(change=held)
    locked = [name for name in different if name not in STILL_OPEN]
    if attempts.filter(applied_at__isnull=False).exists():
        raise Refused(f"{held} was applied: what was said of it before stays. Declare another one.")
    if locked and attempts.exists():
        raise Refused(
            f"A baseline of {held} was opened: {locked[0].replace('_', ' ')} cannot be edited "
            "any more. Declare another change."
        )
    _refuse_problems(wanted)
    Change.objects.filter(pk=held.pk).update(**{name: after[name] for name in different})
    audit.record(
        by, "changed", "change", str(held), now=now,
        before=_as_known(before), after=_as_known(after),
    )  # fmt: skip
    change.refresh_from_db()


@transaction.atomic
def withdraw(change: Change, *, by: Actor, now: datetime) -> None:
    """It will not be measured any more. An open attempt is given up; what was measured stays."""
    held = hold(change)
    if held.withdrawn_at is None:
        if attempt := Comparison.objects.open().filter(change=held).first():
            give_up(attempt, "The change was withdrawn.", by=by, now=now)
        Change.objects.filter(pk=held.pk).update(withdrawn_at=now, withdrawn_by=by.person)
        audit.record(by, "withdrew", "change", str(held), now=now)
    change.refresh_from_db(fields=["withdrawn_at", "withdrawn_by"])


def _refuse_problems(wanted: Wanted) -> None:
    if problems := check(wanted):
        raise Refused(next(iter(problems.values())))


def _as_known(kept: dict[str, Any]) -> dict[str, object]:
    """For the audit log: things by their short names."""
    return {name.replace("_", " "): getattr(value, "slug", value) for name, value in kept.items()}
