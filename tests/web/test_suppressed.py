"""What was held back is listed, with by what, why, and what became of it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.models import Channel, Delivery, Message, Notice
from opsboard.incidents.models import Incident
from tests.web.standing import text_of

HERE = "/alerts/suppressed"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def incident(service, environment) -> Incident:
    return Incident.objects.create(
        service=service,
        environment=environment,
        title="Price a crossing is failing",
        opened_at=NOW,
    )


def held(number: int, about: Incident | None, **fields: object) -> Delivery:
    channel = Channel.objects.create(name=f"Channel {number}", kind="email", address="")
    values: dict[str, object] = {
        "channel": channel,
        "incident": about,
        "event": "failing",
        "created_at": NOW + timedelta(minutes=number),
        "wanted_at": 0,
        "held_at": NOW,
        "held_by": "silence",
        "reason": "Silenced by Edith Moe until 13:00: loading new fares.",
    }
    return Delivery.objects.create(**(values | fields))


@pytest.fixture
def client(client_of):
    return client_of("viewer")


def test_each_says_what_by_what_why_and_what_became_of_it(client, incident):
    held(1, incident)
    held(2, incident, held_by="ended", reason="Recovered before the silence ended.")
    message = Message.objects.create(
        channel=Channel.objects.first(),
        content={},
        made_at=NOW,
        next_attempt_at=0,
        delivered_at=NOW + timedelta(minutes=3, seconds=4),
    )
    held(3, incident, held_at=None, message=message)
    held(4, incident, held_by="past", reason="A backup was restored.")
    text = text_of(client.get(HERE).text)
    assert text.index("Channel 4") < text.index("Channel 3") < text.index("Channel 1")
    for words in (
        "Failing: Price a crossing is failing",
        "of Fares API",
        "Silenced by Edith Moe until 13:00: loading new fares.",
        "Held back still",
        "Recovered before the silence ended. Never sent",
        "Sent after all: delivered in 4 s",
        "Not sent, unless it is seen failing again",
    ):
        assert words in text


def test_what_was_never_held_is_not_listed(client, incident):
    held(1, incident, held_at=None, held_by="", reason="")
    assert "Nothing was held back." in client.get(HERE).text


def test_a_notice_is_listed_by_what_it_says(client, incident):
    notice = Notice.objects.create(kind="warning", key="x", text="It warns.", began_at=NOW)
    held(1, None, notice=notice, event="notice")
    assert "It warns." in client.get(HERE).text


def test_what_is_of_a_removed_service_is_not_listed(client, incident, service):
    held(1, incident)
    service.remove(by=None, now=NOW)
    assert "Nothing was held back." in client.get(HERE).text


def test_the_page_of_alerts_leads_here(client, db):
    page = client.get("/alerts").text
    for address in (HERE, "/alerts/silences", "/maintenance"):
        assert f'href="{address}"' in page


def test_many_are_read_page_by_page_in_the_same_queries(client, incident):
    def count(numbers: range) -> int:
        for number in numbers:
            held(number, incident)
        with CaptureQueriesContext(connection) as captured:
            client.get(HERE)
        return len(captured)

    assert count(range(2)) == count(range(2, 20))
    count(range(20, 105))
    assert "Alerts 101 to 105 of 105" in text_of(client.get(f"{HERE}?page=2").text)
