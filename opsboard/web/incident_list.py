"""The list of incidents: those that are open, and those that ended, the last first."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db.models import FETCH_RAISE, Prefetch

from opsboard.incidents.models import Incident, IncidentPath, IncidentQuerySet
from opsboard.services.models import Service, Team
from opsboard.web.incident_day import NOT_A_DAY, Day, day_of, read_day
from opsboard.web.mine_page import ids_of_mine
from opsboard.web.sentences import incidents_head
from opsboard.web.turning import turn

FILTERS = ("mine", "team", "service", "environment", "day")
# The list's two pages besides: of those that are open, and of those that ended.
PAGES = (*FILTERS, "open", "page")


@dataclass(frozen=True, slots=True)
class Tab:
    """A link that shows mine only, or all. Their number is of all that the other filters leave."""

    words: str
    count: int
    url: str
    is_chosen: bool


def read_incidents(asked: Mapping[str, str], *, person: User, now: datetime) -> dict[str, Any]:
    """`asked`: ?mine=yes, ?team=pricing, ?service=fares-api, ?day=2026-11-28 and its environment.

    One that is unknown finds nothing; `mistake` says so of what is no day.
    """
    mine = ids_of_mine(person)
    chosen = {name: asked.get(name, "") for name in FILTERS}
    day, mistake = _day(chosen)
    every = Incident.objects.standing()
    found = _narrowed(every, chosen)
    found = found.none() if mistake else day.narrow(found) if day else found
    own = found.filter(service__in=mine or ())
    shown = own if chosen["mine"] else found
    places = Prefetch("paths", IncidentPath.objects.select_related("path"))
    incidents = shown.for_pages().select_related("below").prefetch_related(places)
    incidents = incidents.fetch_mode(FETCH_RAISE)
    newest = incidents.open().order_by("-opened_at", "-pk")
    over = incidents.filter(resolved_at__isnull=False).order_by("-resolved_at", "-pk")
    open_ones, open_turning = turn(newest, asked, "open", kept=PAGES)
    ended, turning = turn(over, asked, kept=PAGES)
    services = list(Service.objects.standing().order_by("name").values_list("slug", "name"))
    return {
        "now": now,
        "open": open_ones,
        "open_turning": open_turning,
        "ended": ended,
        "turning": turning,
        "mistake": mistake,
        # Of all that hurts, whatever is filtered: a filter must not say that nothing does.
        "head": incidents_head(every.open().count()),
        "chosen": chosen,
        "is_filtered": any(chosen.values()),
        "tabs": [] if mine is None else _tabs(own.count(), found.count(), chosen),
        "teams": list(Team.objects.standing().order_by("name").values_list("slug", "name")),
        "services": services,
    } | (read_day(day, dict(services), incidents=shown.count(), now=now) if day else {})


def _day(chosen: Mapping[str, str]) -> tuple[Day | None, str]:
    """The day that is asked for, or what is wrong with it."""
    try:
        return day_of(chosen), ""
    except ValueError:
        return None, f"“{chosen['day'][:40]}” {NOT_A_DAY}"


def _narrowed(incidents: IncidentQuerySet, chosen: Mapping[str, str]) -> IncidentQuerySet:
    if chosen["team"]:
        incidents = incidents.filter(service__team__slug=chosen["team"])
    if chosen["service"]:
        incidents = incidents.filter(service__slug=chosen["service"])
    if chosen["environment"]:
        incidents = incidents.filter(environment__slug=chosen["environment"])
    return incidents


def _tabs(own: int, every: int, chosen: Mapping[str, str]) -> list[Tab]:
    """Mine first: what a person of a team looks for."""
    kept = {name: chosen[name] for name in FILTERS if chosen[name] and name != "mine"}
    is_mine = bool(chosen["mine"])
    return [
        Tab("Mine", own, "?" + urlencode(kept | {"mine": "yes"}), is_mine),
        Tab("All", every, "?" + urlencode(kept), not is_mine),
    ]
