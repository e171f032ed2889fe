"""From an incident to deliveries: one row a channel, in the transaction that made the incident."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from opsboard.alerts import hearing, holding, reminding, taking_up
from opsboard.alerts.channel_trouble import look_at_channels
from opsboard.alerts.holding import Hold
from opsboard.alerts.models import AlertKind, Channel, Delivery, Notice
from opsboard.incidents import opening
from opsboard.incidents.linking import link_again
from opsboard.incidents.models import Incident
from opsboard.incidents.reacting import Outcome, out_of_line, reopen_within, settle
from opsboard.incidents.rules import is_told_of_beginning, wait_before_resolved
from opsboard.probes.models import microseconds
from opsboard.services.models import CriticalPath, Environment, Service

Event, HeldBy = Delivery.Event, Delivery.HeldBy
# Who has heard one of these knows that it fails.
BEGINNINGS = [Event.FAILING, Event.REMINDER, Event.ESCALATED]
AT_ONCE = timedelta()


def react(path_id: int, environment_id: int, *, now: datetime) -> None:
    """A confirmed change: the incident and its deliveries, in the transaction of the change.

    The caller holds the service's row.
    """
    path = CriticalPath.objects.select_related("service__team").get(pk=path_id)
    environment = Environment.objects.get(pk=environment_id)
    outcome = settle(path, environment, now=now)
    if outcome is not None:
        plan(outcome, now=now)


def reconcile(*, now: datetime) -> None:
    """Heal what recording could not: the same code, for every path out of line.

    Run by the clock, and after any write to paths, dependencies, incidents and what holds alerts.
    """
    for path_id, environment_id, service_id in out_of_line():
        with transaction.atomic():
            Service.objects.select_for_update().get(pk=service_id)
            react(path_id, environment_id, now=now)
    for incident in link_again(now=now):
        if incident.below is not None:
            Delivery.objects.bulk_create(_linked(incident, now=now))
    taking_up.hold_what_waits(now=now)
    taking_up.take_up(now=now)
    reminding.remind(now=now)
    look_at_channels(now=now)


def open_by_hand(
    service: Service, environment: Environment, *, title: str, by: User, now: datetime
) -> Incident:
    """An incident that a person opens, and who hears of it. Raises opening.AlreadyOpen."""
    with transaction.atomic():
        incident = opening.open_by_hand(service, environment, title=title, by=by, now=now)
        plan(Outcome(incident, opened=True), now=now)
    return incident


def resolve(incident: Incident, *, by: User, now: datetime, text: str = "") -> bool:
    """A person says it is over, and who was told hears of it. False: it was over before."""
    with transaction.atomic():
        ended = incident.resolve(by=by, now=now, text=text)
        if ended:
            plan(Outcome(incident, resolved=True), now=now)
    return ended


def plan(outcome: Outcome, *, now: datetime) -> list[Delivery]:
    """Write down who is to be told. Nothing is sent here: a crash later loses nothing."""
    if outcome.opened:
        return Delivery.objects.bulk_create(_beginning(outcome.incident, now=now))
    if outcome.joined:
        return Delivery.objects.bulk_create(_joining(outcome.incident, now=now))
    if outcome.resolved:
        return Delivery.objects.bulk_create(_end(outcome.incident, now=now))
    return []


def _joining(incident: Incident, *, now: datetime) -> list[Delivery]:
    """A path of another owner fails too: whoever hears of that and has not heard yet is told."""
    heard = incident.deliveries.filter(event=Event.FAILING, opening=incident.openings)
    known = set(heard.values_list("channel", flat=True))
    channels = _who_hears(incident, AlertKind.PAGE, now=now)
    late = [channel for channel in channels if channel.pk not in known]
    hold = holding.why_held(incident, now=now) if late else None
    return [_delivery(incident, channel, Event.FAILING, hold, now=now) for channel in late]


def _beginning(incident: Incident, *, now: datetime) -> list[Delivery]:
    if incident.openings > 1:
        ended = incident.deliveries.filter(event=Event.RESOLVED, opening__gt=1)
        ended.hold(HeldBy.FLAPPING, "It failed again before that was told.", now=now)
    told = _told_last(incident) if incident.openings > 1 else {}
    hold = holding.why_held(incident, now=now)
    rows = [
        _failing(incident, channel, told.get(channel.pk), hold, now=now)
        for channel in _who_hears(incident, AlertKind.PAGE, now=now)
    ]
    return rows + _linked(incident, now=now)


def _failing(
    incident: Incident, channel: Channel, told: str | None, hold: Hold | None, *, now: datetime
) -> Delivery:
    if not is_told_of_beginning(told):
        hold = Hold(
            HeldBy.FLAPPING,
            "It was told before that this fails, and has not been told since that it recovered.",
        )
    return _delivery(incident, channel, Event.FAILING, hold, now=now)


def _linked(incident: Incident, *, now: datetime) -> list[Delivery]:
    """For the day, once: that it is linked. Not to those who have heard that it fails."""
    if incident.below is None or incident.deliveries.filter(event=Event.LINKED).exists():
        return []
    told, hold = _told_last(incident), holding.why_silent(incident, now=now)
    return [
        _delivery(incident, channel, Event.LINKED, hold, now=now)
        for channel in _who_hears(incident, AlertKind.NOTICE, now=now)
        if is_told_of_beginning(told.get(channel.pk))
    ]


def _end(incident: Incident, *, now: datetime) -> list[Delivery]:
    """Only those who were told that it fails, or will be, are told that it has recovered."""
    pointless = [Event.REMINDER, Event.ESCALATED, Event.LINKED]
    incident.deliveries.filter(event__in=pointless).hold(
        HeldBy.ENDED, "It was over before this was told.", now=now
    )
    told = _told_last(incident)
    believing = [pk for pk, event in told.items() if not is_told_of_beginning(event)]
    wait = wait_before_resolved(
        opening=incident.openings,
        is_by_person=incident.resolved_by_id is not None,
        within=reopen_within(),
    )
    return [
        _delivery(incident, channel, Event.RESOLVED, None, now=now, wait=wait)
        for channel in Channel.objects.filter(pk__in=believing).order_by("pk")
    ]


def _who_hears(incident: Incident, kind: AlertKind, *, now: datetime) -> list[Channel]:
    return list(hearing.who_hears_of(incident, kind=kind, now=now).channels)


def _told_last(incident: Incident) -> dict[int, str]:
    """What each channel was told last, or will be: "failing" or "resolved"."""
    told = incident.deliveries.filter(event__in=[*BEGINNINGS, Event.RESOLVED], held_at=None)
    # Of one beginning the end is written last.
    rows = told.order_by("opening", "pk").values_list("channel", "event")
    return {
        channel: "resolved" if event == Event.RESOLVED else "failing" for channel, event in rows
    }


def _delivery(
    incident: Incident,
    channel: Channel,
    event: str,
    hold: Hold | None,
    *,
    now: datetime,
    wait: timedelta = AT_ONCE,
) -> Delivery:
    return Delivery(
        channel=channel,
        incident=incident,
        event=event,
        opening=incident.openings,
        created_at=now,
        wanted_at=microseconds(now + wait),
        held_at=now if hold else None,
        held_by=hold.by if hold else "",
        reason=hold.reason if hold else "",
    )


def plan_notice(notice: Notice, *, now: datetime) -> list[Delivery]:
    """Write down who is to be told of a notice, in the transaction that opens it."""
    return plan_notices([notice], now=now)


def plan_notices(notices: Iterable[Notice], *, now: datetime) -> list[Delivery]:
    """As `plan_notice`, asking once for each service, environment and owner who hears."""
    hears: dict[object, Sequence[Channel]] = {}
    planned, overlays = [], holding.Overlays.load(now=now)
    for notice in notices:
        owner = notice.path.owner if notice.path else None
        is_ours = notice.is_for_administrators
        which = None if is_ours else (notice.service, notice.environment, owner, notice.team_id)
        if which not in hears:
            hears[which] = _who_hears_notice(notice, now=now)
        hold = holding.why_notice_held(notice, now=now, overlays=overlays)
        planned += [_notice_delivery(notice, one, hold, now=now) for one in hears[which]]
    # Two workers may have seen the same: each channel is told once.
    return Delivery.objects.bulk_create(planned, ignore_conflicts=True)


def _who_hears_notice(notice: Notice, *, now: datetime) -> Sequence[Channel]:
    if notice.team_id is not None:
        return hearing.who_hears_of_team(notice.team_id, now=now)
    if notice.is_for_administrators or notice.service is None or notice.environment is None:
        return hearing.who_hears_administrators(now=now).channels
    owners = [notice.path.owning_team] if notice.path and notice.path.owner else []
    return hearing.who_hears(
        notice.service, notice.environment, kind=AlertKind.NOTICE, now=now, owners=owners
    ).channels


def _notice_delivery(
    notice: Notice, channel: Channel, hold: Hold | None, *, now: datetime
) -> Delivery:
    return Delivery(
        channel=channel,
        notice=notice,
        event=Delivery.Event.NOTICE,
        created_at=now,
        wanted_at=microseconds(now),
        held_at=now if hold else None,
        held_by=hold.by if hold else "",
        reason=hold.reason if hold else "",
    )


def plan_test(channel: Channel, *, now: datetime, by: str) -> Delivery:
    """A message that says it is a test, by the same road as a real one."""
    return Delivery.objects.create(
        channel=channel,
        event=Delivery.Event.TEST,
        text=f"{by} sent this test from Opsboard to see that {channel.name} delivers. "
        "Nothing fails.",
        created_at=now,
        wanted_at=microseconds(now),
    )
