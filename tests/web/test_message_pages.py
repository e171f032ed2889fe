"""The pages of a channel and of a message: what people get, and what became of it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opsboard.alerts.models import Channel, Delivery, Message
from opsboard.alerts.telling import content_of
from opsboard.incidents.models import Incident
from opsboard.people.models import AuditEntry
from tests.web.standing import a_path, a_service, text_of

NOW = datetime.now(UTC)


def a_channel(kind: str = "webhook", address: str = "https://hooks.example/SECRET") -> Channel:
    channel = Channel(name="Pricing on call", kind=kind)
    channel.keep(address=address, signing_secret="whsec_1" if kind == "webhook" else "")
    channel.save()
    return channel


def an_incident(name: str = "fares-api") -> Incident:
    path = a_path(a_service(name))
    incident = Incident.objects.create(
        service=path.service,
        environment=path.service.environments.get(),
        title="Price a crossing",
        opened_at=NOW - timedelta(minutes=4),
    )
    incident.paths.create(path=path, joined_at=NOW, reason="<script>x()</script>")
    return incident


def a_message(channel: Channel, *incidents: Incident, **fields: Any) -> Message:
    told = [
        Delivery.objects.create(
            channel=channel, incident=one, event="failing", created_at=NOW, wanted_at=0
        )
        for one in incidents
    ]
    message = Message(channel=channel, made_at=NOW, next_attempt_at=0, **fields)
    message.content = content_of(told, channel, now=NOW, key=message.key)
    message.save()
    Delivery.objects.filter(pk__in=[one.pk for one in told]).update(message=message)
    return message


@pytest.fixture
def read(client_of, db):
    return lambda address, role="viewer": client_of(role).get(address).text


def test_a_channel_shows_an_example_of_a_real_path_before_anything_was_sent(read):
    a_path(a_service("berths"), "Reserve a berth")
    channel = a_channel()
    page = text_of(read(f"/alerts/channels/{channel.pk}"))
    assert "Failing: Reserve a berth (berths, production)" in page
    assert Message.objects.count() == Delivery.objects.count() == Incident.objects.count() == 0


@pytest.mark.parametrize(
    ("kind", "address", "says"),
    [
        ("email", "ops@example.com", "As HTML"),
        ("webhook", "https://hooks.example/SECRET", "alert.failing"),
        ("slack", "https://hooks.slack.com/SECRET", "unfurl_links"),
        ("teams", "https://a.logic.azure.com/SECRET", "AdaptiveCard"),
        ("pagerduty", "R" * 32, "event_action"),
        ("apprise", "json://a.example/SECRET", "Failing: Price a crossing"),
    ],
)
def test_what_people_get_is_shown_in_the_form_of_the_kind(read, kind, address, says):
    an_incident()
    page = read(f"/alerts/channels/{a_channel(kind, address).pk}", "editor")
    assert says in page
    assert "SECRET" not in page
    assert "R" * 32 not in page
    assert "<script>x()" not in page


def test_no_page_shows_a_link_that_acknowledges(read):
    channel = a_channel()
    message = a_message(channel, an_incident())
    assert "/acknowledge/" in json.dumps(message.content)
    for page in ("/alerts", f"/alerts/channels/{channel.pk}", f"/alerts/messages/{message.key}"):
        assert f"/acknowledge/{message.deliveries.get().incident_id}-" not in read(page)


def test_a_message_lists_every_alert_with_its_incident(read):
    incidents = [an_incident(f"service-{n}") for n in range(25)]
    message = a_message(a_channel(), *incidents, delivered_at=NOW + timedelta(seconds=2))
    page = read(f"/alerts/messages/{message.key}")
    for incident in incidents:
        assert f'href="/incidents/{incident.pk}"' in page
    assert "2 s after it was made" in text_of(page)
    assert "Send again" not in page


def test_a_message_that_was_given_up_is_sent_again_by_an_editor(read, client_of):
    channel = a_channel()
    message = a_message(channel, an_incident(), dead_at=NOW, attempts=3, last_error="It said 410.")
    address = f"/alerts/messages/{message.key}"
    assert "It said 410." not in read(address)
    assert "Send again" not in read(address)
    assert "It said 410." in read(address, "editor")
    page = client_of("editor").post(f"{address}/again", follow=True).text
    assert "on its way to Pricing on call again" in page
    message.refresh_from_db()
    assert message.dead_at is None
    assert AuditEntry.objects.get().act == "sent again"


def test_what_was_delivered_is_not_sent_again(client_of, db):
    message = a_message(a_channel(), an_incident(), delivered_at=NOW)
    page = client_of("editor").post(f"/alerts/messages/{message.key}/again", follow=True).text
    assert "It was not given up" in page
    assert not AuditEntry.objects.exists()


def test_a_channel_that_fails_says_why_and_how_often_it_was_tried(read):
    channel = a_channel()
    a_message(channel, an_incident(), attempts=6)
    Channel.objects.update(failing_since=NOW, last_error="The receiver answered 410.")
    page = text_of(read(f"/alerts/channels/{channel.pk}", "editor"))
    assert "The receiver answered 410. 6 tries so far." in page
    assert "6 tries. The receiver answered 410." in text_of(read("/alerts", "editor"))
    assert "answered 410" not in read(f"/alerts/channels/{channel.pk}")


def test_a_channel_says_how_long_its_newest_message_was_on_its_way(read):
    channel = a_channel()
    a_message(channel, an_incident(), delivered_at=NOW + timedelta(seconds=4))
    Channel.objects.update(delivered_at=NOW + timedelta(seconds=4))
    assert ", in 4 s" in text_of(read("/alerts"))


def test_a_message_from_before_letters_is_still_shown(read):
    content = {"subject": "Failing: It", "text": "It fails"}
    message = Message.objects.create(
        channel=a_channel("email", "a@b.example"), content=content, made_at=NOW, next_attempt_at=0
    )
    assert "It fails" in read(f"/alerts/messages/{message.key}")
