"""The way back of an incident: which notes, in which order, and how far somebody has got."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User

from opsboard.incidents import rollback
from opsboard.incidents.beginnings import failed_at
from opsboard.incidents.models import Incident, IncidentPath
from opsboard.incidents.rollback import Rollback
from opsboard.releases.models import Release
from opsboard.rollbacks.known import Released
from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.rehearsing import rehearsals_of, state_of
from opsboard.rollbacks.rules import RehearsalSeen
from opsboard.rollbacks.words import NOTHING, Known, fill_steps
from opsboard.services.models import CriticalPath
from opsboard.web.notes_for import Notes, WayBack
from opsboard.web.rehearsed import Word, rehearsed_for, rehearsed_of, written_for

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
    # Of the words in its steps: what is not known, in sentences.
    unknown: tuple[str, ...] = ()
    # What its rehearsals are worth, and for which release; "": no more is to be said.
    rehearsed: Word | None = None
    of_release: str = ""
    # Whether it is of the release that failed; None: nobody can say.
    written: Word | None = None

    @property
    def is_older(self) -> bool:
        return self.version.pk != self.note.version.pk

    @property
    def done(self) -> int:
        return sum(step.done is not None for step in self.steps)


@dataclass(frozen=True, slots=True)
class Failed:
    """The release that failed, as far as it is known."""

    known: Known = NOTHING
    migrations: Sequence[str] = ()


def failed_release(incident: Incident) -> Failed:
    """The newest that was told in its environment before it began. Two queries at most."""
    place = incident.environment_id
    known = Released([place]).known(place, until=failed_at(incident))
    if not known.version:
        return Failed(known)
    named = Release.objects.filter(service=incident.service_id, version=known.version)
    return Failed(known, named.values_list("migrations", flat=True).first() or ())


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


def ways_of(incident: Incident, places: Sequence[IncidentPath], *, now: datetime) -> list[Way]:
    """One rollback at a time: while it is followed, the other notes are read only."""
    started = rollback.of(incident)
    notes = notes_of(incident, places)
    failed = failed_release(incident) if notes else Failed()
    rehearsals = rehearsals_of([note.note.pk for note in notes]) if notes else {}
    return [_way(note, started, failed, rehearsals[note.note.pk], now=now) for note in notes]


def _way(
    note: WayBack,
    rolled: Rollback | None,
    failed: Failed,
    rehearsals: Sequence[RehearsalSeen],
    *,
    now: datetime,
) -> Way:
    """Progress is of the version it was started with; of one that is gone there is none."""
    is_followed = rolled is not None and rolled.note_id == note.note.pk
    version, done = note.version, {}
    if rolled is not None and is_followed:
        done = rolled.done
        if version.pk != rolled.version_id:
            version = NoteVersion.objects.get(pk=rolled.version_id)
    filled = fill_steps(version.steps, failed.known)
    state = state_of(version, rehearsals, migrations=failed.migrations, now=now)
    return Way(
        note,
        version,
        rolled if is_followed else None,
        _steps(filled.steps, done),
        is_free=rolled is None,
        unknown=filled.unknown,
        rehearsed=rehearsed_of(state, now=now),
        of_release=rehearsed_for(state, failed.known),
        written=written_for(version.steps, failed.known),
    )


def _steps(steps: Sequence[Mapping[str, str]], done: Mapping[int, Done]) -> list[Step]:
    return [
        Step(
            number=number,
            do=step.get("do", ""),
            run=step.get("run", ""),
            see=step.get("see", ""),
            call=step.get("call", ""),
            done=done.get(number),
        )
        for number, step in enumerate(steps, start=1)
    ]
