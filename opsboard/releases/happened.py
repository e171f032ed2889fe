"""What happened where releases went, since the first of them went out: one query."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opsboard.incidents.models import Incident
from opsboard.releases.models import Decision, Release
from opsboard.services.together import Found, read_together

# The service, and the environment by its name in addresses.
type Where = tuple[int, str]
_DECISION = ("pk", "release__service_id", "environment_slug", "at", "kind", "release_id")
# An incident that is read so far asks for the rest of itself when that is read.
_INCIDENT = ("id", "service_id", "title", "opened_at", "acknowledged_at", "resolved_at")


@dataclass(frozen=True, slots=True)
class Happened:
    # (when, its kind, the release's id), oldest first.
    decisions: Mapping[Where, Sequence[tuple[datetime, str, int]]]
    # Oldest first.
    incidents: Mapping[Where, Sequence[Incident]]


def read_happened(gone: Sequence[Release]) -> Happened:
    """Of releases that went out."""
    services = {one.service_id for one in gone}
    slugs = {one.environment_slug for one in gone}
    since = min(one.released_at for one in gone if one.released_at)
    decided = Decision.objects.filter(
        release__service__in=services, environment_slug__in=slugs, at__gte=since
    )
    opened = Incident.objects.filter(
        service__in=services, environment__slug__in=slugs, opened_at__gte=since
    )
    found = read_together(
        decisions=(decided, _DECISION), incidents=(opened, (*_INCIDENT, "environment__slug"))
    )
    return Happened(_decisions(found["decisions"]), _incidents(found["incidents"]))


def _decisions(rows: Sequence[Found]) -> dict[Where, list[tuple[datetime, str, int]]]:
    there: dict[Where, list[tuple[datetime, str, int]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["at"], row["pk"])):
        where = row["release__service_id"], row["environment_slug"]
        there[where].append((row["at"], row["kind"], row["release_id"]))
    return there


def _incidents(rows: Sequence[Found]) -> dict[Where, list[Incident]]:
    there: dict[Where, list[Incident]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["opened_at"], row["id"])):
        values: list[Any] = [row[name] for name in _INCIDENT]
        incident = Incident.from_db("default", _INCIDENT, values)
        there[row["service_id"], row["environment__slug"]].append(incident)
    return there
