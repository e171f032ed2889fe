"""What is broken now: one item a path, worst first, each with its way back."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import FETCH_RAISE

from opsboard.incidents.linking import lowest_below
from opsboard.incidents.models import Incident, IncidentPath
from opsboard.probes.models import moment
from opsboard.probes.path_states import PathNow
from opsboard.probes.rules import State
from opsboard.services.models import CriticalPath
from opsboard.web.incident_notes import notes_of, places_of
from opsboard.web.notes_for import Notes, WayBack
from opsboard.web.overview import Overview
from opsboard.web.words import clock, sentence

BROKEN = (State.FAILING, State.WARNING, State.NO_DATA)
# More are counted, and found by the filter below: a page of hundreds helps nobody.
MOST_ITEMS = 20
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


def broken(overview: Overview, *, now: datetime) -> tuple[list[Item], int]:
    """The items, and how many more there are.

    Four queries, and six for each incident of a service below that others wait for.
    """
    groups = _groups(path for path in overview.paths if path.state in BROKEN)
    shown = groups[:MOST_ITEMS]
    ids = [group[0].path.pk for group in shown]
    sheets = _sheets(ids)
    notes = Notes(sheet.service_id for sheet in sheets.values())
    incidents = open_incidents(ids, environment=overview.environment)
    lower = _lower(incidents.values())
    heard = {row.service.pk: row.is_heard for row in overview.services}
    items = []
    for group in shown:
        sheet = sheets[group[0].path.pk]
        incident = incidents.get(sheet.pk)
        below = lower.get(incident.below_id) if incident else None
        items.append(
            Item(
                path=sheet,
                state=group[0].state,
                since=group[0].since,
                why=why(group[0], now=now),
                more=len(group) - 1,
                note=below.note if below else notes.of_path(sheet),
                incident=incident,
                below=below.incident if below else None,
                is_heard=heard[sheet.service_id],
            )
        )
    return items, len(groups) - len(shown)


def _groups(paths: Iterable[PathNow]) -> list[list[PathNow]]:
    """Each path alone; the silent ones of one service together, for they have one cause."""
    groups: dict[object, list[PathNow]] = defaultdict(list)
    for path in paths:
        together = path.state is State.NO_DATA
        groups[("service", path.path.service_id) if together else path.path.pk].append(path)
    return list(groups.values())


def _sheets(ids: Sequence[int]) -> dict[int, CriticalPath]:
    if not ids:
        return {}
    paths = CriticalPath.objects.select_related("service__team", "owner")
    return paths.fetch_mode(FETCH_RAISE).in_bulk(ids)


def open_incidents(path_ids: Sequence[int], *, environment: str) -> dict[int, Incident]:
    """The open incident of each path that is in one."""
    places = IncidentPath.objects.filter(
        path__in=path_ids,
        left_at=None,
        incident__resolved_at=None,
        incident__environment__slug=environment,
    ).select_related("incident__acknowledged_by")
    return {place.path_id: place.incident for place in places} if path_ids else {}


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


def why(path: PathNow, *, now: datetime) -> str:
    """Why a path is as it is, as a sentence that a person can act on."""
    if path.state is State.NO_DATA:
        return f"{_why_unknown(path, now)} {NOBODY_KNOWS}"
    return sentence(path.reason)


def _why_unknown(path: PathNow, now: datetime) -> str:
    if path.reason:
        return sentence(path.reason)
    if path.observed_at is None:
        return "It was never asked yet."
    return f"Nothing was recorded since {clock(moment(path.observed_at), now)}."
