"""What a message has to know of its incidents, read at once: as many queries for one as for all."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from opsboard.alerts.duty import on_duty_of
from opsboard.alerts.models import Delivery
from opsboard.alerts.news import FailingPath
from opsboard.incidents.beginnings import failed_at
from opsboard.incidents.models import Incident, IncidentPath
from opsboard.probes.models import Probe
from opsboard.probes.rendering import address
from opsboard.probes.rules import State
from opsboard.rollbacks.known import Released
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.rollbacks.rehearsing import rehearsals_of, state_of
from opsboard.rollbacks.rules import RehearsalSeen
from opsboard.rollbacks.saying import rehearsed_words
from opsboard.rollbacks.words import NOTHING, fill_steps
from opsboard.services.models import CriticalPath


@dataclass(slots=True)
class Background:
    """By incident's id, unless it is said otherwise."""

    incidents: dict[int, Incident]
    places: dict[int, list[IncidentPath]] = field(default_factory=lambda: defaultdict(list))
    # By path and environment.
    probes: dict[tuple[int, int], Probe] = field(default_factory=dict)
    # By service and path; None for the path: the note of the whole service.
    notes: dict[tuple[int, int | None], RollbackNote] = field(default_factory=dict)
    # By team.
    on_duty: dict[int, User] = field(default_factory=dict)
    # By note; and what the words of steps stand for. None: there is no note to fill.
    rehearsals: dict[int, list[RehearsalSeen]] = field(default_factory=dict)
    released: Released | None = None
    now: datetime | None = None

    def paths_of(self, incident: Incident) -> tuple[FailingPath, ...]:
        return tuple(self._failing_path(incident, place) for place in self.places[incident.pk])

    def _failing_path(self, incident: Incident, place: IncidentPath) -> FailingPath:
        path, environment = place.path, incident.environment
        probe = self.probes.get((path.pk, environment.pk))
        clauses = probe.facts.get("clauses", []) if probe else []
        return FailingPath(
            name=path.name,
            # As written in the sheet: a secret stays the name of its variable.
            route=f"{path.method} {address(environment.base_url, path.route, '')}",
            reason=place.reason,
            clauses=tuple((c["clause"], c["got"]) for c in clauses if c["held"] is False),
            user_notices=path.user_notices,
            owner=_owner(path),
            url=f"{settings.URL}/services/{path.service.slug}/{path.slug}",
            is_watched=bool(probe and probe.ended_at is None),
        )

    def note_of(self, incident: Incident) -> dict[str, Any] | None:
        """The note of the first failing path that has one, else its service's, with its "url"."""
        service = incident.service
        keys = [(service.pk, place.path_id) for place in self.places[incident.pk]]
        for key in (*keys, (service.pk, None)):
            note = self.notes.get(key)
            if note is not None and note.current is not None:
                return self._told(incident, note, note.current)
        return None

    def _told(self, incident: Incident, note: RollbackNote, version: NoteVersion) -> dict[str, Any]:
        """Its steps for the release that failed, and what its rehearsals are worth."""
        below = f"/{note.path.slug}" if note.path else ""
        place = incident.environment_id
        released = self.released
        known = released.known(place, until=failed_at(incident)) if released else NOTHING
        filled = fill_steps(version.steps, known)
        now = self.now or incident.opened_at
        state = state_of(version, self.rehearsals.get(note.pk, []), now=now)
        return version.snapshot() | {
            "url": f"{settings.URL}/services/{incident.service.slug}{below}/rollback-note",
            "steps": filled.steps,
            "unknown": list(filled.unknown),
            "rehearsed": f"{rehearsed_words(state, now=now)}.",
        }


def read_incidents(deliveries: Iterable[Delivery]) -> dict[int, Incident]:
    """The incidents that deliveries tell of, with what a line about each needs. One query."""
    ids = {one.incident_id for one in deliveries if one.incident_id is not None}
    read = Incident.objects.select_related(
        "service__team",
        "environment",
        "acknowledged_by",
        "below__service",
        "below__environment",
    )
    return read.in_bulk(ids)


def read_background(
    incidents: Sequence[Incident], *, now: datetime, pretended: Sequence[IncidentPath] = ()
) -> Background:
    """All that the letters about a few incidents tell, with those below them.

    `pretended` stand for the failing paths of an incident that is made up.
    """
    below = [one.below for one in incidents if one.below is not None]
    everyone = [*incidents, *below]
    known = Background({one.pk: one for one in everyone}, now=now)
    places = IncidentPath.objects.filter(incident__in=known.incidents)
    stored = places.select_related("path__owner", "path__service__team").order_by("pk")
    for place in (*stored, *pretended):
        known.places[place.incident_id].append(place)
    known.probes = _probes(known)
    known.notes = _notes(known)
    if known.notes:
        known.rehearsals = rehearsals_of([note.pk for note in known.notes.values()])
        known.released = Released(one.environment_id for one in everyone)
    known.on_duty = on_duty_of({one.service.team for one in incidents}, at=now)
    return known


def _probes(known: Background) -> dict[tuple[int, int], Probe]:
    pairs = {
        (place.path_id, known.incidents[number].environment_id)
        for number, places in known.places.items()
        for place in places
    }
    probes = list(Probe.objects.filter(path__in={path for path, _ in pairs}))
    # Of several locations one that still asks, and of those one that fails, is heard.
    probes.sort(key=lambda one: (one.ended_at is None, one.state == State.FAILING, -one.pk))
    return {(one.path_id, one.environment_id): one for one in probes}


def _notes(known: Background) -> dict[tuple[int, int | None], RollbackNote]:
    services = {one.service_id for one in known.incidents.values()}
    paths = {place.path_id for places in known.places.values() for place in places}
    notes = RollbackNote.objects.filter(Q(path=None) | Q(path__in=paths), service__in=services)
    read = notes.select_related("path").prefetch_related("versions")
    return {(one.service_id, one.path_id): one for one in read}


def _owner(path: CriticalPath) -> str:
    team = path.owning_team
    return f"{team.name} ({team.contact})" if team.contact else team.name
