"""The last resort: one plain message by a way that needs neither database nor channel."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.core import mail
from django.db import DatabaseError, OperationalError

from opsboard.alerts import last_resort
from opsboard.alerts.last_resort import tell, tell_of_channels, watching_the_database
from opsboard.alerts.models import Channel, Delivery
from opsboard.alerts.unsent import unsent
from opsboard.incidents.models import Incident
from opsboard.probes.models import microseconds
from tests.company import a_service, production
from tests.listening import Listener

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _nothing_told_yet() -> None:
    last_resort._not_before.clear()
    last_resort._failing_since.clear()


@pytest.fixture
def listener(settings: LazySettings) -> Iterator[Listener]:
    with Listener() as listener:
        settings.LAST_RESORT_URL = f"{listener.url}/last"
        settings.LAST_RESORT_AFTER_SECONDS = 0.0
        yield listener


def fail(error: Exception, duty: str = "deliver") -> None:
    with pytest.raises(type(error)), watching_the_database(duty):
        raise error


def test_a_database_that_is_away_is_told_once(listener: Listener):
    for _ in range(3):
        fail(OperationalError("connection refused"))
    [message] = listener.bodies("/last")
    assert message["text"].startswith("Opsboard's database does not answer or refuses writes")
    assert message["subject"].startswith("Opsboard cannot tell by its channels")


def test_a_moment_without_the_database_is_not_told(listener: Listener, settings: LazySettings):
    settings.LAST_RESORT_AFTER_SECONDS = 30.0
    fail(OperationalError("connection refused"))
    assert listener.got == []


def test_a_duty_that_works_again_begins_to_count_anew(listener: Listener, settings: LazySettings):
    settings.LAST_RESORT_AFTER_SECONDS = 30.0
    fail(OperationalError("connection refused"))
    last_resort._failing_since["deliver"] -= 40
    with watching_the_database("deliver"):
        pass
    fail(OperationalError("connection refused"))
    assert listener.got == []


def test_a_full_disk_is_told_at_once(listener: Listener, settings: LazySettings):
    settings.LAST_RESORT_AFTER_SECONDS = 30.0
    fail(OperationalError("database or disk is full"))
    [message] = listener.bodies()
    assert message["text"].startswith("The disk of Opsboard's database is full")


def test_a_mistake_of_ours_is_no_trouble_of_the_database(listener: Listener):
    fail(DatabaseError("no such column"))
    assert listener.got == []


def test_the_same_trouble_has_the_same_id_from_every_process(listener: Listener):
    tell("disk", "Full.")
    # As another process, which knows nothing of this one, would tell it.
    last_resort._not_before.clear()
    tell("disk", "Full.")
    tell("database", "Away.")
    ids = [headers["webhook-id"] for _, _, headers, _ in listener.got]
    assert len(ids) == 3
    assert (ids[0] == ids[1], ids[0] == ids[2]) == (True, False)


def test_a_receiver_that_refuses_is_tried_again_sooner(
    listener: Listener, caplog: pytest.LogCaptureFixture
):
    listener.answer = (500, {})
    tell("disk", "Full.")
    tell("disk", "Full.")
    assert len(listener.got) == 1
    last_resort._not_before["disk"] -= 31
    tell("disk", "Full.")
    assert len(listener.got) == 2
    assert "OPSBOARD_LAST_RESORT_URL did not take a message" in caplog.text


def test_without_an_address_nothing_is_sent(settings: LazySettings):
    settings.LAST_RESORT_URL = ""
    tell("disk", "Full.")


@pytest.fixture
def channel(db: None) -> Channel:
    channel = Channel(name="ops hook", kind="webhook")
    channel.keep(address="http://127.0.0.1:9/hook", signing_secret="whsec_test")
    channel.save()
    return channel


def test_a_secret_that_cannot_be_decrypted_is_told(listener: Listener, channel: Channel):
    tell_of_channels(now=NOW)
    assert listener.got == []
    Channel.objects.update(address="of another key")
    tell_of_channels(now=NOW)
    [message] = listener.bodies()
    assert message["text"].startswith("The address of the channel ops hook cannot be decrypted")


def an_incident(channel: Channel, **fields: object) -> Incident:
    service = a_service("fares-api")
    incident = Incident.objects.create(
        service=service,
        environment=production(service),
        title="Price a crossing is failing",
        opened_at=NOW - MINUTE,
    )
    Delivery.objects.create(
        channel=channel,
        incident=incident,
        event="failing",
        created_at=NOW - MINUTE,
        wanted_at=0,
        **fields,
    )
    return incident


@pytest.mark.parametrize(
    ("channel_fails", "held", "acknowledged", "is_told"),
    [
        (True, False, False, True),
        (False, False, False, False),
        (True, True, False, False),
        (True, False, True, False),
    ],
)
def test_a_page_for_which_no_channel_works_is_told(
    listener: Listener,
    channel: Channel,
    *,
    channel_fails: bool,
    held: bool,
    acknowledged: bool,
    is_told: bool,
):
    incident = an_incident(channel, held_at=NOW if held else None)
    if acknowledged:
        Incident.objects.update(acknowledged_at=NOW)
    if channel_fails:
        Channel.objects.update(failing_since=NOW)
    tell_of_channels(now=NOW)
    assert bool(listener.got) is is_told
    if is_told:
        text = listener.bodies()[0]["text"]
        assert text.startswith("Nobody could be told that Price a crossing is failing (fares-api,")
        assert f"/incidents/{incident.pk}," in text


def test_a_page_that_nobody_hears_is_told(listener: Listener, channel: Channel):
    an_incident(channel).deliveries.all().delete()
    tell_of_channels(now=NOW)
    assert len(listener.got) == 1


@pytest.mark.django_db
def test_alerts_that_get_out_are_no_news(channel: Channel):
    assert unsent(NOW) is None
    Delivery.objects.create(
        channel=channel, event="test", created_at=NOW, wanted_at=microseconds(NOW - 4 * MINUTE)
    )
    assert unsent(NOW) is None


def test_an_alert_that_waits_is_in_the_banner(client_of, channel: Channel):
    delivery = Delivery.objects.create(
        channel=channel, event="test", created_at=NOW, wanted_at=microseconds(NOW - 6 * MINUTE)
    )
    assert unsent(NOW) == (
        "An alert to ops hook has waited for 6 min: start a worker for the queue alerts, or read "
        "its log."
    )
    assert "An alert to ops hook has waited for" in client_of("viewer").get("/account").text
    delivery.message = channel.messages.create(
        content={}, made_at=NOW - 6 * MINUTE, next_attempt_at=0
    )
    delivery.save()
    assert unsent(NOW) is not None
    channel.messages.update(dead_at=NOW)
    assert unsent(NOW) is None


def test_a_board_of_which_no_channel_delivers_says_so(client_of, channel: Channel):
    Channel.objects.update(failing_since=NOW)
    assert unsent(NOW) == (
        "No alert channel delivers, so nobody would be told of a failure: mend ops hook, or add "
        "another channel, on the page Alerts."
    )
    assert "nobody would be told of a failure" in client_of("viewer").get("/account").text
    other = Channel(name="other", kind="webhook")
    other.keep(address="http://127.0.0.1:9/hook")
    other.save()
    assert unsent(NOW) is None


def test_it_may_be_a_mail(settings: LazySettings):
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
    settings.LAST_RESORT_URL = "mailto:ops@example.com"
    tell("disk", "The disk is full.")
    [letter] = mail.outbox
    assert letter.to == ["ops@example.com"]
    assert letter.body.startswith("The disk is full.")
    assert letter.extra_headers["Message-ID"].startswith("<")
