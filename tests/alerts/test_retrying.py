"""Trying again, giving up, sending again what was given up, and telling of a channel in trouble."""

import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import transaction

from opsboard.alerts.channel_trouble import look_at_channels, notice_of_channel
from opsboard.alerts.models import Channel, Delivery, Message, Notice
from opsboard.alerts.replaying import replay
from opsboard.alerts.rules import GIVEN_UP_AFTER
from tests.alerts.failing import a_failing_path, become, send
from tests.alerts.far_sides import Letters, Receiver, e_mail, free_port, webhook
from tests.company import SECOND

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 600


def waits_for() -> float:
    return Message.objects.get().next_attempt_at / SECOND - time.time()


def test_a_receiver_that_fails_is_tried_again_with_the_same_key(receiver: Receiver):
    webhook(receiver.url)
    receiver.answers = [(500, {})]
    a_failing_path()
    send()
    message, delivery = Message.objects.get(), Delivery.objects.get()
    assert message.last_error == "The receiver answered 500."
    assert delivery.outcome() == "trying again"
    assert 3 < waits_for() < 7
    assert Channel.objects.get().failing_since is not None
    send(after=LONG)
    assert len(set(receiver.keys)) == 1
    message.refresh_from_db()
    assert (message.delivered_at is not None, message.attempts) == (True, 2)
    assert Channel.objects.get().failing_since is None


@pytest.mark.parametrize(
    ("said", "least", "most"),
    [("120", 110, 121), ("86400", 890, 901), ("0", 3, 7), ("soon", 3, 7), ("-5", 3, 7)],
)
def test_retry_after_is_honoured_up_to_a_quarter_of_an_hour(receiver: Receiver, said, least, most):
    webhook(receiver.url)
    receiver.answers = [(429, {"Retry-After": said})]
    a_failing_path()
    send()
    assert least < waits_for() < most


def test_retry_after_may_be_a_date(receiver: Receiver):
    webhook(receiver.url)
    until = datetime.now(UTC) + timedelta(seconds=200)
    receiver.answers = [(503, {"Retry-After": format_datetime(until, usegmt=True)})]
    a_failing_path()
    send()
    assert 180 < waits_for() < 201


def test_it_is_given_up_after_three_days_and_kept(receiver: Receiver):
    webhook(receiver.url)
    receiver.answers = [(500, {}), (503, {"Retry-After": "60"})]
    a_failing_path()
    send()
    send(after=GIVEN_UP_AFTER + 60)
    assert Delivery.objects.get().outcome() == "given up"
    assert send(after=LONG) == 0


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_for_good_is_given_up_at_once(receiver: Receiver, status):
    webhook(receiver.url)
    receiver.answers = [(status, {})]
    a_failing_path()
    send()
    assert Delivery.objects.get().outcome() == "given up"
    channel = Channel.objects.get()
    assert channel.failing_since is not None
    assert channel.last_error == f"The receiver answered {status}."


def test_a_mail_server_that_refuses_for_good_is_believed_and_one_that_is_busy_is_not(
    letters: Letters,
):
    e_mail()
    a_failing_path("fares-api")
    letters.answers = ["451 try later"]
    send()
    assert Delivery.objects.get().outcome() == "trying again"
    letters.answers = ["554 never"]
    send(after=LONG)
    assert Delivery.objects.get().outcome() == "given up"
    assert "never" in Message.objects.get().last_error


def test_what_was_given_up_keeps_nothing_later_waiting(receiver: Receiver):
    webhook(receiver.url)
    receiver.answers = [(410, {})]
    path = a_failing_path()
    send()
    become(path, "passing")
    send(after=LONG)
    assert receiver.events == [["failing"], ["resolved"]]


# Again ------------------------------------------------------------------------------------


def test_what_was_given_up_is_sent_again_under_its_key(receiver: Receiver):
    webhook(receiver.url)
    receiver.answers = [(410, {})]
    a_failing_path()
    send()
    message = Message.objects.get()
    assert replay(message, now=datetime.now(UTC)) == ""
    send(after=0)
    assert receiver.keys == [str(message.key)] * 2
    assert Delivery.objects.get().outcome() == "delivered"
    assert replay(message, now=datetime.now(UTC)).startswith("It was not given up")


def test_what_is_over_since_is_not_sent_again_as_failing(receiver: Receiver):
    webhook(receiver.url)
    receiver.answers = [(410, {})]
    path = a_failing_path()
    send()
    become(path, "passing")
    send(after=LONG)
    replay(Message.objects.earliest("pk"), now=datetime.now(UTC))
    send(after=0)
    assert receiver.events == [["failing"], ["resolved"], ["resolved"]]


def test_to_a_removed_channel_nothing_is_sent_again(receiver: Receiver):
    webhook(receiver.url)
    receiver.answers = [(410, {})]
    a_failing_path()
    send()
    Channel.objects.update(removed_at=datetime.now(UTC))
    said = replay(Message.objects.get(), now=datetime.now(UTC))
    assert said == "ops hook was removed: there is nowhere to send it to."


# A channel in trouble ---------------------------------------------------------------------


@pytest.fixture
def other() -> Iterator[Receiver]:
    other = Receiver()
    yield other
    other.close()


def test_a_channel_that_refuses_is_told_through_another_once_and_never_through_itself(
    receiver: Receiver, other: Receiver
):
    dead = webhook(receiver.url, name="Pricing on call")
    webhook(other.url, name="Duty desk")
    receiver.answers = [(410, {})] * 9
    a_failing_path("fares-api")
    send()
    a_failing_path("berth-api")
    send(after=LONG)
    send(after=LONG)
    notice = Notice.objects.get()
    assert (notice.kind, notice.key) == ("channel", f"channel {dead.pk}")
    assert notice.text.startswith(
        "The channel Pricing on call does not deliver: The receiver answered 410."
    )
    assert notice.deliveries.get().channel.name == "Duty desk"
    assert sum(events.count("notice") for events in other.events) == 1
    assert not any("notice" in events for events in receiver.events)


def test_it_is_over_when_the_channel_delivers_again(receiver: Receiver, other: Receiver):
    webhook(receiver.url, name="Pricing on call")
    webhook(other.url, name="Duty desk")
    receiver.answers = [(410, {})]
    a_failing_path("fares-api")
    send()
    a_failing_path("berth-api")
    send(after=LONG)
    assert Notice.objects.get().ended_at is not None
    receiver.answers = [(410, {})]
    a_failing_path("crew-api")
    send(after=LONG)
    assert Notice.objects.open().count() == 1


def test_one_that_fails_for_five_minutes_is_told_of(receiver: Receiver, other: Receiver):
    webhook(receiver.url, name="Pricing on call")
    webhook(other.url, name="Duty desk")
    receiver.answers = [(500, {})] * 9
    a_failing_path()
    send()
    now = datetime.now(UTC)
    look_at_channels(now=now + timedelta(minutes=4))
    assert not Notice.objects.exists()
    for minutes in (6, 7):
        look_at_channels(now=now + timedelta(minutes=minutes))
    assert Notice.objects.get().deliveries.get().channel.name == "Duty desk"


def test_where_nobody_could_be_told_somebody_is_as_soon_as_another_delivers():
    now = datetime.now(UTC)
    dead, duty = webhook("http://127.0.0.1:1/", name="A"), webhook("http://127.0.0.1:1/", name="B")
    Channel.objects.update(failing_since=now)
    with transaction.atomic():
        notice = notice_of_channel(dead, "The receiver answered 410.", now=now)
    assert notice is not None
    look_at_channels(now=now)
    assert not notice.deliveries.exists()
    Channel.objects.filter(pk=duty.pk).update(failing_since=None)
    for _ in range(2):
        look_at_channels(now=now)
    assert [one.channel for one in notice.deliveries.all()] == [duty]


def test_the_administrators_are_told_before_anybody_else(
    receiver: Receiver, other: Receiver, letters: Letters, administrator: User
):
    administrator.email = "layla@skerry.example"
    administrator.save()
    webhook(receiver.url)
    webhook(other.url)
    receiver.answers = [(410, {})]
    a_failing_path()
    send()
    notice = Notice.objects.get()
    assert [one.channel.kind for one in notice.deliveries.all()] == ["admins"]
    send()
    assert "To: layla@skerry.example" in letters.got[-1]


# One that never ends ----------------------------------------------------------------------


@pytest.fixture
def silent_mail(settings: LazySettings) -> Iterator[socket.socket]:
    """It takes the connection, and then gives one byte at a time."""
    port = free_port()
    listener = socket.create_server(("127.0.0.1", port))
    stopping = threading.Event()

    def drip() -> None:
        with listener.accept()[0] as connection:
            while not stopping.wait(0.1):
                connection.send(b"2")

    threading.Thread(target=drip, daemon=True).start()
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": port, "timeout": 5},
        }
    }
    yield listener
    stopping.set()
    listener.close()


def test_a_mail_server_that_drips_is_left_in_time_and_keeps_no_other_channel_waiting(
    silent_mail: socket.socket, receiver: Receiver, settings: LazySettings
):
    settings.DELIVERY_LEASE_SECONDS = 1.5
    e_mail(), webhook(receiver.url)
    a_failing_path()
    send()
    assert len(receiver.got) == 1
    mail = Message.objects.get(channel__kind="email")
    assert mail.last_error == "It has not answered within 1 s."
    assert mail.claim_id is None
