"""Silences: what one is about, how one begins and how it is ended, each with its audit entry.

Observing goes on; what fails still when a silence ends is told then.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from opsboard.alerts.models import Silence
from opsboard.alerts.planning import reconcile
from opsboard.people.audit import Actor, record
from opsboard.services.models import (
    CriticalPath,
    Environment,
    MaintenanceWindow,
    Service,
    ServiceQuerySet,
    Team,
)

KIND = "silence"
LONGEST = timedelta(days=30)
NOTHING = (
    "Nothing on the board is all of this together: leave one of team, service, path and "
    "environment out."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What is to be silent. Each None or "" stands for all."""

    team: Team | None = None
    service: Service | None = None
    path: CriticalPath | None = None
    environment: str = ""

    @property
    def is_about_something(self) -> bool:
        """Whether a service or a path could be meant."""
        parts = (self.team, self.service, self.path, self.environment)
        if self.path and self.team:
            path = self.path
            if self.team.pk not in (path.owner_id, path.service.team_id):
                return False
        return self._services().exists() or not any(parts)

    def _services(self) -> ServiceQuerySet:
        services = Service.objects.standing()
        if self.team:
            services = services.filter(Q(team=self.team) | Q(paths__owner=self.team))
        if self.service:
            services = services.filter(pk=self.service.pk)
        if self.path:
            services = services.filter(pk=self.path.service_id)
        if self.environment:
            there = Environment.objects.standing().filter(slug=self.environment)
            services = services.filter(pk__in=there.values("service"))
        return services


def begin(
    reach: Reach,
    *,
    reason: str,
    starts_at: datetime,
    ends_at: datetime,
    by: Actor,
    now: datetime,
) -> Silence:
    with transaction.atomic():
        silence = Silence.objects.create(
            team=reach.team,
            service=reach.path.service if reach.path else reach.service,
            path=reach.path,
            environment_slug=reach.environment,
            reason=reason,
            starts_at=starts_at,
            ends_at=ends_at,
            by=by.person,
        )
        record(by, "added", KIND, about(silence), now=now, after=facts(silence))
    reconcile(now=now)
    return silence


def end(silence_id: int, *, by: Actor, now: datetime) -> Silence:
    """It holds nothing back from now on. One that is over already stays as it was.

    Raises Silence.DoesNotExist.
    """
    with transaction.atomic():
        one = Silence.objects.select_for_update(of=("self",)).get(pk=silence_id)
        if one.ends_at > max(now, one.starts_at):
            before = facts(one)
            # One that has not begun ends as it begins: it was never in force.
            one.ends_at = max(now, one.starts_at)
            one.save(update_fields=["ends_at"])
            record(by, "ended", KIND, about(one), now=now, before=before, after=facts(one))
    reconcile(now=now)
    return one


def about(thing: Silence | MaintenanceWindow) -> str:
    """What it is about, in words: "Price a crossing of Fares API in production"."""
    path = thing.path if isinstance(thing, Silence) else None
    if path:
        where = f" in {thing.environment_slug}" if thing.environment_slug else ""
        return f"{path.name} of {path.service.name}{where}"
    return reach_words(thing.team, thing.service, thing.environment_slug)


def reach_words(team: Team | None, service: Service | None, environment_slug: str) -> str:
    """ "Fares API in production", "Everything of Pricing", "Everything"."""
    where = f" in {environment_slug}" if environment_slug else ""
    if service:
        return f"{service.name}{where}"
    return f"Everything of {team.name}{where}" if team else f"Everything{where}"


def facts(silence: Silence) -> dict[str, str]:
    """What the audit log keeps of it."""
    return {
        "about": about(silence),
        "why": silence.reason,
        "from": f"{silence.starts_at:%Y-%m-%d %H:%M} UTC",
        "until": f"{silence.ends_at:%Y-%m-%d %H:%M} UTC",
    }
