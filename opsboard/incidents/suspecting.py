"""Reading what the likely cause of an incident is made of, and keeping it with the incident."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Q

from opsboard.incidents.beginnings import beginning_of
from opsboard.incidents.cause import (
    LOOK_BACK,
    PHASES,
    Known,
    Seen,
    moved,
    newest_before,
    sentence_of,
)
from opsboard.incidents.models import Incident
from opsboard.probes import narrow
from opsboard.probes.models import Kind, Probe, microseconds
from opsboard.probes.rules import Verdict
from opsboard.probes.stored import CACHE
from opsboard.probes.versions import LOOK_EVERY
from opsboard.services.models import Deploy, Environment, Service

BEFORE = timedelta(hours=1)
# What moves is clearer after some minutes; then what is written stays.
LOOKED_AT_FOR = timedelta(minutes=10)
AGAIN_AFTER = timedelta(minutes=1)
MOST_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Suspicion:
    """What to look at: a service that hurts in an environment, from when, seen by which probes."""

    service: Service
    environment: Environment
    began_at: datetime
    probe_ids: Sequence[int]

    def cause(self, *, now: datetime) -> dict[str, Any]:
        """As Incident.cause keeps it."""
        deploy = newest_before(_deploys_before(self), self.began_at)
        blind = [] if deploy else _blind(self)
        before, since = _seen(self, now=now)
        return {
            "sentence": sentence_of(deploy, self.began_at, blind=blind),
            "deploy": _stored(deploy),
            "moved": moved(before, since),
            "at": now.isoformat(),
        }


def suspect(incident: Incident, *, now: datetime) -> None:
    """Compute the likely cause of what began last, and keep it."""
    # The first of its paths that fails still.
    places = incident.paths.order_by(F("left_at").asc(nulls_first=True), "joined_at", "pk")
    path = places.values_list("path", flat=True)[:1]
    probes = Probe.objects.filter(path__in=list(path), environment=incident.environment_id)
    suspicion = Suspicion(
        service=incident.service,
        environment=incident.environment,
        began_at=beginning_of(incident),
        probe_ids=list(probes.values_list("pk", flat=True)),
    )
    incident.cause = suspicion.cause(now=now)
    Incident.objects.filter(pk=incident.pk).update(cause=incident.cause)


def suspect_again(*, now: datetime) -> None:
    """Of incidents that began within minutes: once a minute, some at a time. Run by the clock."""
    since = now - LOOKED_AT_FOR
    young = Incident.objects.open().filter(Q(opened_at__gt=since) | Q(reopened_at__gt=since))
    due = [one for one in young.select_related("environment", "service") if _is_due(one, now)]
    due.sort(key=lambda one: str(one.cause.get("at", "")))
    for incident in due[:MOST_AT_ONCE]:
        suspect(incident, now=now)


def _is_due(incident: Incident, now: datetime) -> bool:
    at = incident.cause.get("at")
    return at is None or now - datetime.fromisoformat(at) >= AGAIN_AFTER


# What was released ------------------------------------------------------------------------------


def _deploys_before(about: Suspicion) -> list[Known]:
    """Of the service, and of those it depends on."""
    rows = Deploy.objects.filter(
        Q(environment__service=about.service)
        | Q(environment__service__in=about.service.depends_on.values("pk")),
        environment__slug=about.environment.slug,
        environment__removed_at=None,
        environment__service__removed_at=None,
        at__gte=about.began_at - LOOK_BACK,
        at__lt=about.began_at + LOOK_EVERY,
    )
    return [_known(row) for row in rows.select_related("environment__service").order_by("-at")]


def _known(row: Deploy) -> Known:
    is_seen = row.kind == Deploy.Kind.SEEN
    earlier = Deploy.objects.filter(environment=row.environment_id, at__lt=row.at)
    return Known(
        kind=Deploy.Kind(row.kind).label,
        name=row.name,
        service=row.environment.service.name,
        at=row.at,
        url=row.url,
        seen_within=LOOK_EVERY if is_seen else timedelta(),
        is_first_seen=is_seen and not earlier.exists(),
    )


def _blind(about: Suspicion) -> list[str]:
    """The service, if nobody tells Opsboard which version of it runs."""
    place = about.environment
    if place.version_route or Deploy.objects.filter(environment=place).exists():
        return []
    return [about.service.name]


def _stored(deploy: Known | None) -> dict[str, str] | None:
    if deploy is None:
        return None
    return {
        "kind": deploy.kind,
        "name": deploy.name,
        "service": deploy.service,
        "url": deploy.url,
        "at": deploy.at.isoformat(),
    }


# What moved -------------------------------------------------------------------------------------

IS_HIT = narrow.CACHED.sql("o.flags", CACHE.index("hit"), CACHE.index("stale"))
IS_UNKNOWN = narrow.CACHED.sql("o.flags", CACHE.index("unknown"))
CALLS = f"NULLIF(o.db_calls, {narrow.NOTHING})"
# Neither wrong nor delayed: its phases are the far side's.
IS_TIMED = f"(o.flags & {narrow.IS_WRONG.put(1) | narrow.IS_DELAYED.put(1)}) = 0"
PHASE_SUMS = ", ".join(f"SUM(CASE WHEN {IS_TIMED} THEN o.{name} ELSE 0 END)" for name in PHASES)
# In SQL: Django takes longer to write this one than the database to answer it, and in a storm it
# is asked for every incident while its service is held. `since` is 1 from the first failure on.
STATEMENT = f"""
    SELECT CASE WHEN o.slot_at + o.lateness >= %s THEN 1 ELSE 0 END AS since,
        SUM(CASE WHEN {IS_TIMED} THEN 1 ELSE 0 END), {PHASE_SUMS},
        SUM(CASE WHEN {IS_HIT} THEN 1 ELSE 0 END),
        SUM(CASE WHEN {IS_UNKNOWN} THEN 0 ELSE 1 END),
        COALESCE(SUM({CALLS}), 0), COUNT({CALLS})
    FROM probes_observation o
    WHERE o.probe_id IN (%s) AND o.slot_at >= %s AND o.slot_at <= %s
      AND {narrow.KIND.sql("o.flags", Kind.SCHEDULED)}
      AND NOT {narrow.VERDICT.sql("o.flags", Verdict.ERROR)}
    GROUP BY since"""  # noqa: S608 - only numbers and names of this module


def _seen(about: Suspicion, *, now: datetime) -> tuple[Seen, Seen]:
    """In the hour before the first failure, and since."""
    if not about.probe_ids:
        return Seen(), Seen()
    began = microseconds(about.began_at)
    marks = ", ".join(["%s"] * len(about.probe_ids))
    first = microseconds(about.began_at - BEFORE)
    with connection.cursor() as cursor:
        cursor.execute(
            STATEMENT.replace("IN (%s)", f"IN ({marks})"),
            [began, *about.probe_ids, first, microseconds(now)],
        )
        rows = {row[0]: _sums(row) for row in cursor.fetchall()}
    return rows.get(0, Seen()), rows.get(1, Seen())


def _sums(row: Sequence[Any]) -> Seen:
    names = ["answered", *PHASES, "cache_hits", "cache_known", "calls", "calls_reported"]
    return Seen(**{name: int(value) for name, value in zip(names, row[1:], strict=True)})
