"""Bringing deliveries in line with what holds alerts back: silences, windows, incidents below.

What waits is held when an overlay begins, and sent when it ends while it fails still; what was
over by then is never sent, and says so. Run by reconciling.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F, Max, Q

from opsboard.alerts.holding import Hold, Overlays, below_of, failing_paths
from opsboard.alerts.models import Channel, Delivery, DeliveryQuerySet
from opsboard.incidents.linking import fails_by_itself
from opsboard.probes.models import Probe, microseconds
from opsboard.probes.rules import State
from opsboard.services.models import CriticalPath, Service

Event, HeldBy = Delivery.Event, Delivery.HeldBy
# What tells of trouble that lasts. A test and the end of an incident are never held back: who was
# told that it fails is told that it does not.
OF_TROUBLE = (Event.FAILING, Event.REMINDER, Event.ESCALATED, Event.LINKED, Event.NOTICE)
# What ends by itself.
OVERLAYS = (HeldBy.SILENCE, HeldBy.WINDOW, HeldBy.BELOW)
OVER = {
    HeldBy.SILENCE: "Recovered before the silence ended.",
    HeldBy.WINDOW: "Recovered before the maintenance ended.",
    HeldBy.BELOW: "Recovered before the incident below did.",
}
ROWS_A_PIECE = 200
TAKEN = "Somebody took it before it was sent."

type Paths = Mapping[int, list[CriticalPath]]


def hold_what_waits(*, now: datetime) -> None:
    """What waits and is in no message yet is held by a silence or window that began since."""
    overlays = Overlays.load(now=now)
    if not overlays:
        return
    waiting = _with_all(Delivery.objects.waiting().filter(_is_going_on(), event__in=OF_TROUBLE))
    paths = _paths_of(waiting)
    holds = {one.pk: _hold(one, overlays, paths) for one in waiting}
    for piece in _pieces([one for one in waiting if holds[one.pk]]):
        with transaction.atomic():
            _hold_services(piece)
            _hold_channels(piece)
            for hold, rows in _grouped(piece, holds).items():
                still = Delivery.objects.waiting().filter(_is_going_on(), pk__in=_ids(rows))
                still.update(held_at=now, held_by=hold.by, reason=hold.reason)


def take_up(*, now: datetime) -> None:
    """Who was not told is told once what held it back has ended, if it fails still."""
    _end_what_is_over()
    held = _with_all(
        Delivery.objects.held().filter(
            _is_going_on(), held_by__in=OVERLAYS, event__in=OF_TROUBLE, channel__removed_at=None
        )
    ) + _with_all(_of_the_past())
    if not held:
        return
    overlays, paths, failed_at = Overlays.load(now=now), _paths_of(held), _failed_at(held)
    by_hold: dict[Hold | None, list[Delivery]] = defaultdict(list)
    for delivery in held:
        by_hold[_hold(delivery, overlays, paths)].append(delivery)
    free = by_hold.pop(None, [])
    _let_go([one for one in free if _is_worth_telling(one, failed_at, now=now)], now=now)
    for hold, rows in by_hold.items():
        # Another overlay goes on where the first one ended.
        other = [row for row in rows if hold and row.reason != hold.reason]
        if hold and other:
            kept = Delivery.objects.held().filter(held_by__in=OVERLAYS, pk__in=_ids(other))
            kept.update(held_by=hold.by, reason=hold.reason)


def _let_go(free: Iterable[Delivery], *, now: datetime) -> None:
    for piece in _pieces(free):
        with transaction.atomic():
            _hold_services(piece)
            still = Delivery.objects.held().filter(_is_going_on(), pk__in=_ids(piece))
            still.filter(held_by=HeldBy.PAST).update(held_by="", reason="")
            # By what and why it was held stays: the list of what was held back tells it.
            still.update(held_at=None, created_at=now, wanted_at=microseconds(now))


def _end_what_is_over() -> None:
    """Nobody was told that it began: nobody is told anything."""
    held = Delivery.objects.held().filter(held_by__in=OVERLAYS)
    is_pressing = Q(event__in=(Event.REMINDER, Event.ESCALATED))
    taken = held.filter(is_pressing, _is_going_on(), incident__acknowledged_at__isnull=False)
    taken.update(held_by=HeldBy.ENDED, reason=TAKEN)
    for by, reason in OVER.items():
        over = held.filter(held_by=by).exclude(pk__in=held.filter(_is_going_on()).values("pk"))
        over.update(held_by=HeldBy.ENDED, reason=reason)


def _is_going_on() -> Q:
    """Of an incident as it began last, or of a notice; neither is over."""
    incident = Q(incident__resolved_at=None, opening=F("incident__openings"))
    notice = Q(notice__isnull=False, notice__ended_at=None)
    return Q(incident__isnull=False) & incident | notice


def _of_the_past() -> DeliveryQuerySet:
    held = Delivery.objects.held().filter(_is_going_on(), held_by=HeldBy.PAST)
    return held.filter(event=Event.FAILING, channel__removed_at=None)


def _with_all(deliveries: DeliveryQuerySet) -> list[Delivery]:
    return list(
        deliveries.select_related(
            "incident__service",
            "incident__environment",
            "incident__below__service",
            "notice__service",
            "notice__environment",
            "notice__path",
        ).order_by("pk")
    )


def _hold(delivery: Delivery, overlays: Overlays, paths: Paths) -> Hold | None:
    if delivery.notice is not None:
        return overlays.of_notice(delivery.notice)
    incident = delivery.incident
    if incident is None:
        return None
    # That it stands above another is what the linked one tells: that does not hold it back.
    below = None if delivery.event == Event.LINKED else below_of(incident)
    return below or overlays.of_incident(incident, paths.get(incident.pk, []))


def _paths_of(deliveries: Iterable[Delivery]) -> Paths:
    ids = {one.incident_id for one in deliveries if one.incident_id is not None}
    return failing_paths(ids) if ids else {}


def _failed_at(deliveries: Iterable[Delivery]) -> dict[int, int]:
    """When what fails was seen last, by incident, of those called off as past. One query."""
    past = {one.incident_id for one in deliveries if one.held_by == HeldBy.PAST}
    if not past:
        return {}
    failing = Probe.objects.active().filter(
        path__incidents__incident__in=past,
        path__incidents__left_at=None,
        environment=F("path__incidents__incident__environment"),
        state=State.FAILING,
    )
    seen = failing.values_list("path__incidents__incident").annotate(at=Max("observed_at"))
    return {incident: at for incident, at in seen.order_by() if at is not None}


def _is_worth_telling(delivery: Delivery, failed_at: Mapping[int, int], *, now: datetime) -> bool:
    incident = delivery.incident
    if incident is not None and delivery.event == Event.LINKED:
        # Once the link has ended, the page tells it all.
        return below_of(incident) is not None
    if incident is not None and delivery.held_by == HeldBy.BELOW:
        return fails_by_itself(incident, now=now)
    return _fails_still(delivery, failed_at)


def _fails_still(delivery: Delivery, failed_at: Mapping[int, int]) -> bool:
    """What a backup told was failing may have recovered since: that is to be seen again first."""
    if delivery.held_by != HeldBy.PAST:
        return True
    if delivery.held_at is None or delivery.incident_id is None:
        return False
    return failed_at.get(delivery.incident_id, 0) > microseconds(delivery.held_at)


def _service_id(delivery: Delivery) -> int | None:
    about = delivery.incident or delivery.notice
    return about.service_id if about else None


def _pieces(deliveries: Iterable[Delivery]) -> Iterator[list[Delivery]]:
    """Those of some services at a time: locks are not held for long."""
    ordered = sorted(deliveries, key=lambda one: (_service_id(one) or 0, one.pk))
    for start in range(0, len(ordered), ROWS_A_PIECE):
        yield ordered[start : start + ROWS_A_PIECE]


def _hold_services(deliveries: Iterable[Delivery]) -> None:
    """As recording does: an incident that resolves meanwhile counts on who was told."""
    ids = {number for one in deliveries if (number := _service_id(one)) is not None}
    list(Service.objects.select_for_update().filter(pk__in=ids).order_by("pk").only("pk"))


def _hold_channels(deliveries: Iterable[Delivery]) -> None:
    """None is being put into a message while this looks whether it is in one.

    Weaker than the lock of a whole row, so that nobody who only writes a delivery waits.
    """
    ids = {one.channel_id for one in deliveries}
    channels = Channel.objects.select_for_update(no_key=True).filter(pk__in=ids)
    list(channels.order_by("pk").only("pk"))


def _grouped(
    deliveries: Iterable[Delivery], holds: Mapping[int, Hold | None]
) -> dict[Hold, list[Delivery]]:
    found: dict[Hold, list[Delivery]] = defaultdict(list)
    for one in deliveries:
        if hold := holds[one.pk]:
            found[hold].append(one)
    return found


def _ids(rows: Iterable[Delivery]) -> Iterator[int]:
    return (one.pk for one in rows)
