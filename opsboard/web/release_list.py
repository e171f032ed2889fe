"""The list of releases: those that wait, soonest first, and what became of those that went out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import FETCH_RAISE, Count, F, QuerySet, Window

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

# Readiness is computed for each that is shown: the list is bounded so that it stays quick.
SHOWN = 25
LAST_PAGE = 1000
FILTERS = ("service", "team", "environment")


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


@dataclass(frozen=True, slots=True)
class Turning:
    """The pages of one of the two lists; "" where there is no such page."""

    count: int
    first: int
    last: int
    earlier: str
    later: str


def read_releases(asked: Mapping[str, str], *, person: User, now: datetime) -> dict[str, Any]:
    """`asked`: ?service=fares-api, ?team=pricing, ?environment=production, ?mine=yes and pages."""
    chosen = {name: asked.get(name, "") for name in (*FILTERS, "mine")}
    mine = ids_of_mine(person) if chosen["mine"] else None
    found = _narrowed(Release.objects.all(), chosen, mine)
    waiting, turning = _page(
        found.waiting().order_by(F("planned_at").asc(nulls_last=True), "named_at", "pk"),
        "waiting",
        asked,
    )
    released, older = _page(found.released().order_by("-released_at", "-pk"), "released", asked)
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


def _narrowed(releases: Any, chosen: Mapping[str, str], mine: set[int] | None) -> Any:
    if chosen["mine"]:
        releases = releases.filter(service__in=mine or ())
    if chosen["service"]:
        releases = releases.filter(service__slug=chosen["service"])
    if chosen["team"]:
        releases = releases.filter(service__team__slug=chosen["team"])
    if chosen["environment"]:
        releases = releases.filter(environment_slug=chosen["environment"])
    return releases


def _page(
    releases: QuerySet[Release], name: str, asked: Mapping[str, str]
) -> tuple[list[Release], Turning]:
    """One page, counted in the same query. A page after the last is empty, and leads back."""
    number = _page_number(asked.get(name, ""))
    start = (number - 1) * SHOWN
    counted = releases.select_related("service__team", "named_by").annotate(
        count=Window(Count("pk"))
    )
    rows: list[Any] = list(counted.fetch_mode(FETCH_RAISE)[start : start + SHOWN])
    count = rows[0].count if rows else 0
    is_more = start + len(rows) < count
    return rows, Turning(
        count,
        start + 1,
        start + len(rows),
        _query(asked, name, number - 1) if number > 1 else "",
        _query(asked, name, number + 1) if is_more else "",
    )


def _page_number(text: str) -> int:
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(LAST_PAGE))
    return min(max(int(text), 1), LAST_PAGE) if is_number else 1


def _query(asked: Mapping[str, str], name: str, number: int) -> str:
    kept = {key: asked[key] for key in (*FILTERS, "mine", "waiting", "released") if asked.get(key)}
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


def _released_rows(releases: Sequence[Release], *, now: datetime) -> list[ReleasedRow]:
    if not releases:
        return []
    decided = _first_decisions(releases)
    became = read_aftermath(releases, now=now)
    return [
        _released_row(one, decided.get(one.pk), became.get(one.pk), now=now) for one in releases
    ]


def _first_decisions(releases: Iterable[Release]) -> dict[int, Decision]:
    """With which each went out; what came after is on its own page."""
    went = [Decision.Kind.RELEASED, Decision.Kind.RELEASED_ANYWAY]
    rows = (
        Decision.objects.filter(
            release__in=list(releases),
            kind__in=went,
            environment_slug=F("release__environment_slug"),
        )
        .select_related("by")
        .order_by("-at", "-pk")
        .fetch_mode(FETCH_RAISE)
    )
    return {decision.release_id: decision for decision in rows}


def _released_row(
    release: Release, decision: Decision | None, since: Aftermath | None, *, now: datetime
) -> ReleasedRow:
    then = glance(decision.snapshot if decision else {})
    is_anyway = decision is not None and decision.kind == Decision.Kind.RELEASED_ANYWAY
    return ReleasedRow(
        release,
        then,
        "released anyway" if is_anyway else "",
        since,
        release.released_at or now,
        who_decided(decision) if decision else "nobody said",
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
