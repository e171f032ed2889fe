"""What the page of one service shows, in one of its environments."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import FETCH_RAISE, F

from opsboard.incidents.models import Incident
from opsboard.probes.path_states import PathNow, paths_now, shown_probes
from opsboard.probes.rules import State, worst
from opsboard.releases.models import Release
from opsboard.services.about import Link
from opsboard.services.models import Environment, Service
from opsboard.web import strips
from opsboard.web.board_rows import (
    Numbers,
    availability_of,
    days_of,
    maintenance_of,
    numbers_of,
)
from opsboard.web.neighbours import read_neighbours
from opsboard.web.notes_for import Notes, WayBack
from opsboard.web.overview import environments_of
from opsboard.web.sentences import service_state
from opsboard.web.who_hears import who_hears_of_service

INCIDENTS_SHOWN = 10
RELEASES_SHOWN = 5


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
    slugs = environments_of([service])
    chosen = environment or slugs[0]
    if chosen not in slugs:
        return None
    paths = {slug: _paths(service, slug, now) for slug in slugs}
    here = sorted(paths[chosen], key=lambda path: path.rank)
    notes = Notes([service.pk])
    place = next((one for one in service.environments.all() if one.slug == chosen), None)
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
    } | read_neighbours(service, chosen, now=now)


def links_of(service: Service) -> list[Link]:
    """Repository, runbook and chat first, the others in the order written."""
    first = {name: place for place, name in enumerate(("repository", "runbook", "chat"))}
    return sorted(service.links, key=lambda link: first.get(link["name"].lower(), len(first)))


def _paths(service: Service, environment: str, now: datetime) -> list[PathNow]:
    probes = shown_probes(environment=environment).filter(path__service=service)
    return paths_now(probes.select_related("path"), now=now)


def _rows(
    here: Sequence[PathNow], notes: Notes, others: Mapping[str, Sequence[PathNow]], *, now: datetime
) -> list[PathRow]:
    numbers = numbers_of(here, now=now)
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
        .prefetch_related("paths__path")
        .order_by("-opened_at")
        .fetch_mode(FETCH_RAISE)[:INCIDENTS_SHOWN]
    )
