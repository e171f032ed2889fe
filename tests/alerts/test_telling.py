"""What a message tells, read from the database: in a constant number of queries."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.models import Channel, Delivery, Message, Notice
from opsboard.alerts.telling import content_of
from opsboard.incidents.models import Incident
from opsboard.probes.models import microseconds
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import Service
from tests.company import NOON, a_path, a_probe, a_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def channel() -> Channel:
    return a_channel("email", "ops@example.com")


def a_channel(kind: str, address: str) -> Channel:
    channel = Channel(name="ops", kind=kind)
    channel.keep(address=address)
    channel.save()
    return channel


def a_note(service: Service, title: str = "Go back to the previous release") -> None:
    RollbackNote.objects.create(service=service).write(
        title=title,
        use_when="",
        does_not_undo="",
        minutes=4,
        steps=[{"do": "Hold new releases", "run": "fares hold", "see": "held", "call": ""}],
        reason="",
        by=None,
        now=NOON,
    )


def an_incident(slug: str = "", **fields: Any) -> Incident:
    path = a_path(a_service(slug), name="Price a crossing")
    probe = a_probe(path, now=NOON)
    probe.latest = '{"clauses": [{"clause": "status == 200", "held": false, "got": "503"}]}'
    probe.save()
    a_note(path.service)
    values = {"title": path.name, "opened_at": NOON - timedelta(minutes=4)}
    incident = Incident.objects.create(
        service=path.service, environment=path.service.environments.get(), **(values | fields)
    )
    incident.paths.create(path=path, joined_at=NOON, reason="status is 503, expected 200")
    return incident


def a_delivery(channel: Channel, incident: Incident | None, event: str, **fields: Any) -> Delivery:
    return Delivery.objects.create(
        channel=channel,
        incident=incident,
        event=event,
        created_at=NOON,
        wanted_at=microseconds(NOON),
        **fields,
    )


def told(channel: Channel, *deliveries: Delivery) -> Message:
    """A message that told them, as gathering makes it."""
    message = Message(channel=channel, made_at=NOON, next_attempt_at=0)
    message.content = content_of(deliveries, channel, now=NOON, key=message.key)
    message.save()
    Delivery.objects.filter(pk__in=[one.pk for one in deliveries]).update(message=message)
    return message


def test_one_alert_tells_all_of_its_incident(channel: Channel):
    incident = an_incident("fares-api", cause={"sentence": "Release 3.", "moved": ["p95 0.3 s"]})
    content = content_of([a_delivery(channel, incident, "failing")], channel, now=NOON)
    assert content["subject"] == f"[{incident}] Failing: Price a crossing (fares-api, production)"
    assert "is failing: expected status == 200, got 503." in content["text"]
    assert "1. Hold new releases" in content["text"]
    assert "Likely cause: Release 3." in content["text"]
    assert "What moved: p95 0.3 s" in content["text"]
    assert "/acknowledge/" in content["text"]
    [facts] = content["alerts"]
    assert (facts["event"], facts["incident"]) == ("failing", str(incident))
    assert facts["note"]["steps"][0]["do"] == "Hold new releases"


def test_no_route_shows_the_value_of_a_secret(channel: Channel):
    incident = an_incident()
    incident.paths.get().path.__class__.objects.update(route="/v2?key={{ TOKEN }}")
    content = content_of([a_delivery(channel, incident, "failing")], channel, now=NOON)
    assert "{{ TOKEN }}" in content["text"]


def test_failing_and_resolved_at_once_are_one_alert(channel: Channel):
    incident = an_incident("fares-api", resolved_at=NOON)
    both = [a_delivery(channel, incident, event) for event in ("failing", "resolved")]
    content = content_of(both, channel, now=NOON)
    assert content["subject"].startswith(f"[{incident}] Was failing for 4 min: Price a crossing")
    assert "was failing for 4 min" in content["text"]
    [facts] = content["alerts"]
    assert (facts["event"], facts["events"]) == ("resolved", ("failing", "resolved"))


def test_what_is_caused_below_tells_the_note_of_the_service_below(channel: Channel):
    below = an_incident("fares-db")
    RollbackNote.objects.filter(service=below.service).delete()
    a_note(below.service, "Fail over to the second database")
    above = an_incident("fares-api", below=below)
    content = content_of([a_delivery(channel, above, "linked")], channel, now=NOON)
    assert f"Caused below by {below}" in content["subject"]
    assert "its note is Fail over to the second database." in content["text"]
    assert "Go back to the previous release" not in content["text"]


def test_a_notice_and_a_test_have_their_own_words(channel: Channel):
    notice = Notice.objects.create(
        kind="cert", key="a", text="The certificate of a.example ends in 7 days.", began_at=NOON
    )
    content = content_of([a_delivery(channel, None, "notice", notice=notice)], channel, now=NOON)
    assert content["subject"] == "Notice: The certificate of a.example ends in 7 days."
    content = content_of(
        [a_delivery(channel, None, "test", text="Nothing fails.")], channel, now=NOON
    )
    assert content["subject"] == "Test from Opsboard: ops"
    assert content["text"].startswith("Nothing fails.")


def test_a_channels_own_subject_is_taken(channel: Channel):
    channel.subject_template = "{{ tier }} {{ event }}: {{ path }}"
    content = content_of([a_delivery(channel, an_incident(), "failing")], channel, now=NOON)
    assert content["subject"] == "Tier 2 Failing: Price a crossing"
    assert content["letter"]["subject"] == content["subject"]


@pytest.mark.parametrize("kind", ["email", "pagerduty", "webhook"])
@pytest.mark.parametrize("event", ["failing", "resolved"])
def test_a_thousand_alerts_are_told_with_as_many_queries_as_two(kind: str, event: str):
    channel = a_channel(kind, "x")
    few = [a_delivery(channel, an_incident(), event) for _ in range(2)]
    many = few + a_thousand(channel, event)
    assert queries(few, channel) <= 16
    assert queries(many, channel) <= queries(few, channel)


def a_thousand(channel: Channel, event: str) -> list[Delivery]:
    template = an_incident()
    services = Service.objects.bulk_create(
        Service(slug=f"many-{n}", name=f"many-{n}", team=template.service.team) for n in range(1000)
    )
    environments = template.environment.__class__.objects.bulk_create(
        template.environment.__class__(service=one, slug="production", base_url="http://a.example")
        for one in services
    )
    incidents = Incident.objects.bulk_create(
        Incident(service=service, environment=place, title="It", opened_at=NOON)
        for service, place in zip(services, environments, strict=True)
    )
    return Delivery.objects.bulk_create(
        Delivery(channel=channel, incident=one, event=event, created_at=NOON, wanted_at=0)
        for one in incidents
    )


def queries(deliveries: list[Delivery], channel: Channel) -> int:
    read = Delivery.objects.filter(pk__in=[one.pk for one in deliveries]).select_related("notice")
    kept = list(read)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        content_of(kept, channel, now=NOON)
    return len(seen)


def test_a_storm_names_20_and_has_facts_of_every_one(channel: Channel, settings: LazySettings):
    settings.URL = "https://ops.example"
    message = told(channel, *a_thousand(channel, "failing"))
    content = message.content
    assert len(content["letter"]["parts"]) == 20
    assert len({one["incident"] for one in content["alerts"]}) == 1000
    assert f"https://ops.example/alerts/messages/{message.key}" in content["text"]
    assert len(content["text"]) < 20_000


def test_mail_of_the_end_follows_on_the_mail_of_the_beginning(channel: Channel):
    incident = an_incident()
    first = told(channel, a_delivery(channel, incident, "failing"))
    assert first.content["replies_to"] == []
    last = told(channel, a_delivery(channel, incident, "resolved"))
    assert last.content["replies_to"] == [str(first.key)]


def keys(message: Message) -> list[tuple[str, str]]:
    host = urlsplit_host()
    return [(one["action"], one["key"].removeprefix(host)) for one in message.content["events"]]


def urlsplit_host() -> str:
    from django.conf import settings

    return f"opsboard-{urlsplit(settings.URL).netloc}-"


def test_pagerduty_resolves_what_it_triggered():
    channel, incident = a_channel("pagerduty", "R" * 32), an_incident()
    first = told(channel, a_delivery(channel, incident, "failing"))
    last = told(channel, a_delivery(channel, incident, "resolved"))
    assert keys(first) == [("trigger", str(incident))]
    assert keys(last) == [("resolve", str(incident))]


def test_pagerduty_hears_of_a_group_by_an_event_for_each():
    channel = a_channel("pagerduty", "R" * 32)
    incidents = [an_incident() for _ in range(3)]
    message = told(channel, *(a_delivery(channel, one, "failing") for one in incidents))
    assert sorted(keys(message)) == sorted(("trigger", str(one)) for one in incidents)


def test_a_summary_resolves_when_all_that_it_told_of_has():
    channel = a_channel("pagerduty", "R" * 32)
    storm = told(channel, *a_thousand(channel, "failing"))
    assert keys(storm) == [("trigger", str(storm.key))]
    incidents = list(Incident.objects.filter(deliveries__channel=channel).order_by("pk"))
    some = told(channel, *(a_delivery(channel, one, "resolved") for one in incidents[:600]))
    assert keys(some) == []
    rest = told(channel, *(a_delivery(channel, one, "resolved") for one in incidents[600:]))
    assert keys(rest) == [("resolve", str(storm.key))]


def test_a_test_leaves_nothing_open_at_pagerduty():
    channel = a_channel("pagerduty", "R" * 32)
    message = told(channel, a_delivery(channel, None, "test", text="x"))
    assert [action for action, _ in keys(message)] == ["trigger", "resolve"]
