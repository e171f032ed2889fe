"""The list of incidents: those that are open, and the last that ended."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import FETCH_RAISE, QuerySet

from opsboard.incidents.models import Incident
from opsboard.services.models import Service, Team
from opsboard.web.mine_page import ids_of_mine
from opsboard.web.sentences import incidents_head

RESOLVED_SHOWN = 50


def read_incidents(asked: Mapping[str, str], *, person: User, now: datetime) -> dict[str, Any]:
    """`asked`: ?mine=yes, ?team=pricing, ?service=fares-api. One that is unknown finds nothing."""
    mine = ids_of_mine(person)
    chosen = {name: asked.get(name, "") for name in ("mine", "team", "service")}
    standing = Incident.objects.standing().for_pages().select_related("below")
    found = _narrowed(standing, chosen, mine)
    incidents = found.prefetch_related("paths__path").fetch_mode(FETCH_RAISE)
    open_ones = list(incidents.open().order_by("-opened_at"))
    ended = incidents.filter(resolved_at__isnull=False).order_by("-resolved_at")
    return {
        "now": now,
        "open": open_ones,
        "ended": list(ended[:RESOLVED_SHOWN]),
        "head": incidents_head(len(open_ones)),
        "chosen": chosen,
        "is_filtered": any(chosen.values()),
        "is_in_a_team": mine is not None,
        "teams": list(Team.objects.standing().order_by("name").values_list("slug", "name")),
        "services": list(Service.objects.standing().order_by("name").values_list("slug", "name")),
    }


def _narrowed(
    incidents: QuerySet[Incident], chosen: Mapping[str, str], mine: set[int] | None
) -> Any:
    if chosen["mine"]:
        incidents = incidents.filter(service__in=mine or ())
    if chosen["team"]:
        incidents = incidents.filter(service__team__slug=chosen["team"])
    if chosen["service"]:
        incidents = incidents.filter(service__slug=chosen["service"])
    return incidents
