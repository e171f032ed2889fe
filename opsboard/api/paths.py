"""Critical paths: their sheets, and how they stand in each environment."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import FETCH_RAISE
from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query

from opsboard.api.answers import Answer, Page, Router, Time
from opsboard.api.finding import find_path, find_service
from opsboard.api.paging import Paging, page
from opsboard.api.services import NoteInUse, Standing, TeamSeen, note_json, read_standings
from opsboard.api.written import ms, name_of, team_json, time_of
from opsboard.probes.path_states import PathNow
from opsboard.rollbacks.newest import InUse
from opsboard.services.models import CriticalPath, Service
from opsboard.services.saying import connection_lines
from opsboard.services.steps import Step, read_steps

router = Router(tags=["paths"])


class PathStanding(Answer):
    slug: str = Field(description="The environment.")
    standing: Standing
    since: Time
    reason: str = Field(description='Why it stands so; "": it passes.')
    observed_at: Time | None = Field(description="null: not yet.")


class PathStep(Answer):
    name: str
    method: str
    route: str
    expected: list[str] = Field(description="The clauses of its own expected result.")
    take: dict[str, str] = Field(description="What later steps use, and where it stands.")
    always: bool = Field(description="It runs whatever became of those before it.")


class HeartbeatSeen(Answer):
    every_ms: float | None = Field(description="null: by cron.")
    cron: str = Field(description='"": by a period.')
    zone: str = Field(description="The time zone of cron.")
    grace_ms: float = Field(description="How long it may be late.")
    longest_ms: float | None = Field(description="How long it may run; null: any time.")


class PathSeen(Answer):
    slug: str
    name: str
    service: str
    owner: TeamSeen
    kind: str = Field(description="http, tcp, tls, dns or heartbeat.")
    method: str
    route: str = Field(description='Its meaning goes by kind; "": of steps and heartbeats.')
    cache_mode: str = Field(description="as is, warm, cold query or cold header.")
    connection: dict[str, str] = Field(description="How it connects, in words; {}: as usual.")
    steps: list[PathStep] = Field(description="Of a path of several; [] of any other.")
    heartbeat: HeartbeatSeen | None = Field(description="When it is due; null: it is asked.")
    expected: list[str] = Field(description="The clauses of the expected result.")
    user_notices: str = Field(description="What users notice when it fails.")
    slow_query_or_command: str
    missing: list[str] = Field(description="What the sheet still lacks.")
    interval_ms: float = Field(description="How often it is asked.")
    timeout_ms: float
    patience: int = Field(description="How many observations confirm a change.")
    patience_to_recover: int = Field(description="How many confirm that it is better again.")
    locations: list[str] = Field(description="Where it is asked from; []: the home of the board.")
    checked_by: str | None
    checked_at: Time | None = Field(description="When its sheet was reviewed; null: never.")
    paused_at: Time | None = Field(description="null: it is not paused.")
    environments: list[PathStanding]
    note: NoteInUse | None = Field(description="The way back in use; null: nobody wrote one.")


@router.get(
    "/services/{service}/paths", response=Page[PathSeen], summary="The critical paths of a service"
)
def paths(request: HttpRequest, service: str, asked: Query[Paging]) -> dict[str, Any]:
    """The critical paths of a service by name in addresses, each with its sheet."""
    one = find_service(request, service)
    found = one.paths.standing().select_related("service__team", "owner", "checked_by")
    one_page = page(found.fetch_mode(FETCH_RAISE), ["slug"], asked.cursor, asked.limit)
    one_page["items"] = _sheets(one, one_page["items"])
    return one_page


@router.get("/services/{service}/paths/{path}", response=PathSeen, summary="One critical path")
def path(request: HttpRequest, service: str, path: str) -> dict[str, Any]:
    """One critical path, with its sheet."""
    one = find_service(request, service)
    return _sheets(one, [find_path(one, path)])[0]


def _sheets(service: Service, paths: Sequence[CriticalPath]) -> list[dict[str, Any]]:
    """Three queries, however many there are."""
    places = dict(service.environments.standing().values_list("pk", "slug"))
    standings: dict[int, dict[str, PathNow]] = defaultdict(dict)
    for place, found in read_standings([service], now=timezone.now()).items():
        for one in found:
            standings[one.path.pk][places[place]] = one
    notes = InUse([service.pk])
    return [
        path_json(one, standings[one.pk])
        | {"note": note_json(notes.of_path(one.pk, one.service_id))}
        for one in paths
    ]


def path_json(path: CriticalPath, standings: Mapping[str, PathNow]) -> dict[str, Any]:
    """`standings` by the name of the environment."""
    return {
        "slug": path.slug,
        "name": path.name,
        "service": path.service.slug,
        "owner": team_json(path.owning_team),
        "kind": path.kind,
        "method": path.method,
        "route": path.route,
        "cache_mode": path.cache_mode,
        "connection": dict(connection_lines(path.connection)),
        "steps": [step_json(step) for step in read_steps(path.steps)],
        "heartbeat": heartbeat_json(path.heartbeat) if path.heartbeat else None,
        "expected": path.expected_result.splitlines(),
        "user_notices": path.user_notices,
        "slow_query_or_command": path.slow_query_or_command,
        "missing": path.missing,
        "interval_ms": ms(path.interval),
        "timeout_ms": ms(path.timeout),
        "patience": path.patience,
        "patience_to_recover": path.patience_to_recover or path.patience,
        "locations": path.locations,
        "checked_by": name_of(path.checked_by),
        "checked_at": time_of(path.checked_at),
        "paused_at": time_of(path.paused_at),
        "environments": [standing_json(slug, standings[slug]) for slug in sorted(standings)],
    }


def step_json(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "method": step.method,
        "route": step.route,
        "expected": list(step.expect),
        "take": dict(step.take),
        "always": step.always,
    }


def heartbeat_json(heartbeat: Mapping[str, Any]) -> dict[str, Any]:
    every, longest = heartbeat.get("every"), heartbeat.get("longest")
    return {
        "every_ms": ms(every) if every else None,
        "cron": heartbeat.get("cron", ""),
        "zone": heartbeat.get("zone") or "UTC",
        "grace_ms": ms(heartbeat.get("grace", 0)),
        "longest_ms": ms(longest) if longest else None,
    }


def standing_json(environment: str, path: PathNow) -> dict[str, Any]:
    return {
        "slug": environment,
        "standing": path.state.value,
        "since": time_of(path.since),
        "reason": path.reason,
        "observed_at": time_of(path.observed_at),
    }
