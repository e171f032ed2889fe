"""Services with their team, environments, what runs there, open hold and incident."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Exists, FilteredRelation, Max, OuterRef, Q, Subquery
from django.db.models.functions import Trim

from opsboard.incidents.models import Incident
from opsboard.releases.facts import IncidentSeen, PlaceSeen, ServiceSeen
from opsboard.releases.persons import person_in
from opsboard.releases.rules import Stop
from opsboard.services.models import ConfigKey, CriticalPath, Service
from opsboard.services.together import Found, Part

_COLUMNS = (
    *("pk", "slug", "tier", "team_id", "team__name", "has_config_keys", "longest_interval"),
    *("has_paths", "unwritten_path", "incident_id", "incident_title", "incident_at"),
    *("hold__reason", "hold__at", "hold__by_name", "held_by"),
    *("place__pk", "place__slug", "place__running__commit", "place__running__commit_since"),
    *("place__running__config_root", "place__running__told_at", "place__running__is_announced"),
    "place__version_route",
)


@dataclass(slots=True)
class Row:
    team_id: int
    seen: ServiceSeen
    hold: Stop | None
    # The longest interval of its critical paths.
    longest: timedelta
    places: dict[str, PlaceSeen] = field(default_factory=dict)
    # The ids of the environments, by their name in addresses.
    place_ids: dict[str, int] = field(default_factory=dict)


def rows_of(found: Iterable[Found]) -> dict[int, Row]:
    """By the service's id; what `part_of_services` gave has a row for each environment."""
    rows: dict[int, Row] = {}
    for row in found:
        service = rows.setdefault(row["pk"], _row(row))
        if slug := row["place__slug"]:
            service.places[slug] = _place(row)
            service.place_ids[slug] = row["place__pk"]
    return rows


def part_of_services(services: Collection[int]) -> Part:
    incidents = Incident.objects.open().standing().filter(service=OuterRef("pk"))
    newest = incidents.order_by("-opened_at", "-pk")
    paths = CriticalPath.objects.filter(service=OuterRef("pk"), removed_at=None)
    unwritten = paths.annotate(written=Trim("expected_result")).filter(written="")
    longest = paths.order_by().values("service").annotate(longest=Max("interval"))
    rows = (
        Service.objects.filter(pk__in=services)
        .annotate(
            place=FilteredRelation("environments", condition=Q(environments__removed_at=None)),
            hold=FilteredRelation("holds", condition=Q(holds__ended_at=None)),
        )
        .annotate(
            has_config_keys=Exists(ConfigKey.objects.filter(service=OuterRef("pk"))),
            has_paths=Exists(paths),
            unwritten_path=Subquery(unwritten.order_by("name").values("name")[:1]),
            longest_interval=Subquery(longest.values("longest")[:1]),
            incident_id=Subquery(newest.values("pk")[:1]),
            incident_title=Subquery(newest.values("title")[:1]),
            incident_at=Subquery(newest.values("opened_at")[:1]),
            held_by=person_in("hold__by"),
        )
    )
    return rows, _COLUMNS


def _row(row: Found) -> Row:
    incident = hold = None
    if row["incident_id"] is not None:
        incident = IncidentSeen(
            number=row["incident_id"], title=row["incident_title"], opened_at=row["incident_at"]
        )
    if row["hold__at"] is not None:
        by = row["hold__by_name"] or row["held_by"]
        hold = Stop(kind="hold", reason=row["hold__reason"], by=by, since=row["hold__at"])
    seen = ServiceSeen(
        slug=row["slug"],
        tier=row["tier"],
        team=row["team__name"],
        has_config_keys=row["has_config_keys"],
        has_paths=row["has_paths"],
        unwritten_path=row["unwritten_path"] or "",
        incident=incident,
    )
    longest = timedelta(microseconds=row["longest_interval"] or 0)
    return Row(row["team_id"], seen, hold, longest)


def _place(row: Found) -> PlaceSeen:
    """What was announced is believed only while no version address tells."""
    running = "place__running__"
    tells = bool(row["place__version_route"])
    return PlaceSeen(
        slug=row["place__slug"],
        commit=row[f"{running}commit"] or "",
        commit_since=row[f"{running}commit_since"],
        config_root=row[f"{running}config_root"] or "",
        told_at=row[f"{running}told_at"],
        is_announced=bool(row[f"{running}is_announced"]) and not tells,
    )
