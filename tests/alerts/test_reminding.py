"""Reminders and the second step: until somebody acknowledges, within limits, and each once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from opsboard.alerts import holding
from opsboard.alerts.models import Channel, Delivery, Message, Route, Silence
from opsboard.alerts.planning import react, reconcile
from opsboard.alerts.reminding import ENDED, remind
from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.probes.models import Probe
from opsboard.services.models import CriticalPath, Service
from tests.company import NOON, a_path, a_probe, a_service, production

pytestmark = pytest.mark.django_db


def a_channel(name: str) -> Channel:
    channel = Channel(name=name, kind=Channel.Kind.WEBHOOK)
    channel.keep(address="https://hooks.skerry.example/1")
    channel.save()
    return channel


@pytest.fixture
def desk() -> Channel:
    return a_channel("Desk")


@pytest.fixture
def chief() -> Channel:
    return a_channel("Chief")


def a_route(*channels: Channel, second: Channel | None = None, **fields: Any) -> Route:
    route = Route.objects.create(**{"name": "All"} | fields)
    route.channels.set(channels)
    route.escalate_to.set([second] if second else [])
    return route


def become(path: CriticalPath, state: str, now: datetime) -> None:
    Probe.objects.filter(path=path).update(state=state)
    react(path.pk, production(path.service).pk, now=now)


def tell() -> None:
    """What waits is in a message, as gathering makes it."""
    for delivery in Delivery.objects.waiting():
        delivery.message = Message.objects.create(
            channel=delivery.channel, content={}, made_at=NOON, next_attempt_at=0
        )
        delivery.save()


def an_incident(service: Service | None = None) -> Incident:
    """Told at noon."""
    path = a_path(service)
    a_probe(path)
    become(path, "failing", NOON)
    tell()
    return Incident.objects.get(service=path.service)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def again() -> list[tuple[str, str, int]]:
    events = ("reminder", "escalated")
    told = Delivery.objects.filter(event__in=events, held_at=None).order_by("pk")
    return [(one.channel.name, one.event, one.number) for one in told]


def test_the_second_step_hears_after_so_many_minutes_and_once(
    desk: Channel, chief: Channel
) -> None:
    a_route(desk, second=chief, escalate_after=15)
    incident = an_incident()
    remind(now=after(14.9))
    assert again() == []
    for minutes in (15, 15.2, 16, 100):
        remind(now=after(minutes))
    assert again() == [("Chief", "escalated", 1)]
    entry = incident.timeline.get(act=TimelineEntry.Act.ESCALATED)
    assert (entry.at, entry.text) == (after(15), "Chief")


def test_reminders_come_every_so_often_and_at_most_so_often(desk: Channel) -> None:
    a_route(desk, remind_every=10, remind_most=3)
    incident = an_incident()
    for minute in range(61):
        remind(now=after(minute))
    assert again() == [("Desk", "reminder", number) for number in (1, 2, 3)]
    said = incident.timeline.filter(act=TimelineEntry.Act.REMINDED).order_by("pk")
    assert [entry.at for entry in said] == [after(10), after(20), after(30)]


def test_what_was_missed_is_one_reminder_not_all_that_were_due(desk: Channel) -> None:
    a_route(desk, remind_every=5, remind_most=20)
    an_incident()
    remind(now=after(62))
    assert again() == [("Desk", "reminder", 12)]


def test_only_who_was_told_is_reminded_by_the_route_that_told_them(
    desk: Channel, chief: Channel
) -> None:
    a_route(desk, remind_every=10)
    a_route(chief, name="No reminders")
    late = a_channel("Late")
    an_incident()
    Route.objects.get(name="All").channels.add(late)
    remind(now=after(10))
    assert again() == [("Desk", "reminder", 1)]


def test_the_route_that_was_taken_counts_also_when_it_holds_no_more(desk: Channel) -> None:
    a_route(desk, remind_every=30, from_time="09:00", to_time="12:10")
    an_incident()
    remind(now=after(30))
    assert again() == [("Desk", "reminder", 1)]


def test_nothing_is_counted_before_a_page_was_made(desk: Channel, chief: Channel) -> None:
    a_route(desk, second=chief, escalate_after=15, remind_every=15)
    path = a_path()
    a_probe(path)
    become(path, "failing", NOON)
    remind(now=after(15))
    assert again() == []


def test_acknowledging_stops_both_and_holds_back_what_waits(
    desk: Channel, chief: Channel, editor: User
) -> None:
    a_route(desk, second=chief, escalate_after=15, remind_every=15)
    incident = an_incident()
    remind(now=after(15))
    assert len(again()) == 2
    incident.acknowledge(by=editor, now=after(16))
    reconcile(now=after(16))
    assert again() == []
    held = Delivery.objects.held()
    assert {(one.held_by, one.reason) for one in held} == {("ended", ENDED)}
    remind(now=after(60))
    assert len(held.all()) == 2


def test_what_is_in_a_message_already_stays_told(desk: Channel, editor: User) -> None:
    a_route(desk, remind_every=15)
    incident = an_incident()
    remind(now=after(15))
    tell()
    incident.acknowledge(by=editor, now=after(16))
    reconcile(now=after(16))
    assert again() == [("Desk", "reminder", 1)]


def test_resolving_stops_both_and_the_second_step_hears_of_it(
    desk: Channel, chief: Channel
) -> None:
    a_route(desk, second=chief, escalate_after=15, remind_every=20)
    incident = an_incident()
    remind(now=after(15))
    tell()
    become(incident.paths.get().path, "passing", after(18))
    remind(now=after(40))
    resolved = Delivery.objects.filter(event="resolved").order_by("channel__name")
    assert [one.channel.name for one in resolved] == ["Chief", "Desk"]
    assert again() == [("Chief", "escalated", 1)]


def test_a_second_step_that_was_never_told_hears_of_no_end(desk: Channel, chief: Channel) -> None:
    a_route(desk, second=chief, escalate_after=15)
    incident = an_incident()
    become(incident.paths.get().path, "passing", after(5))
    assert [one.channel.name for one in Delivery.objects.filter(event="resolved")] == ["Desk"]


def test_the_incident_above_another_reminds_nobody(desk: Channel, chief: Channel) -> None:
    a_route(desk, second=chief, escalate_after=15, remind_every=15)
    incident, lower = an_incident(), an_incident()
    Incident.objects.filter(pk=incident.pk).update(below=lower)
    remind(now=after(15))
    assert set(Delivery.objects.filter(event="reminder").values_list("incident", flat=True)) == {
        lower.pk
    }


@pytest.mark.skipif(not hasattr(holding, "Overlays"), reason="no silence holds anything back yet")
def test_what_is_silenced_reminds_nobody_until_it_ends(desk: Channel, chief: Channel) -> None:
    a_route(desk, second=chief, escalate_after=15, remind_every=15)
    an_incident()
    Silence.objects.create(reason="Known", starts_at=after(5), ends_at=after(30))
    remind(now=after(15))
    assert again() == []
    remind(now=after(31))
    assert sorted(again()) == [("Chief", "escalated", 1), ("Desk", "reminder", 2)]


def test_each_beginning_is_counted_anew(desk: Channel) -> None:
    a_route(desk, remind_every=10)
    incident = an_incident()
    remind(now=after(10))
    Incident.objects.filter(pk=incident.pk).update(openings=2, reopened_at=after(12))
    Delivery.objects.create(
        channel=desk, incident=incident, event="failing", opening=2, created_at=after(12),
        wanted_at=0, message=Message.objects.first(),
    )  # fmt: skip
    remind(now=after(20))
    assert len(again()) == 1
    remind(now=after(22))
    openings = Delivery.objects.filter(event="reminder").values_list("opening", "number")
    assert sorted(openings) == [(1, 1), (2, 1)]


def test_a_channel_that_was_removed_is_not_reminded(desk: Channel, chief: Channel) -> None:
    a_route(desk, second=chief, escalate_after=15, remind_every=15)
    an_incident()
    Channel.objects.update(removed_at=NOON)
    remind(now=after(15))
    assert again() == []


def test_the_queries_do_not_grow_with_the_incidents_that_are_not_due(
    desk: Channel, chief: Channel
) -> None:
    a_route(desk, second=chief, escalate_after=15, remind_every=15)
    counts = []
    for _ in range(2):
        for _ in range(5):
            an_incident(a_service())
        remind(now=after(15))
        with CaptureQueriesContext(connection) as captured:
            remind(now=after(16))
        counts.append(len(captured))
    assert counts[0] == counts[1] <= 10


@pytest.mark.django_db(transaction=True)
def test_two_who_reconcile_at_once_remind_once(desk: Channel, chief: Channel) -> None:
    a_route(desk, second=chief, escalate_after=15, remind_every=15)
    for _ in range(4):
        an_incident()
    together = threading.Barrier(2)

    def one() -> None:
        together.wait()
        try:
            remind(now=after(15))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        for running in [pool.submit(one) for _ in range(2)]:
            running.result()
    assert len(again()) == 8
    assert TimelineEntry.objects.filter(act__in=["reminded", "escalated"]).count() == 8
