"""Going back during an incident: started, and each step marked. It runs nothing by itself.

What is done is read from the timeline, so that there is one truth.
"""

from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from opsboard.incidents.beginnings import failed_at
from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.rollbacks.known import Released
from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.words import fill

Act = TimelineEntry.Act
READ = [Act.REOPENED, Act.ROLLBACK_STARTED, Act.STEP_DONE, Act.STEP_UNDONE]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """The way back that is being gone, by one version of a note."""

    note_id: int
    version_id: int
    at: datetime
    by: User | None
    # How many steps there are, and those done by their number from 1: when, and by whom.
    steps: int
    done: dict[int, tuple[datetime, User | None]] = field(default_factory=dict)


def of(incident: Incident) -> Rollback | None:
    """The rollback that was started since the incident last began; None: none was."""
    rollback: Rollback | None = None
    entries = incident.timeline.filter(act__in=READ).select_related("by")
    for entry in entries.order_by("pk"):
        if entry.act == Act.REOPENED:
            rollback = None
        elif entry.act == Act.ROLLBACK_STARTED:
            rollback = _begun(entry)
        elif rollback is not None and entry.act == Act.STEP_DONE:
            rollback.done[entry.facts["step"]] = (entry.at, entry.by)
        elif rollback is not None:
            rollback.done.pop(entry.facts["step"], None)
    return rollback


def _begun(entry: TimelineEntry) -> Rollback:
    facts = entry.facts
    return Rollback(
        note_id=facts["note"],
        version_id=facts["version"],
        at=entry.at,
        by=entry.by,
        steps=facts["steps"],
    )


@transaction.atomic
def start(incident: Incident, version: NoteVersion, *, by: User, now: datetime) -> bool:
    """Start the clock. False: it is over, or a rollback has been started already."""
    held = Incident.objects.select_for_update().get(pk=incident.pk)
    if not held.is_open or of(held) is not None:
        return False
    facts = {
        "note": version.note_id,
        "version": version.pk,
        "number": version.number,
        "steps": len(version.steps),
    }
    held.timeline.create(at=now, act=Act.ROLLBACK_STARTED, by=by, text=version.title, facts=facts)
    return True


@transaction.atomic
def mark(incident: Incident, step: int, *, done: bool, by: User, now: datetime) -> bool:
    """Mark a step, counted from 1, as done or not. False: there is none such, or it is so."""
    held = Incident.objects.select_for_update().get(pk=incident.pk)
    rollback = of(held)
    if rollback is None or not 1 <= step <= rollback.steps or (step in rollback.done) == done:
        return False
    facts = {"note": rollback.note_id, "version": rollback.version_id, "step": step}
    act = Act.STEP_DONE if done else Act.STEP_UNDONE
    held.timeline.create(at=now, act=act, by=by, text=_what(held, rollback, step), facts=facts)
    return True


def _what(incident: Incident, rollback: Rollback, step: int) -> str:
    """What the step says, its words filled in. "" when its note has been removed since."""
    version = NoteVersion.objects.filter(pk=rollback.version_id).first()
    if version is None:
        return ""
    place = incident.environment_id
    known = Released([place]).known(place, until=failed_at(incident))
    return fill(str(version.steps[step - 1].get("do", "")), known)
