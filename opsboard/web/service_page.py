"""What the page of one service shows, in one of its environments."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import FETCH_RAISE, F, Prefetch, Q

from opsboard.incidents.models import Incident, IncidentPath
from opsboard.probes.path_states import PathNow, paths_now, shown_probes
from opsboard.probes.rules import State, worst
from opsboard.releases.models import Release
from opsboard.services.about import Link
from opsboard.services.models import Environment, Service
from opsboard.web import strips
from opsboard.web.board_history import read_history
from opsboard.web.board_rows import Asked, Numbers, numbers_of
from opsboard.web.neighbours import Around, Neighbour, read_around
from opsboard.web.notes_for import Notes, WayBack
from opsboard.web.overview import in_order
from opsboard.web.sentences import service_state
from opsboard.web.service_days import availability_of, days_of, maintenance_of
from opsboard.web.who_hears import who_hears_of_service

INCIDENTS_SHOWN = 10
RELEASES_SHOWN = 5
# How the paths stand, what each asks, and what it asks of the answer.
LIGHT = (
    *("environment_id", "location", "interval", "timeout", "ended_at", "leases_lost"),
    *("state", "state_since", "reason", "observed_at"),
    *("path_id", "path__service_id", "path__owner_id", "path__slug", "path__name"),
    *("path__expected_result", "path__kind", "path__interval", "path__method", "path__route"),
    *("path__steps", "path__heartbeat", "path__paused_at"),
)


@dataclass(frozen=True, slots=True)
class PathRow:
    now: PathNow
    numbers: Numbers
    note: WayBack | None
    # The same path in the other environments, in their order; None: not probed there.
    elsewhere: list[PathNow | None]


def read_service_page(
    service: Service, environment: str | None, *, now: datetime
) -> dict[str, Any] | None:
    """The context of the page; None when the service has no such environment."""
    around = read_around(service, now=now)
    slugs = in_order(one.slug for one in around.environments)
    chosen = environment or slugs[0]
    if chosen not in slugs:
        return None
    paths, states_around = _paths(service, around, chosen, now=now)
    here = sorted(paths[chosen], key=lambda path: path.rank)
    notes = Notes([service.pk])
    place = next((one for one in around.environments if one.slug == chosen), None)
    others = [slug for slug in slugs if slug != chosen]
    days = days_of([place.pk] if place else [], now=now)
    kept = days[place.pk] if place else []
    bars = strips.bars(kept, today=now.date())
    states = [path.state for path in here]
    state = worst(states)
    return {
        "service": service,
        "environment": chosen,
        "environments": slugs,
        "runs_in": around.environments,
        "on_duty": around.on_duty,
        "place": place,
        "others": others,
        "state": state,
        "state_words": service_state(states, state),
        "since": min((path.since for path in here if path.state is state), default=None),
        "rows": _rows(here, notes, {slug: paths[slug] for slug in others}, now=now),
        "note": notes.of_service(service.pk),
        # The way back of what fails, if anything does.
        "way_back": _way_back(here, notes),
        "bars": bars,
        "examples": strips.examples_words(bars),
        "availability": availability_of(kept),
        "maintenance": maintenance_of(kept),
        "hearing": who_hears_of_service(service, chosen, now=now),
        "links": links_of(service),
        "facts": [
            (name, type(value).__name__, value) for name, value in sorted(service.facts.items())
        ],
        "incidents": incidents_of(service, place),
        "releases": releases_of(service),
        "calls": [Neighbour(one, states_around.get(one.pk)) for one in around.calls],
        "called_by": [Neighbour(one, states_around.get(one.pk)) for one in around.called_by],
    }


def links_of(service: Service) -> list[Link]:
    """Repository, runbook and chat first, the others in the order written."""
    first = {name: place for place, name in enumerate(("repository", "runbook", "chat"))}
    return sorted(service.links, key=lambda link: first.get(link["name"].lower(), len(first)))


def _paths(
    service: Service, around: Around, chosen: str, *, now: datetime
) -> tuple[dict[str, list[PathNow]], dict[int, State]]:
    """Its own by environment, and the state of each service around it there. One query."""
    slugs = {one.pk: one.slug for one in around.environments}
    of_others = Q(path__service__in=around.neighbours, environment__slug=chosen)
    probes = shown_probes().filter(Q(path__service=service) | of_others)
    own: dict[str, list[PathNow]] = defaultdict(list)
    states: dict[int, list[State]] = defaultdict(list)
    for path in paths_now(probes.select_related("path").only(*LIGHT), now=now):
        if path.path.service_id == service.pk:
            own[slugs[path.probes[0].environment_id]].append(path)
        else:
            states[path.path.service_id].append(path.state)
    return own, {pk: worst(found) for pk, found in states.items()}


def _rows(
    here: Sequence[PathNow], notes: Notes, others: Mapping[str, Sequence[PathNow]], *, now: datetime
) -> list[PathRow]:
    asked = [Asked.of(path) for path in here]
    history = read_history([], [pk for one in asked for pk in one.probe_ids], now=now)
    numbers = numbers_of(asked, history, now=now)
    by_id = [{path.path.pk: path for path in paths} for paths in others.values()]
    return [
        PathRow(
            now=path,
            numbers=numbers[path.path.pk],
            note=notes.of_path(path.path),
            elsewhere=[paths.get(path.path.pk) for paths in by_id],
        )
        for path in here
    ]


def _way_back(paths: Sequence[PathNow], notes: Notes) -> WayBack | None:
    hurting = [path for path in paths if path.state in (State.FAILING, State.WARNING)]
    return notes.of_path(hurting[0].path) if hurting else None


def releases_of(service: Service) -> list[Release]:
    """Those that wait, the soonest first, and below them the last that went out. One query."""
    known = Release.objects.filter(service=service, withdrawn_at=None)
    newest = F("released_at").desc(nulls_first=True)
    rows = known.order_by(newest, F("planned_at").asc(nulls_last=True), "-named_at", "-pk")
    return list(rows.fetch_mode(FETCH_RAISE)[:RELEASES_SHOWN])


def incidents_of(service: Service, place: Environment | None) -> list[Incident]:
    """The newest first, with their paths."""
    if place is None:
        return []
    incidents = Incident.objects.filter(service=service, environment=place)
    return list(
        incidents.select_related("resolved_by")
        .prefetch_related(Prefetch("paths", IncidentPath.objects.select_related("path")))
        .order_by("-opened_at")
        .fetch_mode(FETCH_RAISE)[:INCIDENTS_SHOWN]
    )
