"""Each kind of channel is spoken to in its own way, from the row to a machine on loopback."""

import email
import email.policy
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User

from opsboard.alerts.delivering import deliver
from opsboard.alerts.models import Channel, Message
from opsboard.alerts.planning import plan_test
from opsboard.alerts.speaking import send as speak
from opsboard.outbound.webhook import sign
from opsboard.people.models import Role
from opsboard.services.models import Rota, Team
from tests.alerts.failing import a_failing_path, become, pass_by, send
from tests.alerts.far_sides import Letters, Receiver

pytestmark = pytest.mark.django_db(transaction=True)


def a_channel(kind: str, address: str = "", **fields: object) -> Channel:
    channel = Channel(name="ops", kind=kind, **fields)
    if address:
        channel.keep(address=address, signing_secret="whsec_bmV3" if kind == "webhook" else "")
    channel.save()
    return channel


def read(letter: str) -> email.message.EmailMessage:
    return email.message_from_string(letter, policy=email.policy.default)  # type: ignore[return-value]


def test_slack_gets_blocks(receiver: Receiver):
    a_channel("slack", receiver.url)
    a_failing_path()
    send()
    [(_, body, _)] = receiver.got
    assert body["blocks"][0]["type"] == "header"
    assert "Go back to the previous release" in str(body["blocks"])


def test_teams_gets_a_card(receiver: Receiver):
    a_channel("teams", receiver.url)
    a_failing_path()
    send()
    [(_, body, _)] = receiver.got
    assert body["attachments"][0]["content"]["type"] == "AdaptiveCard"


def test_pagerduty_is_triggered_and_resolved_by_one_key(receiver: Receiver, settings: LazySettings):
    settings.PAGERDUTY_EVENTS_URL = receiver.url
    a_channel("pagerduty", "R" * 32)
    path = a_failing_path()
    send()
    become(path, "passing")
    send(after=60)
    first, last = (body for _, body, _ in receiver.got)
    assert (first["event_action"], last["event_action"]) == ("trigger", "resolve")
    assert first["dedup_key"] == last["dedup_key"]
    assert first["dedup_key"].startswith(f"opsboard-{urlsplit(settings.URL).netloc}-INC-")


def test_apprise_gets_subject_and_text(receiver: Receiver):
    a_channel("apprise", receiver.url.replace("http://", "json://"))
    a_failing_path()
    send()
    [(_, body, _)] = receiver.got
    assert "Failing: Price a crossing" in body["title"]
    assert "1. Hold new releases" in body["message"]


def test_a_webhook_is_signed_with_both_secrets_while_one_follows_the_other(receiver: Receiver):
    channel = a_channel("webhook", receiver.url)
    channel.previous_secret = channel.signing_secret
    channel.previous_until = datetime.now(UTC) + timedelta(hours=1)
    channel.keep(address=receiver.url, signing_secret="whsec_b2xk")
    channel.save()
    a_failing_path()
    send()
    [(headers, _, body)] = receiver.got
    at = int(headers["webhook-timestamp"])
    assert headers["webhook-signature"].split(" ") == [
        sign(secret, key=headers["webhook-id"], at=at, body=body)
        for secret in ("whsec_b2xk", "whsec_bmV3")
    ]


def test_mail_is_text_and_html_and_the_end_is_threaded_with_the_beginning(letters: Letters):
    a_channel("email", "ops@example.com")
    path = a_failing_path()
    send()
    become(path, "passing")
    send(after=60)
    first, last = (read(letter) for letter in letters.got)
    assert [part.get_content_type() for part in first.iter_parts()] == ["text/plain", "text/html"]
    html = first.get_body(("html",))
    assert html is not None
    assert "<li>Hold new releases" in html.get_content()
    assert "In-Reply-To" not in first
    assert last["In-Reply-To"] == last["References"] == first["Message-ID"]


def a_person(name: str, role: str = "editor", mail: str = "") -> User:
    person = User.objects.create_user(name, email=mail or f"{name}@example.com", password="x" * 20)
    Role.objects.create(user=person, name=role)
    return person


def test_who_is_on_duty_is_mailed(letters: Letters):
    team = Team.objects.create(slug="freight", name="Freight")
    channel = a_channel("duty", team=team)
    now = datetime.now(UTC)
    rota = Rota.objects.create(
        team=team, starts_on=(now - timedelta(days=2)).date(), hand_over_at="09:00"
    )
    rota.turns.create(position=1, person=a_person("ingrid"))
    plan_test(channel, now=now, by="A test")
    pass_by(2)
    deliver(is_stopping=lambda: False)
    [letter] = letters.got
    assert read(letter)["To"] == "ingrid@example.com"


def test_when_nobody_is_on_duty_that_is_the_error(letters: Letters):
    channel = a_channel("duty", team=Team.objects.create(slug="freight", name="Freight"))
    message = Message(channel=channel, content={"subject": "S", "text": "T"})
    answer = speak(message, channel, datetime.now(UTC))
    assert answer.error == "Nobody is on duty in the rota of Freight: add people to it."
    assert letters.got == []


def test_the_administrators_with_an_address_are_mailed(letters: Letters):
    channel = a_channel("admins")
    a_person("layla", "administrator")
    a_person("edith", "editor")
    now = datetime.now(UTC)
    plan_test(channel, now=now, by="A test")
    pass_by(2)
    deliver(is_stopping=lambda: False)
    [letter] = letters.got
    assert read(letter)["To"] == "layla@example.com"


def test_a_channel_whose_key_is_lost_says_so():
    channel = Channel.objects.create(name="ops", kind="slack", address="lost")
    message = Message(channel=channel, content={"subject": "S", "text": "T"})
    assert "cannot be decrypted" in speak(message, channel, datetime.now(UTC)).error
