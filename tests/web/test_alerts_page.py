"""The page of alerts: which channels deliver, and what became of what was sent."""

from datetime import UTC, datetime, timedelta

import pytest

from opsboard.alerts.models import Channel, Delivery, Message
from opsboard.incidents.models import Incident
from opsboard.services.models import Team
from tests.web.standing import a_service, text_of

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _the_clock_stands(monkeypatch):
    """However long after this file was read a test runs."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


def a_channel(name: str = "Pricing on call", **fields: object) -> Channel:
    values: dict[str, object] = {"name": name, "kind": Channel.Kind.WEBHOOK}
    channel = Channel(**(values | fields))
    channel.keep(address="https://hooks.example/SECRET", signing_secret="whsec_1")
    channel.save()
    return channel


def a_delivery(
    channel: Channel, subject: str, at: datetime, *, event: str, incident: Incident | None = None,
    **fields: object,
) -> Delivery:  # fmt: skip
    """One that is in a message of its own; `fields` are the message's."""
    content = {"subject": subject, "text": "<script>x()</script>", "alerts": []}
    values = {"channel": channel, "content": content, "made_at": at, "next_attempt_at": 0} | fields
    return Delivery.objects.create(
        channel=channel, incident=incident, event=event, created_at=at, wanted_at=0,
        message=Message.objects.create(**values), text="" if incident else subject,
    )  # fmt: skip


@pytest.fixture
def read(client_of, db):
    return lambda role="viewer": client_of(role).get("/alerts").text


def test_without_a_channel_nobody_would_be_told(read):
    assert "Nobody would be told</h1>" in read()
    assert 'href="/alerts/channels/new"' in read("editor")
    assert 'href="/alerts/channels/new"' not in read()


def test_channels_that_deliver_are_counted(read):
    a_channel(delivered_at=NOW), a_channel("Duty desk", delivered_at=NOW)
    assert "2 channels deliver</h1>" in read()


def test_a_channel_that_fails_comes_first_and_says_since_when(read):
    a_channel("A", delivered_at=NOW)
    since = NOW - timedelta(hours=2)
    a_channel("Z", failing_since=since, last_error="The receiver answered 410.")
    page = text_of(read("editor"))
    assert "1 channel has not delivered since" in page
    assert page.index(" Z ") < page.index(" A ")
    assert "2 h. The receiver answered 410." in page


def test_nobody_but_an_editor_learns_where_a_channel_goes_or_what_it_answered(read):
    a_channel(failing_since=NOW, last_error="secret@skerry.example refused")
    for_viewers, for_editors = read(), read("editor")
    assert "hooks.example" not in for_viewers
    assert "refused" not in for_viewers
    assert "webhook at hooks.example" in for_editors
    assert "SECRET" not in for_editors


def test_an_address_that_cannot_be_decrypted_is_said_to(read):
    Channel.objects.create(name="Lost", kind=Channel.Kind.EMAIL, address="nonsense")
    assert "An address that cannot be decrypted" in read("editor")


def test_each_channel_says_what_it_hears_and_when_it_last_delivered(read):
    team = Team.objects.create(slug="freight", name="Freight")
    a_channel("Freight duty", team=team, delivered_at=NOW)
    a_channel("Everybody")
    page = text_of(read())
    assert "Freight services" in page
    assert "All services never" in page
    assert "Nothing sent yet" in page


def test_teams_about_whom_nobody_hears_are_named(read):
    a_service(team="Booking")
    a_channel(team=a_service(team="Freight").team)
    assert "Nobody would be told when a service of Booking fails." in text_of(read())
    a_channel("Everybody")
    assert "Nobody would be told" not in read()


def test_what_was_sent_is_listed_newest_first_with_its_outcome(read):
    service, channel = a_service(), a_channel()
    incident = Incident.objects.create(
        service=service, environment=service.environments.get(), title="Price", opened_at=NOW
    )
    for minutes, event, fields in [
        (9, "failing", {"delivered_at": NOW - timedelta(minutes=9, seconds=-4)}),
        (5, "resolved", {"attempts": 2}),
    ]:
        at = NOW - timedelta(minutes=minutes)
        a_delivery(channel, f"Subject of {event}", at, incident=incident, event=event, **fields)
    page = read()
    shown = text_of(page)
    assert shown.index("Resolved: Price") < shown.index("Failing: Price")
    assert "Pricing on call Delivered in 4 s" in shown
    assert "Pricing on call Trying again after 2 tries" in shown
    assert f'href="/incidents/{incident.pk}"' in page
    assert "<script>x()" not in page


def test_only_the_last_50_are_shown(read):
    channel = a_channel()
    for number in range(60):
        a_delivery(channel, f"Test {number}.", NOW - timedelta(minutes=number), event="test")
    page = read()
    assert "Test 49." in page
    assert "Test 50." not in page


def test_a_test_goes_the_road_of_a_real_alert(client_of, db):
    channel = a_channel()
    answer = client_of("editor").post(f"/alerts/channels/{channel.pk}/test", follow=True)
    sent = Delivery.objects.get()
    assert (sent.channel, sent.event, sent.incident) == (channel, Delivery.Event.TEST, None)
    assert "Edith Moe sent this test" in sent.text
    assert "A test to Pricing on call is on its way." in answer.text


def test_a_removed_channel_is_gone_but_what_it_sent_stays(client_of, db):
    channel = a_channel()
    client = client_of("editor")
    client.post(f"/alerts/channels/{channel.pk}/test")
    page = client.post(f"/alerts/channels/{channel.pk}/removal", follow=True).text
    assert "Nobody would be told</h1>" in page
    assert "sent this test from Opsboard" in page
    assert client.post(f"/alerts/channels/{channel.pk}/test").status_code == 404
    channel.refresh_from_db()
    assert channel.removed_at is not None


def test_viewers_get_no_buttons(read):
    a_channel()
    for words in ("Send a test", "Remove", "Add a channel"):
        assert words in read("editor")
        assert words not in read()


def test_what_was_held_back_says_by_what(read):
    delivery = a_delivery(a_channel(), "It fails", NOW, event="test")
    Delivery.objects.update(message=None)
    assert Delivery.objects.hold(Delivery.HeldBy.PAST, "It was in the backup.", now=NOW) == 1
    assert delivery.text in text_of(read("editor"))
    assert "Of the past" in text_of(read("editor"))
