"""The newest version of services' rollback notes, and how they were rehearsed: two queries."""

from collections.abc import Collection

from django.db.models import OuterRef, Subquery

from opsboard.releases.facts import NoteSeen
from opsboard.releases.persons import person_in
from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.rehearsing import rehearsals_of
from opsboard.rollbacks.rules import RehearsalSeen, steps_digest


def read_way_back(
    services: Collection[int],
) -> tuple[dict[int, NoteSeen], dict[int, list[RehearsalSeen]]]:
    """Both by the service's id. The notes of single paths are not a service's way back."""
    newest = NoteVersion.objects.filter(note=OuterRef("note")).order_by("-number")
    versions = NoteVersion.objects.filter(
        note__service__in=services, note__path=None, pk=Subquery(newest.values("pk")[:1])
    ).annotate(person=person_in("checked_by"))
    notes: dict[int, NoteSeen] = {}
    note_ids: dict[int, int] = {}
    for row in versions.values(
        "note_id", "note__service_id", "number", "steps", "checked_at", "person"
    ):
        service_id = row["note__service_id"]
        note_ids[service_id] = row["note_id"]
        notes[service_id] = NoteSeen(
            number=row["number"],
            steps_digest=steps_digest(row["steps"]),
            checked_at=row["checked_at"],
            checked_by=row["person"],
        )
    rehearsals = rehearsals_of(note_ids.values()) if note_ids else {}
    return notes, {service: rehearsals[note] for service, note in note_ids.items()}
