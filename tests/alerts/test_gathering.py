"""What begins together is told together: never a flood, never out of order, nothing left out."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from opsboard.alerts import gathering, telling
from opsboard.alerts.delivering import deliver
from opsboard.alerts.gathering import gather
from opsboard.alerts.models import Channel, Delivery, Message, Notice
from opsboard.alerts.planning import plan_test
from opsboard.alerts.rules import BUSY_WAIT, QUIET_WAIT, STORM_WAIT, gathers_at
from opsboard.incidents.models import Incident
from opsboard.probes.models import microseconds
from opsboard.probes.schedule import database_now
from tests.alerts.failing import a_failing_path, become, pass_by, send
from tests.alerts.far_sides import Receiver, webhook
from tests.company import SECOND, a_service, production

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 600


def waits_for_seconds() -> float:
    at = gather()
    assert at is not None
    return (at - database_now()) / SECOND


# When -------------------------------------------------------------------------------------


def test_a_quiet_channel_waits_a_second_and_one_that_was_told_ten():
    assert gathers_at(wanted_at=100, last_made_at=None, openings=1) == 100 + QUIET_WAIT
    assert gathers_at(wanted_at=100, last_made_at=90, openings=1) == 90 + BUSY_WAIT
    assert gathers_at(wanted_at=100, last_made_at=90, openings=21) == 90 + STORM_WAIT


def test_a_thousand_over_two_minutes_are_ten_messages_at_most_and_none_waits_a_minute():
    begin = [number * 120 * SECOND // 1000 for number in range(1000)]
    made: list[int] = []
    told = longest = 0
    while told < len(begin):
        now = gathers_at(
            wanted_at=begin[told],
            last_made_at=made[-1] if made else None,
            openings=_in_the_minute_before(begin, begin[told], made),
        )
        longest = max(longest, now - begin[told])
        told = sum(at <= now for at in begin)
        made.append(now)
    assert len(made) <= 10
    assert longest <= 40 * SECOND


def _in_the_minute_before(begin: list[int], first: int, made: list[int]) -> int:
    now = max(first + QUIET_WAIT, made[-1] + BUSY_WAIT) if made else first
    return sum(now - 60 * SECOND <= at <= now for at in begin)


def test_the_first_is_made_after_a_second_and_what_begins_then_waits_ten(receiver: Receiver):
    webhook(receiver.url)
    a_failing_path("fares-api")
    assert 0.5 < waits_for_seconds() <= 1
    send()
    a_failing_path("berth-api"), a_failing_path("crew-api")
    assert 7 < waits_for_seconds() <= 10
    assert len(receiver.got) == 1
    send(after=10)
    assert receiver.events == [["failing"], ["failing", "failing"]]


def many_incidents(channel: Channel, count: int, event: str) -> None:
    """As many as told at once, without a probe each."""
    now = datetime.now(UTC)
    for _ in range(count):
        service = a_service()
        incident = Incident.objects.create(
            service=service, environment=production(service), title="It fails", opened_at=now,
            resolved_at=now if event == "resolved" else None,
        )  # fmt: skip
        Delivery.objects.create(
            channel=channel, incident=incident, event=event, created_at=now,
            wanted_at=microseconds(now),
        )  # fmt: skip


@pytest.mark.parametrize("event", ["failing", "resolved"])
def test_more_than_twenty_in_a_minute_are_told_less_often(receiver: Receiver, event):
    channel = webhook(receiver.url)
    plan_test(channel, now=datetime.now(UTC), by="Ana")
    send()
    many_incidents(channel, 21, event)
    assert waits_for_seconds() > 20


def test_a_moment_ahead_is_waited_for(receiver: Receiver):
    channel = webhook(receiver.url)
    delivery = plan_test(channel, now=datetime.now(UTC), by="Ana")
    Delivery.objects.update(wanted_at=delivery.wanted_at + 60 * SECOND)
    assert send(after=0) == 0
    assert send(after=61) == 1


def test_a_clock_that_was_set_back_makes_no_alert_wait_for_it(receiver: Receiver):
    webhook(receiver.url)
    a_failing_path("fares-api")
    send()
    a_failing_path("berth-api")
    pass_by(-3600)
    deliver(is_stopping=lambda: False)
    assert receiver.events == [["failing"], ["failing"]]


# What -------------------------------------------------------------------------------------


def test_what_failed_and_recovered_before_it_was_told_is_told_once_as_over(receiver: Receiver):
    webhook(receiver.url)
    path = a_failing_path()
    pass_by(240)
    become(path, "passing")
    send()
    assert receiver.events == [["resolved"]]
    assert "it was failing for 4 min" in receiver.got[0][1]["text"]
    assert {one.outcome() for one in Delivery.objects.all()} == {"delivered"}
    assert Message.objects.count() == 1


def test_resolved_comes_after_failing(receiver: Receiver):
    webhook(receiver.url)
    path = a_failing_path()
    send()
    become(path, "passing")
    send(after=10)
    assert receiver.events == [["failing"], ["resolved"]]


def test_what_is_over_before_the_far_side_takes_it_is_told_as_over(receiver: Receiver):
    webhook(receiver.url)
    receiver.answers = [(500, {})]
    path, other = a_failing_path("fares-api"), a_failing_path("berth-api")
    send()
    become(path, "passing")
    send(after=LONG)
    assert receiver.events == [["failing", "failing"], ["failing", "resolved"]]
    # The far side may have taken the first after all, and would pass over the same key.
    assert len(set(receiver.keys)) == 2
    assert {one.outcome() for one in Delivery.objects.all()} == {"delivered"}
    become(other, "passing")
    send(after=LONG)
    assert receiver.events[2:] == [["resolved"]]


def test_what_still_fails_is_said_again_in_the_same_words_and_under_the_same_key(
    receiver: Receiver,
):
    webhook(receiver.url)
    receiver.answers = [(500, {})]
    a_failing_path()
    send()
    a_failing_path("berth-api")
    send(after=LONG)
    (first, again, *_) = receiver.got
    assert first[2] == again[2]
    assert receiver.keys[0] == receiver.keys[1]


def test_what_was_held_back_meanwhile_is_not_told_and_neither_is_its_end(receiver: Receiver):
    webhook(receiver.url)
    path = a_failing_path()
    become(path, "passing")
    failing = Delivery.objects.filter(event="failing")
    failing.hold(Delivery.HeldBy.SILENCE, "Silenced.", now=datetime.now(UTC))
    send()
    assert receiver.got == []
    resolved = Delivery.objects.get(event="resolved")
    assert (resolved.held_by, resolved.reason) == (
        "ended",
        "It was over before this channel could be told of it.",
    )


def test_a_notice_waits_until_the_page_before_it_is_told(receiver: Receiver):
    channel = webhook(receiver.url)
    now = datetime.now(UTC)
    notice = Notice.objects.create(kind="cert", key="c 7", text="It runs out.", began_at=now)
    Delivery.objects.create(
        channel=channel, notice=notice, event="notice", created_at=now, wanted_at=0
    )
    a_failing_path()
    send()
    assert receiver.events == [["failing"]]
    assert Delivery.objects.waiting().get().notice == notice


# At once ----------------------------------------------------------------------------------


def at_once(act: Callable[[], object], threads: int = 4) -> None:
    begin = threading.Barrier(threads)

    def run() -> None:
        try:
            begin.wait(5)
            act()
        finally:
            connection.close()

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def test_many_senders_at_once_make_one_message_and_send_it_once(receiver: Receiver):
    if connection.vendor == "sqlite":
        pytest.skip("threads share one SQLite in memory; real processes are in tests/faults")
    webhook(receiver.url)
    for number in range(5):
        a_failing_path(f"service-{number}")
    pass_by(2)
    at_once(lambda: deliver(is_stopping=lambda: False))
    assert Message.objects.count() == 1
    assert receiver.events == [["failing"] * 5]


def test_who_plans_an_alert_does_not_wait_for_who_gathers(receiver: Receiver):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time")
    from django.db import transaction

    from opsboard.alerts.gathering import _held

    channel = webhook(receiver.url)
    planned = threading.Event()

    def plan() -> None:
        plan_test(channel, now=datetime.now(UTC) - timedelta(seconds=1), by="Ana")
        connection.close()
        planned.set()

    with transaction.atomic():
        _held(channel.pk)
        threading.Thread(target=plan).start()
        assert planned.wait(5)


def test_what_cannot_be_put_into_words_keeps_no_other_channel_waiting(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    bad = webhook(receiver.url, name="A")
    webhook(receiver.url, name="B")
    a_failing_path()

    def stumble(found: list[Delivery], channel: Channel, **more: Any) -> dict[str, object]:
        assert channel != bad
        return telling.content_of(found, channel, **more)

    monkeypatch.setattr(gathering, "content_of", stumble)
    send()
    assert receiver.events == [["failing"]]
    assert Delivery.objects.waiting().get().channel == bad
    assert "The next message to A could not be written." in caplog.text
