"""The list of releases: those that wait, soonest first, and what became of those that went out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import FETCH_RAISE, Count, F, Model, Q, QuerySet, Window

from opsboard.releases.aftermath import Aftermath, read_aftermath
from opsboard.releases.models import Decision, Release
from opsboard.releases.reading import read_readiness
from opsboard.services.models import Environment
from opsboard.web.mine_page import ids_of_mine
from opsboard.web.release_words import (
    Glance,
    glance,
    glance_now,
    missing_words,
    releases_head,
    who_decided,
    who_named,
)
from opsboard.web.turning import Turning

# Readiness is computed for each that is shown: the list is bounded so that it stays quick.
SHOWN = 20
LAST_PAGE = 1000
COLUMNS = {
    "service": "service__slug",
    "team": "service__team__slug",
    "environment": "environment_slug",
}


@dataclass(frozen=True, slots=True)
class WaitingRow:
    release: Release
    glance: Glance
    missing: str
    by: str


@dataclass(frozen=True, slots=True)
class ReleasedRow:
    release: Release
    glance: Glance
    # "Released anyway" when it was not ready; "".
    anyway: str
    # None: nothing is known of what became of it.
    since: Aftermath | None
    at: datetime
    by: str


def read_releases(asked: Mapping[str, str], *, person: User, now: datetime) -> dict[str, Any]:
    """`asked`: ?service=fares-api, ?team=pricing, ?environment=production, ?mine=yes and pages."""
    chosen = {name: asked.get(name, "") for name in (*COLUMNS, "mine")}
    mine = ids_of_mine(person) if chosen["mine"] else None
    narrow = _narrowing(chosen, mine)
    waiting, turning = _page(_waiting().filter(narrow("")), "waiting", asked)
    released, older = _page(_first_decisions().filter(narrow("release__")), "released", asked)
    rows = _waiting_rows(waiting, now=now)
    ready = sum(row.glance.verdict.css == "pass" for row in rows)
    return {
        "now": now,
        "waiting": rows,
        "released": _released_rows(released, now=now),
        "turning": turning,
        "older": older,
        "head": releases_head(ready, len(rows), turning.count),
        "chosen": chosen,
        "is_filtered": any(chosen.values()),
    } | _choices()


def _narrowing(chosen: Mapping[str, str], mine: set[int] | None) -> Callable[[str], Q]:
    """The condition of what was asked for, of a release or of what has one."""
    wanted: dict[str, Any] = {"service__in": mine or ()} if chosen["mine"] else {}
    for name, column in COLUMNS.items():
        if chosen[name]:
            wanted[column] = chosen[name]
    return lambda of: Q(**{of + column: value for column, value in wanted.items()})


def _waiting() -> QuerySet[Release]:
    soonest = F("planned_at").asc(nulls_last=True)
    releases = Release.objects.waiting().select_related("service__team", "named_by")
    return releases.defer(*_unread("")).order_by(soonest, "named_at", "pk")


def _first_decisions() -> QuerySet[Decision]:
    """With which each release went out where it goes: what came after is on its own page."""
    return (
        Decision.objects.filter(
            kind__in=[Decision.Kind.RELEASED, Decision.Kind.RELEASED_ANYWAY],
            environment_slug=F("release__environment_slug"),
            at=F("release__released_at"),
            release__service__removed_at=None,
        )
        .select_related("by", "release__service__team")
        .defer(*_unread("release__"))
        .order_by("-at", "-pk")
    )


def _unread(of: str) -> list[str]:
    """What is long of a service, and not looked at in a row."""
    return [f"{of}service__{column}" for column in ("links", "tags", "facts")]


def _page[Row: Model](
    found: QuerySet[Row], name: str, asked: Mapping[str, str]
) -> tuple[list[Row], Turning]:
    """One page, counted in the same query. A page after the last is empty, and leads back."""
    number = page_number(asked.get(name, ""))
    start = (number - 1) * SHOWN
    counted: Any = found.annotate(count=Window(Count("pk"))).fetch_mode(FETCH_RAISE)
    rows = list(counted[start : start + SHOWN])
    count = rows[0].count if rows else 0
    is_more = start + len(rows) < count
    return rows, Turning(
        count,
        start + 1,
        start + len(rows),
        _query(asked, name, number - 1) if number > 1 else "",
        _query(asked, name, number + 1) if is_more else "",
    )


def page_number(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(LAST_PAGE))
    return min(max(int(text), 1), LAST_PAGE) if is_number else 1


def _query(asked: Mapping[str, str], name: str, number: int) -> str:
    kept = {key: asked[key] for key in (*COLUMNS, "mine", "waiting", "released") if asked.get(key)}
    return "?" + urlencode(kept | {name: number})


def _waiting_rows(releases: Sequence[Release], *, now: datetime) -> list[WaitingRow]:
    known = read_readiness(releases, now=now) if releases else {}
    return [
        WaitingRow(
            release,
            glance_now(known[release.pk]),
            missing_words(known[release.pk]),
            who_named(release),
        )
        for release in releases
    ]


def _released_rows(decisions: Sequence[Decision], *, now: datetime) -> list[ReleasedRow]:
    became = read_aftermath([one.release for one in decisions], now=now) if decisions else {}
    return [_released_row(one, became.get(one.release_id)) for one in decisions]


def _released_row(decision: Decision, since: Aftermath | None) -> ReleasedRow:
    is_anyway = decision.kind == Decision.Kind.RELEASED_ANYWAY
    return ReleasedRow(
        decision.release,
        glance(decision.snapshot),
        "released anyway" if is_anyway else "",
        since,
        decision.at,
        who_decided(decision),
    )


def _choices() -> dict[str, list[tuple[str, str]]]:
    """What may be filtered by, in one query: what has no environment has no release either."""
    rows = Environment.objects.standing().values_list(
        "slug", "service__slug", "service__name", "service__team__slug", "service__team__name"
    )
    services, teams, environments = set(), set(), set()
    for environment, slug, name, team, team_name in rows:
        services.add((slug, name))
        teams.add((team, team_name))
        environments.add((environment, environment))
    return {
        "services": sorted(services, key=lambda pair: pair[1].lower()),
        "teams": sorted(teams, key=lambda pair: pair[1].lower()),
        "environments": sorted(environments),
    }
