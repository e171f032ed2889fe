"""What the page of one critical path shows, in one of its environments."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from opsboard.probes.models import Exchange, Kind, Probe, microseconds, moment
from opsboard.probes.path_states import PathNow, path_now
from opsboard.probes.rendering import address
from opsboard.probes.rules import State
from opsboard.services.addresses import host_of
from opsboard.services.models import CriticalPath, Environment
from opsboard.services.saying import connection_lines, heartbeat_lines
from opsboard.web import measuring
from opsboard.web.board_rows import MINUTE, NOW_SPAN
from opsboard.web.broken import open_incidents, why
from opsboard.web.chart import data_of, finding
from opsboard.web.chart_marks import read_marks
from opsboard.web.drawing import draw
from opsboard.web.expected import limits_for, lines_of
from opsboard.web.locations import locations_of
from opsboard.web.measurements import Figure, Limits, Measured, figures
from opsboard.web.notes_for import Notes
from opsboard.web.overview import PRODUCTION
from opsboard.web.path_history import history, last_probes
from opsboard.web.series import RANGES, Range, Series, read_series
from opsboard.web.step_rows import step_rows
from opsboard.web.who_hears import who_hears_of_path
from opsboard.web.words import SECOND, clock

EXCHANGES_SHOWN = 5
TAKEN_WITHIN = 15 * SECOND


@dataclass(frozen=True, slots=True)
class Place:
    """A path in one of the environments it is probed in."""

    path: CriticalPath
    environment: Environment
    # One for each location.
    probes: list[Probe]
    # All environments it is probed in, production first.
    environments: list[str]


def find_place(path: CriticalPath, environment: str | None) -> Place | None:
    """None when the path is not probed there; without a name its first environment."""
    by_slug = probes_of(path)
    slugs = sorted(by_slug, key=lambda slug: (slug != PRODUCTION, slug))
    chosen = environment or (slugs[0] if slugs else "")
    if chosen not in by_slug:
        return None
    probes = by_slug[chosen]
    return Place(path, probes[0].environment, probes, slugs)


def probes_of(path: CriticalPath) -> dict[str, list[Probe]]:
    """By environment: those that are asked, and those that are only paused."""
    by_slug: dict[str, list[Probe]] = defaultdict(list)
    wanted = {environment.pk for environment in path.environments.all()}
    standing = path.probes.filter(environment__removed_at=None)
    for probe in standing.select_related("environment").order_by("location"):
        # The very same sheet, with all that was read of it.
        probe.path = path
        is_shown = probe.ended_at is None or path.paused_at is not None
        if is_shown and (not wanted or probe.environment_id in wanted):
            by_slug[probe.environment.slug].append(probe)
    return by_slug


def read_path_page(
    place: Place, chosen: Range, *, is_poll: bool, may_edit: bool, now: datetime
) -> dict[str, Any]:
    path, environment = place.path, place.environment
    standing = path_now(place.probes, now=now)
    notes, limits = Notes([path.service_id]), limits_for(path)
    note = notes.of_path(path)
    at, ids = microseconds(now), [probe.pk for probe in place.probes]
    measured = measuring.whole(ids, since=at - NOW_SPAN, until=at + MINUTE)
    incident = open_incidents([path.pk], environment=environment.slug).get(path.pk)
    newest = max(place.probes, key=lambda probe: probe.observed_at or 0)
    return {
        "path": path,
        "service": path.service,
        "environment": environment,
        "environments": place.environments,
        "standing": standing,
        "why": why(standing, now=now),
        "note": note,
        "note_is_own": note is not None and note.note.path_id is not None,
        "incident": incident,
        "asked": asked_words(place.probes, now=now),
        "address": target_words(path, environment),
        "step_rows": step_rows(
            path.steps, newest.facts.get("steps", []), is_stale=standing.is_stale
        ),
        "connection_lines": list(connection_lines(path.connection)),
        "heartbeat_lines": list(heartbeat_lines(path.heartbeat)),
        "most_redirects": path.connection.get("redirects", "five"),
        "lines": lines_of(path, newest, is_stale=standing.is_stale),
        "hearing": who_hears_of_path(path, environment.slug, now=now),
        "measured": measured,
        "figures": _figures(path, measured, limits, standing),
        "last_probes": last_probes(place.probes),
        "has_traces": may_edit and path.kind == CriticalPath.Kind.HTTP,
        "has_locations": len(place.probes) > 1,
        "locations": locations_of(place.probes, now=now),
        "history": history(path, place.probes, note, now=now),
        "exchanges": exchanges(place.probes) if may_edit else [],
        "range": chosen,
        "ranges": list(RANGES.values()),
    } | _chart(standing, chosen, is_poll=is_poll, now=now)


def _figures(
    path: CriticalPath, measured: Measured, limits: Limits, standing: PathNow
) -> list[Figure]:
    """Caches and databases are told by HTTP only."""
    found = figures(measured, limits, is_failing=standing.state is State.FAILING)
    return found if path.kind == CriticalPath.Kind.HTTP else found[:2]


def target_words(path: CriticalPath, environment: Environment) -> str:
    """What is asked in this place: "GET https://fares.internal/price", "db.internal:5432"."""
    if path.kind == CriticalPath.Kind.HTTP:
        return f"{path.method} {address(environment.base_url, path.route, '')}"
    if path.route.startswith(":"):
        return f"{host_of(environment.base_url)}{path.route}"
    return path.route


def asked_words(probes: Sequence[Probe], *, now: datetime) -> str:
    """What to say while a person's probe has not answered yet; "" when nobody waits for one."""
    waiting = [p for p in probes if p.ask_now_at and p.ask_now_kind == Kind.ASKED_NOW]
    if not waiting:
        return ""
    asked_at = min(probe.ask_now_at or 0 for probe in waiting)
    if microseconds(now) - asked_at < waiting[0].timeout + TAKEN_WITHIN:
        return "Asked. The answer appears here within seconds."
    return f"Asked at {clock(moment(asked_at), now)}, and no worker has taken it yet."


def exchanges(probes: Sequence[Probe]) -> list[dict[str, Any]]:
    """The newest replies that failed, for editors: a reply may hold what is not for everybody."""
    newest = Exchange.objects.filter(probe__in=probes).order_by("-slot_at")[:EXCHANGES_SHOWN]
    return [
        {"at": moment(one.slot_at), "slot_at": one.slot_at, "status": one.status}
        | {"headers": one.headers, "excerpt": one.excerpt}
        for one in newest
    ]


def _chart(standing: PathNow, chosen: Range, *, is_poll: bool, now: datetime) -> dict[str, Any]:
    """A poll draws nothing, and of ranges of hours it reads nothing: they change once an hour."""
    if is_poll and chosen.is_rolled:
        return {}
    limits = limits_for(standing.path)
    series = read_series(standing, chosen, limits, now=now)
    environment = standing.probes[0].environment
    marks = read_marks(standing.path, environment, since=series.start, until=series.end)
    series = replace(series, marks=marks)
    if is_poll:
        return {"chart": data_of(series)}
    table = read_series(standing, chosen, limits, now=now, step=chosen.table_step)
    return {
        "chart": data_of(series),
        "series": series,
        "drawing": draw(series),
        "finding": finding(series, chosen.words),
        "table": table_rows(table),
    }


def table_rows(series: Series) -> list[dict[str, Any]]:
    """The chart as a table, newest last; steps without a probe are left out."""
    return [
        {"at": at, "measured": point, "phases": point.phases}
        for at, point in zip(series.times, series.points, strict=True)
        if point.probes
    ]
