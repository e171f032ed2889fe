"""What the page of one critical path shows, in one of its environments."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from opsboard.alerts.hearing import Audience
from opsboard.alerts.holding import Overlays
from opsboard.board.declarations import declaring
from opsboard.probes.models import Exchange, Kind, Probe, microseconds, moment
from opsboard.probes.path_states import PathNow, path_now
from opsboard.probes.rendering import address
from opsboard.probes.rules import State
from opsboard.services.addresses import host_of
from opsboard.services.models import CriticalPath, Environment
from opsboard.services.rota import Duties, rotas_of
from opsboard.services.saying import connection_lines, heartbeat_lines
from opsboard.web import measuring
from opsboard.web.before_after import moved_rows, rows_before_after
from opsboard.web.board_rows import MINUTE, NOW_SPAN
from opsboard.web.broken import by_path, why
from opsboard.web.change_list import changes_of_path
from opsboard.web.chart import data_of, finding
from opsboard.web.chart_marks import marks_of
from opsboard.web.drawing import TOLD, draw, untold_row
from opsboard.web.expected import limits_for, lines_of
from opsboard.web.locations import locations_of
from opsboard.web.measurements import Figure, Limits, Measured, figures
from opsboard.web.notes_for import in_use, way_back
from opsboard.web.path_history import history, last_probes, newest_seen
from opsboard.web.path_parts import Found, read_found, thing_of
from opsboard.web.path_place import Place
from opsboard.web.reporting import untold_by
from opsboard.web.series import RANGES, Range, Series, read_series, read_with_table
from opsboard.web.step_rows import step_rows
from opsboard.web.uptime import uptime_of
from opsboard.web.who_hears import who_hears_of_path
from opsboard.web.words import SECOND, clock

TAKEN_WITHIN = 15 * SECOND


def read_path_page(
    place: Place, chosen: Range, *, is_poll: bool, may_edit: bool, now: datetime
) -> dict[str, Any]:
    path, environment = place.path, place.environment
    standing, limits = path_now(place.probes, now=now), limits_for(path)
    at, ids = microseconds(now), [probe.pk for probe in place.probes]
    measured = measuring.whole(ids, since=at - NOW_SPAN, until=at + MINUTE)
    seen = newest_seen(place.probes)
    found = read_found(place, standing, seen, chosen, is_poll=is_poll, may_edit=may_edit, now=now)
    note = way_back(path, in_use(found))
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
        "incident": by_path(found["incidents"], environment=environment.slug).get(path.pk),
        "overlays": Overlays.of(found, now=now),
        "declaration": declaring(found["declarations"], thing_of(path)),
        "asked": asked_words(place.probes, now=now),
        "address": target_words(path, environment),
        "step_rows": step_rows(
            path.steps, newest.facts.get("steps", []), is_stale=standing.is_stale
        ),
        "connection_lines": list(connection_lines(path.connection)),
        "heartbeat_lines": list(heartbeat_lines(path.heartbeat)),
        "most_redirects": path.connection.get("redirects", "five"),
        "lines": lines_of(path, newest, is_stale=standing.is_stale),
        "hearing": who_hears_of_path(Audience(now, found), path, environment.slug),
        "on_duty": Duties(rotas_of(found), now=now).of(path.owning_team.pk),
        "measured": measured,
        "figures": _figures(path, measured, limits, standing),
        "untold": untold_by(path, measured),
        "last_probes": last_probes(place.probes, seen, found),
        "has_traces": may_edit and path.kind == CriticalPath.Kind.HTTP,
        "has_locations": len(place.probes) > 1,
        "locations": locations_of(place.probes, now=now),
        "history": history(place.probes, found),
        "exchanges": exchanges(found["exchanges"]) if may_edit else [],
        "range": chosen,
        "ranges": list(RANGES.values()),
    } | (_moving if is_poll else _whole)(standing, chosen, found, now=now)


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


def exchanges(newest: Iterable[Exchange]) -> list[dict[str, Any]]:
    """The newest replies that failed, for editors: a reply may hold what is not for everybody."""
    return [
        {"at": moment(one.slot_at), "slot_at": one.slot_at, "status": one.status}
        | {"headers": one.headers, "excerpt": one.excerpt}
        for one in sorted(newest, key=attrgetter("slot_at"), reverse=True)
    ]


def _moving(standing: PathNow, chosen: Range, found: Found, *, now: datetime) -> dict[str, Any]:
    """What a poll gets of the chart: nothing is drawn, and ranges of hours change once an hour."""
    if chosen.is_rolled:
        return {}
    limits = limits_for(standing.path)
    series = read_series(standing, chosen, limits, found["stood"], now=now)
    return {"chart": data_of(replace(series, marks=marks_of(found)))}


def _whole(standing: PathNow, chosen: Range, found: Found, *, now: datetime) -> dict[str, Any]:
    """The chart, and what is below it."""
    environment, probes = standing.probes[0].environment, standing.probes
    limits = limits_for(standing.path)
    series, table = read_with_table(standing, chosen, limits, found["stood"], now=now)
    series = replace(series, marks=marks_of(found))
    return {
        "chart": data_of(series),
        "series": series,
        "drawing": draw(series),
        "untold_rows": {name: untold_row(name, series) for name in TOLD},
        "finding": finding(series, chosen.words),
        "uptime": uptime_of(series.standing, environment, found["windows"]),
        "table": table_rows(table),
        "changes": changes_of_path(standing.path, now=now),
        "moved": moved_rows(environment, probes, now=now),
        "before_after": rows_before_after(found["deploys"], probes, now=now),
    }


def table_rows(series: Series) -> list[dict[str, Any]]:
    """The chart as a table, newest last; steps without a probe are left out."""
    return [
        {"at": at, "measured": point, "phases": point.phases}
        for at, point in zip(series.times, series.points, strict=True)
        if point.probes
    ]
