"""How the critical paths stand on staging, and since when that counts for what runs there."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from opsboard.probes import narrow
from opsboard.probes.models import Observation, Probe, StateChange, microseconds, moment
from opsboard.probes.path_states import is_asked_there
from opsboard.probes.rules import Verdict
from opsboard.releases.facts import GREEN, PathSeen

# Within so many intervals of a commit an observation was made, or its silence was written down.
SURELY_SEEN = 3
_COLUMNS = (
    *("environment_id", "path__service_id", "path__name", "state", "state_since", "observed_at"),
    *("interval", "ended_at", "reason", "green_at", "first_at"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A staging environment: since when it runs its commit, and how rarely a path is asked."""

    service_id: int
    # None: what runs there is unknown.
    commit_since: datetime | None
    longest: timedelta


def read_paths(
    places: Mapping[int, Asked], *, green_for: timedelta, now: datetime
) -> dict[int, list[PathSeen]]:
    """By the service's id, from the environments' ids. One query."""
    found: dict[int, list[PathSeen]] = defaultdict(list)
    if not places:
        return found
    young = {
        place_id: since
        for place_id, one in places.items()
        if (since := one.commit_since) and since > now - green_for - SURELY_SEEN * one.longest
    }
    for row in _probes(places, young).values(*_COLUMNS):
        place_id = row["environment_id"]
        first_at = _first_at(row, places[place_id], is_young=place_id in young)
        found[places[place_id].service_id].append(_path(row, first_at))
    return found


def _probes(places: Collection[int], young: Mapping[int, datetime]) -> QuerySet[Probe]:
    """Those asked there, and those paused; not those of what was removed."""
    is_paused = Q(path__paused_at__isnull=False) & is_asked_there()
    turned_green = (
        StateChange.objects.filter(probe=OuterRef("pk"), after__in=GREEN)
        .exclude(before__in=GREEN)
        .order_by("-at", "-pk")
    )
    nothing = Value(None, BigIntegerField())
    return (
        Probe.objects.filter(environment__in=places, path__removed_at=None)
        .filter(Q(ended_at=None) | is_paused)
        .annotate(
            green_at=Subquery(turned_green.values("at")[:1]),
            told_since=_since(young) if young else nothing,
            first_at=_first_after(young) if young else nothing,
        )
        .order_by("path__name", "pk")
    )


def _since(young: Mapping[int, datetime]) -> Case:
    whens = (When(environment=one, then=Value(microseconds(at))) for one, at in young.items())
    return Case(*whens, default=None, output_field=BigIntegerField())


def _first_after(young: Mapping[int, datetime]) -> Subquery:
    """The first observation since the environment tells its commit, where that is not long ago."""
    # The same for all, so that a database with parts by time reads only the newest.
    oldest = microseconds(min(young.values()))
    observations = (
        Observation.objects.filter(probe=OuterRef("pk"), slot_at__gte=oldest)
        .filter(slot_at__gte=OuterRef("told_since"))
        .alias(said=narrow.VERDICT.value)
        .exclude(said=Verdict.ERROR)
        .order_by("slot_at")
    )
    return Subquery(observations.values("slot_at")[:1])


def _first_at(row: dict[str, Any], one: Asked, *, is_young: bool) -> datetime | None:
    """Long after a commit began to run, a path that is asked was asked at once."""
    if is_young:
        return None if row["first_at"] is None else moment(row["first_at"])
    observed = row["observed_at"]
    if one.commit_since is None or observed is None or moment(observed) < one.commit_since:
        return None
    return one.commit_since


def _path(row: dict[str, Any], first_seen_at: datetime | None) -> PathSeen:
    observed, is_green = row["observed_at"], row["state"] in GREEN
    since = row["green_at"] if is_green and row["green_at"] is not None else row["state_since"]
    return PathSeen(
        name=row["path__name"],
        state=row["state"],
        since=moment(since),
        first_seen_at=first_seen_at,
        observed_at=None if observed is None else moment(observed),
        interval=timedelta(microseconds=row["interval"]),
        is_paused=row["ended_at"] is not None,
        reason=row["reason"],
    )
