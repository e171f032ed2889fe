"""Everything of the demo leaves the board: really, not only marked; and nothing else does."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection, transaction

from opsboard.alerts.models import Channel
from opsboard.board.models import Declaration
from opsboard.demo.company import NAME
from opsboard.demo.loading import names
from opsboard.incidents.models import Incident
from opsboard.people.audit import Actor, record
from opsboard.probes.models import HourlyRollup, Observation, Probe, ServiceDay
from opsboard.releases.models import Release
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import CriticalPath, Service, Team


@dataclass(slots=True)
class Removed:
    """How many of each, in words; and teams that stay, since something else is theirs."""

    counts: dict[str, int] = field(default_factory=dict)
    kept_teams: list[str] = field(default_factory=list)

    @property
    def words(self) -> str:
        said = [f"{count:,} {what}" for what, count in self.counts.items() if count]
        return ", ".join(said)


@transaction.atomic
def remove_demo(actor: Actor, *, now: datetime) -> Removed:
    services, teams = names("service"), names("team")
    if not services and not teams:
        return Removed()
    kept = _kept(teams, services)
    removed = Removed(_counts(services, set(teams) - kept), sorted(kept))
    _remove_services(services)
    Team.objects.filter(slug__in=set(teams) - kept).delete()
    Declaration.objects.filter(file=NAME).delete()
    record(
        actor, "removed", "demo", "Skerry Line, the example company",
        now=now, before={"what": removed.words},
    )  # fmt: skip
    return removed


def _kept(teams: Collection[str], services: Collection[str]) -> set[str]:
    """Teams that own something, or hear of something, that is not the demo's."""
    ours = Team.objects.filter(slug__in=teams)
    owning = Service.objects.filter(team__in=ours).exclude(slug__in=services)
    paths = CriticalPath.objects.filter(owner__in=ours).exclude(service__slug__in=services)
    return {
        *owning.values_list("team__slug", flat=True),
        *paths.values_list("owner__slug", flat=True),
        *Channel.objects.filter(team__in=ours).values_list("team__slug", flat=True),
    }


def _counts(services: Collection[str], teams: Collection[str]) -> dict[str, int]:
    return {
        "teams": len(teams),
        "services": Service.objects.filter(slug__in=services).count(),
        "critical paths": CriticalPath.objects.filter(service__slug__in=services).count(),
        "rollback notes": RollbackNote.objects.filter(service__slug__in=services).count(),
        "releases": Release.objects.filter(service__slug__in=services).count(),
        "incidents": Incident.objects.filter(service__slug__in=services).count(),
        "days of history": ServiceDay.objects.filter(
            environment__service__slug__in=services
        ).count(),
    }


def _remove_services(services: Collection[str]) -> None:
    probes = list(
        Probe.objects.filter(path__service__slug__in=services).values_list("pk", flat=True)
    )
    # These two hang on no constraint, so that nothing would take them along.
    _delete(Observation._meta.db_table, probes)
    _delete(HourlyRollup._meta.db_table, probes)
    Service.objects.filter(slug__in=services).delete()


def _delete(table: str, probes: list[int]) -> None:
    """In the database: there may be a million of them."""
    with connection.cursor() as cursor:
        for probe in probes:
            # Only a name of our own stands in the statement.
            cursor.execute(f"DELETE FROM {table} WHERE probe_id = %s", [probe])  # noqa: S608
