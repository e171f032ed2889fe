"""The newest version of services' rollback notes, and how they were rehearsed: two queries."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from django.db.models import F, OuterRef, Subquery, Window
from django.db.models.functions import RowNumber

from opsboard.releases.facts import NoteSeen
from opsboard.releases.persons import person_in
from opsboard.rollbacks.models import NoteVersion, Rehearsal
from opsboard.rollbacks.rules import RehearsalSeen, steps_digest

# One that worked further back than so many others makes no rehearsal required.
MOST_READ = 20
_REHEARSAL = (
    *("pk", "version__note_id", "version__number", "at", "steps_digest", "migrations", "worked"),
    *("seconds", "environment_slug", "release", "by_name", "person"),
)


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
    return notes, _rehearsals(note_ids)


def _rehearsals(note_ids: Mapping[int, int]) -> dict[int, list[RehearsalSeen]]:
    """The newest of each note, of any of its versions, without what was remarked."""
    nth = Window(RowNumber(), partition_by=F("version__note_id"), order_by=F("at").desc())
    rows = Rehearsal.objects.filter(version__note__in=note_ids.values())
    newest = rows.annotate(nth=nth, person=person_in("by")).filter(nth__lte=MOST_READ)
    service_of = {note: service for service, note in note_ids.items()}
    found: dict[int, list[RehearsalSeen]] = defaultdict(list)
    for row in newest.values(*_REHEARSAL):
        found[service_of[row["version__note_id"]]].append(
            RehearsalSeen(
                rehearsal_id=row["pk"],
                at=row["at"],
                steps_digest=row["steps_digest"],
                migrations=tuple(row["migrations"]),
                worked=row["worked"],
                seconds=row["seconds"],
                environment=row["environment_slug"],
                release=row["release"],
                version=row["version__number"],
                by=row["person"] or row["by_name"],
            )
        )
    return found
