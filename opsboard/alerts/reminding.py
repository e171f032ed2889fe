"""Reminders and the second step: until a person acknowledges, or it is over.

Both are of the routes that were taken when the incident was told, and count from then. A silence, a
window or an incident below holds them off; when it ends, one reminder comes, not all that were due.
The default route reminds nobody.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from opsboard.alerts import holding
from opsboard.alerts.hearing import Audience
from opsboard.alerts.models import AlertKind, Channel, Delivery, Route
from opsboard.alerts.who_hears import About
from opsboard.incidents.models import Incident, IncidentPath, TimelineEntry
from opsboard.probes.models import microseconds
from opsboard.services.models import Service

Act = TimelineEntry.Act
AGAIN = (Delivery.Event.REMINDER, Delivery.Event.ESCALATED)
ENDED = "It was acknowledged, or over, before this was sent."


@dataclass(frozen=True, slots=True)
class Due:
    """What a channel is to be told again: a reminder, of which number, or the second step."""

    incident: Incident
    channel: int
    event: str
    number: int = 1
    # How many reminders there will be; 0: it is none.
    most: int = 0

    @property
    def key(self) -> tuple[int, int, str, int, int]:
        """As the constraint of Delivery has it: each is written once."""
        return self.channel, self.incident.pk, self.event, self.incident.openings, self.number


def remind(*, now: datetime) -> None:
    """Write down who is to be told again, and hold back what needs no telling any more."""
    stop_reminding(now=now)
    asking = Q(remind_every__isnull=False) | Q(escalate_after__isnull=False)
    if not Route.objects.standing().filter(asking).exists():
        return
    told = _told()
    due = list(_all_due(told, now=now))
    known = _known({one.incident.pk for one in due})
    new: dict[int, list[Due]] = defaultdict(list)
    for one in due:
        if one.key not in known:
            new[one.incident.pk].append(one)
    overlays, failing = holding.Overlays.load(now=now), holding.failing_paths(new)
    for number, some in new.items():
        # What is silenced is not told again: the next reminder is due when that has ended.
        if overlays.of_incident(some[0].incident, failing.get(number, [])) is None:
            _write(some, now=now)


def stop_reminding(*, now: datetime) -> int:
    """Nobody is reminded of what a person has taken, or of what is over. Returns how many."""
    is_over = Q(incident__acknowledged_at__isnull=False) | Q(incident__resolved_at__isnull=False)
    over = Delivery.objects.filter(is_over, event__in=AGAIN)
    return over.hold(Delivery.HeldBy.ENDED, ENDED, now=now)


def _told() -> dict[Incident, list[Delivery]]:
    """Open incidents that nobody has acknowledged, and what their channels were told of them."""
    told = (
        Delivery.objects.told()
        .filter(
            event=Delivery.Event.FAILING,
            held_at=None,
            incident__in=Incident.objects.open().standing().filter(acknowledged_at=None),
            incident__below=None,
        )
        .select_related("incident__service", "incident__environment")
        .order_by("pk")
    )
    by_incident: dict[Incident, list[Delivery]] = defaultdict(list)
    for delivery in told:
        incident = delivery.incident
        if incident is not None and delivery.opening == incident.openings:
            by_incident[incident].append(delivery)
    return by_incident


def _all_due(told: dict[Incident, list[Delivery]], *, now: datetime) -> Iterator[Due]:
    audience = Audience(now)
    owners = _owners(told)
    for incident, deliveries in told.items():
        since = min(one.created_at for one in deliveries)
        heard = {one.channel_id: one.created_at for one in deliveries}
        for route in audience.routes_at(_abouts(incident, owners[incident.pk]), since):
            if route.escalate_after and now >= since + timedelta(minutes=route.escalate_after):
                for channel in audience.second_steps[route.pk]:
                    yield Due(incident, channel.pk, Delivery.Event.ESCALATED)
            led = {number: heard[number] for number in audience.leads[route.pk] if number in heard}
            yield from _reminders(incident, route, led, now=now)


def _owners(incidents: Iterable[Incident]) -> dict[int, set[int]]:
    """The teams that own paths of their own in each incident, by its id."""
    places = IncidentPath.objects.filter(
        incident__in=list(incidents), left_at=None, path__owner__isnull=False
    )
    owners: dict[int, set[int]] = defaultdict(set)
    for incident_id, team_id in places.values_list("incident_id", "path__owner_id"):
        owners[incident_id].add(team_id)
    return owners


def _abouts(incident: Incident, owners: set[int]) -> list[About]:
    service, place = incident.service, incident.environment.slug
    teams = [service.team_id, *sorted(owners - {service.team_id})]
    return [About(team, service.tier, place, AlertKind.PAGE) for team in teams]


def _reminders(
    incident: Incident, route: Route, heard: dict[int, datetime], *, now: datetime
) -> Iterator[Due]:
    """The newest that is due: what was missed while nothing ran is not made up for."""
    if not route.remind_every:
        return
    for channel, told_at in heard.items():
        number = (now - told_at) // timedelta(minutes=route.remind_every)
        if 0 < number <= route.remind_most:
            yield Due(incident, channel, Delivery.Event.REMINDER, number, route.remind_most)


def _known(incident_ids: set[int]) -> set[tuple[int, int | None, str, int, int]]:
    names = ("channel_id", "incident_id", "event", "opening", "number")
    written = Delivery.objects.filter(incident__in=incident_ids, event__in=AGAIN)
    return set(written.values_list(*names)) if incident_ids else set()


@transaction.atomic
def _write(due: Sequence[Due], *, now: datetime) -> None:
    """Of one incident. Its service is held: of two who reconcile, the second finds it written."""
    incident = due[0].incident
    Service.objects.select_for_update().get(pk=incident.service_id)
    # Held as well: who acknowledges now waits, and then holds back what is written here.
    open_still = Incident.objects.open().filter(acknowledged_at=None, openings=incident.openings)
    if open_still.select_for_update().filter(pk=incident.pk).first() is None:
        return
    known = _known({incident.pk})
    channels = Channel.objects.standing().in_bulk([one.channel for one in due])
    new = [
        one
        for one in {one.key: one for one in due if one.key not in known}.values()
        if one.channel in channels
    ]
    Delivery.objects.bulk_create(
        (_delivery(one, channels[one.channel], now=now) for one in new), ignore_conflicts=True
    )
    for event, act in zip(AGAIN, (Act.REMINDED, Act.ESCALATED), strict=True):
        _tell(incident, act, [one for one in new if one.event == event], channels, now=now)


def _delivery(due: Due, channel: Channel, *, now: datetime) -> Delivery:
    return Delivery(
        channel=channel,
        incident=due.incident,
        event=due.event,
        opening=due.incident.openings,
        number=due.number,
        text=f"{due.number} of {due.most}" if due.most else "",
        created_at=now,
        wanted_at=microseconds(now),
    )


def _tell(
    incident: Incident,
    act: TimelineEntry.Act,
    due: Sequence[Due],
    channels: dict[int, Channel],
    *,
    now: datetime,
) -> None:
    if not due:
        return
    names = [channels[one.channel].name for one in due]
    facts = {"channels": names}
    incident.timeline.create(at=now, act=act, text=", ".join(names), facts=facts)
