"""Freezes and holds: times in which nothing of a service is to go out."""

from datetime import datetime

from opsboard.people.audit import Actor
from opsboard.releases.models import Freeze, Hold
from opsboard.services.models import Service, Team


def freeze(
    *,
    reason: str,
    starts_at: datetime,
    ends_at: datetime,
    by: Actor,
    now: datetime,
    team: Team | None = None,
    service: Service | None = None,
    environment_slug: str = "",
) -> Freeze:
    """Raises Refused when it does not end after it starts, or would have ended already."""
    raise NotImplementedError


def end_freeze(one: Freeze, *, by: Actor, now: datetime) -> None:
    """End it, or call it off before it began."""
    raise NotImplementedError


def hold(service: Service, *, reason: str, by: Actor, now: datetime) -> Hold:
    """The open hold. While one is open, another reason is written below it in the audit log."""
    raise NotImplementedError


def end_hold(one: Hold, *, because: str, by: Actor, now: datetime) -> None:
    """Raises Refused without a reason."""
    raise NotImplementedError
