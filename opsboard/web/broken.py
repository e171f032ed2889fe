"""What is broken now: one item a path, worst first, each with its way back."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import FETCH_RAISE, QuerySet

from opsboard.incidents.linking import lowest_below
from opsboard.incidents.models import Incident, IncidentPath
from opsboard.probes.models import moment
from opsboard.probes.path_states import PathNow
from opsboard.probes.rules import State
from opsboard.services.models import CriticalPath
from opsboard.services.rota import Duties, OnDuty
from opsboard.web.incident_notes import notes_of, places_of
from opsboard.web.notes_for import Notes, WayBack
from opsboard.web.overview import Overview
from opsboard.web.paths_seen import PathSeen
from opsboard.web.words import clock, kept_together, reason_sentence

# More are counted, and found by the filter below: a page of hundreds helps nobody.
MOST_ITEMS = 10
PARAGRAPHS = re.compile(r"\r?\n\s*\n")
NOBODY_KNOWS = "The path may be fine: nobody knows."


@dataclass(frozen=True, slots=True)
class Item:
    path: CriticalPath
    state: State
    since: int
    why: str
    # Paths of the same service about which nothing is known either.
    more: int
    note: WayBack | None
    incident: Incident | None
    # The open incident of a service below, whose note is then offered. None: it stands for itself.
    below: Incident | None
    is_heard: bool
    # Of the owning team.
    on_duty: OnDuty | None

    @property
    def cause(self) -> str:
        """What was put into service before it began; "": nothing, or it is in no incident."""
        cause = self.incident.cause if self.incident else {}
        return kept_together(cause["sentence"]) if cause.get("deploy") else ""

    @property
    def is_failing(self) -> bool:
        return self.state is State.FAILING

    @property
    def is_unknown(self) -> bool:
        return self.state is State.NO_DATA

    @property
    def notices(self) -> str:
        """The first paragraph of where the user notices: the rest is on the path's page."""
        return PARAGRAPHS.split(self.path.user_notices.strip())[0]

    @property
    def said(self) -> str:
        """What is read out when the item appears: "Price a crossing is failing"."""
        words = {State.FAILING: "is failing", State.WARNING: "has a warning"}
        return f"{self.path.name} {words.get(self.state, 'has no data')}"


def groups_of(overview: Overview) -> list[list[PathSeen]]:
    """Each path that does not pass alone; the silent ones of one service together: one cause."""
    groups: dict[object, list[PathSeen]] = defaultdict(list)
    for path in overview.broken:
        together = path.state is State.NO_DATA
        groups[("service", path.service_id) if together else path.pk].append(path)
    return list(groups.values())


def items_of(
    groups: Sequence[Sequence[PathSeen]],
    overview: Overview,
    sheets: Mapping[int, CriticalPath],
    incidents: Mapping[int, Incident],
    duties: Duties,
    *,
    now: datetime,
) -> list[Item]:
    """One query, and six for each incident of a service below that others wait for.

    `sheets` and `incidents` (open ones): by the id of the first path of each group.
    """
    notes = Notes(group[0].service_id for group in groups)
    lower = _lower(incidents[group[0].pk] for group in groups if group[0].pk in incidents)
    heard = {one.pk: one.is_heard for one in overview.services}
    items = []
    for first, more in ((group[0], len(group) - 1) for group in groups):
        sheet, incident = sheets[first.pk], incidents.get(first.pk)
        below = lower.get(incident.below_id) if incident else None
        items.append(
            Item(
                path=sheet,
                state=first.state,
                since=first.since,
                why=why(first, now=now),
                more=more,
                note=below.note if below else notes.of_path(sheet),
                incident=incident,
                below=below.incident if below else None,
                is_heard=heard[first.service_id],
                on_duty=duties.of(sheet.owning_team.pk),
            )
        )
    return items


def sheets_of(path_ids: Iterable[int]) -> dict[int, CriticalPath]:
    """With service, team and owner, by id. One query."""
    paths = CriticalPath.objects.select_related("service__team", "owner")
    return paths.fetch_mode(FETCH_RAISE).in_bulk(set(path_ids))


def open_places() -> QuerySet[IncidentPath]:
    """Where paths are in open incidents, which are at hand with where they are and who has them."""
    places = IncidentPath.objects.filter(left_at=None, incident__resolved_at=None)
    return places.select_related("incident__acknowledged_by", "incident__environment")


def by_path(places: Iterable[IncidentPath], *, environment: str) -> dict[int, Incident]:
    """The open incident there of each path that is in one."""
    incidents = ((place.path_id, place.incident) for place in places)
    return {pk: one for pk, one in incidents if one.environment.slug == environment}


@dataclass(frozen=True, slots=True)
class Below:
    """The incident whose way back comes first, and that way."""

    incident: Incident
    note: WayBack | None


def _lower(incidents: Iterable[Incident]) -> dict[int | None, Below]:
    """By the incident that others are linked to; of one that has ended there is none."""
    linked = {one.below_id: one for one in incidents if one.below_id is not None}
    found = {below: lowest_below(one) for below, one in linked.items()}
    return {
        below: Below(lower, next(iter(notes_of(lower, places_of(lower))), None))
        for below, lower in found.items()
        if lower
    }


def why(path: PathNow | PathSeen, *, now: datetime) -> str:
    """Why a path is as it is, as a sentence that a person can act on."""
    if path.state is State.NO_DATA:
        return f"{_why_unknown(path, now)} {NOBODY_KNOWS}"
    return reason_sentence(path.reason)


def _why_unknown(path: PathNow | PathSeen, now: datetime) -> str:
    if path.reason:
        return reason_sentence(path.reason)
    if path.observed_at is None:
        return "It was never asked yet."
    return f"Nothing was recorded since {clock(moment(path.observed_at), now)}."
