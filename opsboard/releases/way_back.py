"""The newest version of services' rollback notes, and how they were rehearsed."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from django.db.models import F, OuterRef, Subquery, Window
from django.db.models.functions import RowNumber

from opsboard.releases.facts import NoteSeen
from opsboard.releases.persons import person_in
from opsboard.rollbacks.models import NoteVersion, Rehearsal
from opsboard.rollbacks.rules import RehearsalSeen, steps_digest
from opsboard.services.together import Found, Part

# One that worked further back than so many others makes no rehearsal required.
MOST_READ = 20
_NOTE = ("note__service_id", "number", "steps", "checked_at", "person")
_REHEARSAL = (
    *(
        "pk",
        "version__note__service_id",
        "version__number",
        "at",
        "steps_digest",
        "migrations",
        "worked",
    ),
    *("seconds", "environment_slug", "release", "by_name", "person"),
)


def parts_of_way_back(services: Collection[int]) -> dict[str, Part]:
    """What `notes_of` and `rehearsals_of` need, to be read in one query.

    The notes of single paths are not a service's way back.
    """
    newest = NoteVersion.objects.filter(note=OuterRef("note")).order_by("-number")
    versions = NoteVersion.objects.filter(
        note__service__in=services, note__path=None, pk=Subquery(newest.values("pk")[:1])
    ).annotate(person=person_in("checked_by"))
    # The newest of each note, of any of its versions, without what was remarked.
    nth = Window(RowNumber(), partition_by=F("version__note_id"), order_by=F("at").desc())
    rehearsals = Rehearsal.objects.filter(
        version__note__service__in=services, version__note__path=None
    ).annotate(nth=nth, person=person_in("by"))
    return {
        "notes": (versions, _NOTE),
        "rehearsals": (rehearsals.filter(nth__lte=MOST_READ), _REHEARSAL),
    }


def notes_of(rows: Iterable[Found]) -> dict[int, NoteSeen]:
    """By the service's id."""
    return {
        row["note__service_id"]: NoteSeen(
            number=row["number"],
            steps_digest=steps_digest(row["steps"]),
            checked_at=row["checked_at"],
            checked_by=row["person"],
        )
        for row in rows
    }


def rehearsals_of(rows: Iterable[Found]) -> dict[int, list[RehearsalSeen]]:
    """By the service's id."""
    found: dict[int, list[RehearsalSeen]] = defaultdict(list)
    for row in rows:
        found[row["version__note__service_id"]].append(
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
