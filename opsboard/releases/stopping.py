"""Freezes and holds: times in which nothing of a service is to go out."""

from datetime import datetime, timedelta

from django.db import transaction

from opsboard.people import audit
from opsboard.people.audit import Actor
from opsboard.releases.models import Freeze, Hold
from opsboard.releases.naming import check_environment
from opsboard.releases.refusing import Refused
from opsboard.services.models import Service, Team

LONGEST_REASON = 300
# A freeze that nobody remembers is not kept for ever.
LONGEST_FREEZE = timedelta(days=92)


@transaction.atomic
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
    if ends_at <= starts_at:
        raise Refused("A freeze ends after it starts.")
    if ends_at <= now:
        raise Refused("This freeze would be over already: give it an end in the future.")
    if ends_at - starts_at > LONGEST_FREEZE:
        raise Refused(f"A freeze lasts at most {LONGEST_FREEZE.days} days.")
    if service:
        check_environment(service, environment_slug)
    planned = Freeze.objects.create(
        reason=reason_of(reason),
        starts_at=starts_at,
        ends_at=ends_at,
        team=team,
        service=service,
        environment_slug=environment_slug,
        planned_by=by.person,
        planned_at=now,
    )
    audit.record(by, "added", "freeze", reach_of(planned), now=now, after=_of_freeze(planned))
    return planned


@transaction.atomic
def end_freeze(one: Freeze, *, by: Actor, now: datetime) -> None:
    """End it, or call it off before it began."""
    ended = Freeze.objects.standing().filter(pk=one.pk, ends_at__gt=now)
    if ended.update(removed_at=now, removed_by=by.person):
        act = "called off" if now < one.starts_at else "ended"
        audit.record(by, act, "freeze", reach_of(one), now=now, before=_of_freeze(one))
    one.refresh_from_db()


@transaction.atomic
def hold(service: Service, *, reason: str, by: Actor, now: datetime) -> Hold:
    """The open hold. While one is open, another reason is written below it in the audit log."""
    words = reason_of(reason)
    Service.objects.select_for_update().get(pk=service.pk)
    held = Hold.objects.open().filter(service=service).first()
    act = "held again" if held else "held"
    if held is None:
        held = Hold.objects.create(
            service=service, reason=words, at=now, by=by.person, by_name=by.who[:120]
        )
    audit.record(by, act, "service", service.slug, now=now, after={"reason": words})
    return held


@transaction.atomic
def end_hold(one: Hold, *, because: str, by: Actor, now: datetime) -> None:
    """Raises Refused without a reason."""
    words = reason_of(because, "Write why it may go out again")
    ended = Hold.objects.open().filter(pk=one.pk)
    if ended.update(ended_at=now, ended_by=by.person, ended_because=words):
        service = one.service.slug
        audit.record(by, "ended the hold", "service", service, now=now, after={"because": words})
    one.refresh_from_db()


def reason_of(written: str, ask: str = "Write a reason") -> str:
    """A reason as it is kept. Raises Refused."""
    reason = " ".join(written.split())
    if not reason or len(reason) > LONGEST_REASON or not reason.isprintable():
        raise Refused(f"{ask}, in at most {LONGEST_REASON} characters.")
    return reason


def reach_of(one: Freeze) -> str:
    """What it stops: "fares-api", "team pricing, production", "everything"."""
    whom = one.service.slug if one.service else f"team {one.team.slug}" if one.team else ""
    return ", ".join(filter(None, [whom, one.environment_slug])) or "everything"


def _of_freeze(one: Freeze) -> dict[str, object]:
    return {
        "reason": one.reason,
        "starts": f"{one.starts_at:%F %H:%M} UTC",
        "ends": f"{one.ends_at:%F %H:%M} UTC",
    }
