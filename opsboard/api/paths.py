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

router = Router(tags=["paths"])


class PathStanding(Answer):
    slug: str = Field(description="The environment.")
    standing: Standing
    since: Time
    reason: str = Field(description='Why it stands so; "": it passes.')
    observed_at: Time | None = Field(description="null: not yet.")


class PathSeen(Answer):
    slug: str
    name: str
    service: str
    owner: TeamSeen
    method: str
    route: str
    expected: list[str] = Field(description="The clauses of the expected result.")
    user_notices: str = Field(description="What users notice when it fails.")
    slow_query_or_command: str
    missing: list[str] = Field(description="What the sheet still lacks.")
    interval_ms: float = Field(description="How often it is asked.")
    timeout_ms: float
    patience: int = Field(description="How many observations confirm a change.")
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
        "method": path.method,
        "route": path.route,
        "expected": path.expected_result.splitlines(),
        "user_notices": path.user_notices,
        "slow_query_or_command": path.slow_query_or_command,
        "missing": path.missing,
        "interval_ms": ms(path.interval),
        "timeout_ms": ms(path.timeout),
        "patience": path.patience,
        "checked_by": name_of(path.checked_by),
        "checked_at": time_of(path.checked_at),
        "paused_at": time_of(path.paused_at),
        "environments": [standing_json(slug, standings[slug]) for slug in sorted(standings)],
    }


def standing_json(environment: str, path: PathNow) -> dict[str, Any]:
    return {
        "slug": environment,
        "standing": path.state.value,
        "since": time_of(path.since),
        "reason": path.reason,
        "observed_at": time_of(path.observed_at),
    }
