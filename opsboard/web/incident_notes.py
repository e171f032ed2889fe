"""The way back of an incident: which notes, in which order, and how far somebody has got."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from opsboard.incidents import rollback
from opsboard.incidents.models import Incident, IncidentPath
from opsboard.incidents.rollback import Rollback
from opsboard.rollbacks.models import NoteVersion
from opsboard.services.models import CriticalPath
from opsboard.web.notes_for import Notes, WayBack

# When a step was marked done, and by whom; None for somebody whose account is gone.
type Done = tuple[datetime, User | None]


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    do: str
    run: str
    see: str
    call: str
    # When and by whom; None: not done, as far as anybody has said.
    done: Done | None


@dataclass(frozen=True, slots=True)
class Way:
    """One note on the page of an incident."""

    note: WayBack
    # The one that the rollback was started with, else the one in use.
    version: NoteVersion
    # None: nobody started it.
    started: Rollback | None
    steps: list[Step]
    # Whether it may be started: no other one is followed.
    is_free: bool = False

    @property
    def is_older(self) -> bool:
        return self.version.pk != self.note.version.pk

    @property
    def done(self) -> int:
        return sum(step.done is not None for step in self.steps)


def failed_at(incident: Incident) -> datetime:
    """What was released until then can be what failed; what came after was a try to mend it."""
    return incident.reopened_at or incident.opened_at


def notes_of(incident: Incident, places: Sequence[IncidentPath]) -> list[WayBack]:
    """In the order of the first failure; of an incident without a path the service's note."""
    if places:
        return ways_back(place.path for place in places)
    note = Notes([incident.service_id]).of_service(incident.service_id)
    return [note] if note else []


def ways_back(paths: Iterable[CriticalPath]) -> list[WayBack]:
    """The notes of failing paths in the order of the first failure, each once."""
    kept = list(paths)
    notes = Notes(path.service_id for path in kept)
    found = {way.note.pk: way for path in kept if (way := notes.of_path(path))}
    return list(found.values())


def places_of(incident: Incident) -> list[IncidentPath]:
    """Its paths in the order in which they began to fail."""
    return list(
        incident.paths.select_related("path__service__team", "path__owner").order_by(
            "joined_at", "pk"
        )
    )


def ways_of(incident: Incident, places: Sequence[IncidentPath]) -> list[Way]:
    """One rollback at a time: while it is followed, the other notes are read only."""
    started = rollback.of(incident)
    return [_way(note, started) for note in notes_of(incident, places)]


def _way(note: WayBack, rolled: Rollback | None) -> Way:
    """Progress is of the version it was started with; of one that is gone there is none."""
    if rolled is None or rolled.note_id != note.note.pk:
        return Way(note, note.version, None, _steps(note.version, {}), is_free=rolled is None)
    version = note.version
    if version.pk != rolled.version_id:
        version = NoteVersion.objects.get(pk=rolled.version_id)
    return Way(note, version, rolled, _steps(version, rolled.done))


def _steps(version: NoteVersion, done: Mapping[int, Done]) -> list[Step]:
    return [
        Step(
            number=number,
            do=step.get("do", ""),
            run=step.get("run", ""),
            see=step.get("see", ""),
            call=step.get("call", ""),
            done=done.get(number),
        )
        for number, step in enumerate(version.steps, start=1)
    ]
