"""Deliveries: written with the incident, sent to real servers, tried again, never lost."""

from datetime import UTC, datetime, timedelta

import pytest

from opsboard.alerts.delivering import deliver
from opsboard.alerts.models import Channel, Delivery, Message
from opsboard.alerts.planning import plan_test
from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.outbound.webhook import sign
from opsboard.services.models import Team
from tests.alerts.failing import a_failing_path, become, send
from tests.alerts.far_sides import Letters, Receiver, e_mail, webhook
from tests.company import SECOND

pytestmark = pytest.mark.django_db(transaction=True)
LONG = 600


def test_a_webhook_gets_the_message_with_the_rollback_note(receiver: Receiver):
    webhook(receiver.url)
    a_failing_path()
    send()
    [(_, message, _)] = receiver.got
    assert "Failing: Price a crossing" in message["subject"]
    [alert] = message["alerts"]
    assert alert["note"]["title"] == "Go back to the previous release"
    assert alert["note"]["steps"][0]["do"] == "Hold new releases"
    assert Delivery.objects.get().outcome() == "delivered"


def test_a_webhook_is_signed_so_that_its_receiver_can_tell(receiver: Receiver):
    webhook(receiver.url)
    a_failing_path()
    send()
    [(headers, _, body)] = receiver.got
    key, at = headers["webhook-id"], int(headers["webhook-timestamp"])
    assert headers["webhook-signature"] == sign("whsec_test", key=key, at=at, body=body)
    assert headers["idempotency-key"] == key == str(Message.objects.get().key)


def test_an_e_mail_has_expected_and_got_and_the_steps_of_the_way_back(letters: Letters):
    e_mail()
    a_failing_path()
    send()
    [letter] = letters.got
    assert "Failing: Price a crossing (fares-api, production)" in letter
    assert "1. Hold new releases" in letter
    assert "status is 503, expected 200" in letter
    assert "The price stays empty" in letter


def test_an_e_mail_keeps_its_message_id_on_every_try(letters: Letters):
    e_mail()
    a_failing_path()
    send()
    Message.objects.update(delivered_at=None)
    send()
    ids = {next(x for x in got.splitlines() if x.startswith("Message-ID")) for got in letters.got}
    assert len(letters.got) == 2
    assert ids == {f"Message-ID: <{Message.objects.get().key}@localhost>"}


def test_a_receiver_that_is_not_there_is_said_in_words():
    webhook("http://127.0.0.1:1/hook")
    a_failing_path()
    send()
    assert "refused" in Message.objects.get().last_error


def test_without_a_mail_server_the_channel_says_what_to_set():
    e_mail()
    a_failing_path()
    send()
    assert "EMAIL_URL" in Channel.objects.get().last_error


def test_a_sender_that_died_leaves_its_message_to_the_next(receiver: Receiver):
    webhook(receiver.url)
    a_failing_path()
    receiver.answers = [(500, {})]
    send()
    Message.objects.update(claim_id=7, leased_until=1)
    assert send(after=LONG) == 1
    assert len(receiver.got) == 2


def test_a_message_in_another_senders_hands_is_left_alone(receiver: Receiver):
    webhook(receiver.url)
    a_failing_path()
    receiver.answers = [(500, {})]
    send()
    soon = round((datetime.now(UTC) + timedelta(seconds=30)).timestamp() * SECOND)
    Message.objects.update(claim_id=7, leased_until=soon, next_attempt_at=0)
    assert deliver(is_stopping=lambda: False) == 0


def test_that_it_was_sent_is_in_the_timeline_only_once_it_was_taken(receiver: Receiver):
    webhook(receiver.url)
    receiver.answers = [(500, {})]
    a_failing_path()
    sent = TimelineEntry.objects.filter(act="alerted")
    send()
    assert not sent.exists()
    send(after=LONG)
    assert sent.get().text == "ops hook: failing"
    assert sent.get().facts["message"] == receiver.keys[0]


def test_a_channel_of_another_team_does_not_hear(receiver: Receiver):
    webhook(receiver.url, team=Team.objects.create(slug="other", name="Other"))
    a_failing_path()
    assert not Delivery.objects.exists()


def test_an_incident_and_its_deliveries_are_one_write(receiver: Receiver):
    webhook(receiver.url)
    a_failing_path()
    assert Incident.objects.get().deliveries.count() == 1
    assert receiver.got == []


def test_one_channel_that_hangs_up_does_not_keep_another_waiting(
    receiver: Receiver, letters: Letters
):
    webhook("http://127.0.0.1:1/hook")
    webhook(receiver.url)
    e_mail()
    a_failing_path()
    send()
    assert (len(receiver.got), len(letters.got)) == (1, 1)


def test_a_test_message_says_that_nothing_fails(receiver: Receiver):
    plan_test(webhook(receiver.url), now=datetime.now(UTC), by="Ana")
    send()
    [(_, message, _)] = receiver.got
    assert "Ana sent this test" in message["text"]
    assert "Nothing fails" in message["text"]


def test_an_address_whose_key_is_lost_is_kept_and_sent_when_the_key_is_back(receiver: Receiver):
    channel = webhook(receiver.url)
    a_failing_path()
    Channel.objects.filter(pk=channel.pk).update(address="gAAAAA-not-ours")
    send()
    message = Message.objects.get()
    assert "cannot be decrypted" in message.last_error
    assert message.dead_at is None
    Channel.objects.filter(pk=channel.pk).update(address=channel.address)
    send(after=LONG)
    assert receiver.keys == [str(message.key)]


def test_what_a_removed_channel_still_had_to_be_told_is_kept_and_says_why(receiver: Receiver):
    channel = webhook(receiver.url)
    receiver.answers = [(500, {})]
    path = a_failing_path()
    send()
    become(path, "passing")
    Channel.objects.filter(pk=channel.pk).update(removed_at=datetime.now(UTC))
    send(after=LONG)
    assert len(receiver.got) == 1
    failing, resolved = Delivery.objects.order_by("pk")
    assert (failing.outcome(), resolved.outcome()) == ("given up", "held")
    reason = "The channel was removed before this was sent."
    assert failing.message.last_error == resolved.reason == reason
