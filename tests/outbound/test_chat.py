"""Messages to Slack, Teams, PagerDuty, webhooks and Apprise: what machines on loopback get."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from opsboard.outbound import apprise, chat, webhook
from opsboard.outbound.answers import Answer
from opsboard.outbound.egress import Policy

HERE = Policy(allow_loopback=True)
AT = 1_614_265_330
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Machine:
    """Keeps what it got; answers each path as told, else with 202."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], Any]] = []
        self.answers: list[tuple[int, dict[str, str], bytes]] = []
        machine = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                machine.got.append((self.path, headers, json.loads(body)))
                status, extra, said = machine.answers.pop(0) if machine.answers else (202, {}, b"")
                self.send_response(status)
                for name, value in {"Content-Length": str(len(said)), **extra}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.at = f"127.0.0.1:{self.server.server_port}"
        self.url = f"http://{self.at}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def machine() -> Iterator[Machine]:
    machine = Machine()
    yield machine
    machine.server.shutdown()
    machine.server.server_close()


def to_slack(machine: Machine) -> Answer:
    return chat.post_slack(machine.url, {"text": "It fails"}, key="k", at=AT, policy=HERE)


def test_a_chat_gets_one_post_with_the_key_of_the_message(machine: Machine):
    assert to_slack(machine) == Answer()
    [(path, headers, body)] = machine.got
    assert (path, headers["idempotency-key"], body) == ("/hook", "k", {"text": "It fails"})


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_what_is_refused_for_good_is_permanent_and_says_what_was_said(
    machine: Machine, status: int
):
    machine.answers = [(status, {}, b"no_service")]
    assert to_slack(machine) == Answer(f"Slack answered {status}: no_service.", None, True)


def test_a_wait_that_is_asked_for_is_told_and_is_not_permanent(machine: Machine):
    machine.answers = [(429, {"Retry-After": "120"}, b"<html>slow down</html>")]
    assert to_slack(machine) == Answer("Slack answered 429.", 120.0)


def test_no_redirect_is_followed(machine: Machine):
    machine.answers = [(302, {"Location": "/elsewhere"}, b"")]
    assert to_slack(machine) == Answer("Slack answered 302.")
    assert len(machine.got) == 1


def test_the_egress_rule_holds_for_chats(machine: Machine):
    answer = chat.post_teams(machine.url, {}, key="k", at=AT, policy=Policy())
    assert "is not allowed" in answer.error
    assert machine.got == []


def pages(machine: Machine, *keys: str) -> Answer:
    events = [{"event_action": "trigger", "dedup_key": key} for key in keys]
    return chat.post_pagerduty(events, at=AT, policy=HERE, url=machine.url)


def test_pagerduty_gets_every_event_and_its_202_is_a_yes(machine: Machine):
    assert pages(machine, *(f"INC-{n}" for n in range(20))) == Answer()
    assert {body["dedup_key"] for _, _, body in machine.got} == {f"INC-{n}" for n in range(20)}


def test_events_of_one_key_go_in_order(machine: Machine):
    events = [
        {"event_action": action, "dedup_key": key}
        for key in "abcdef"
        for action in ("trigger", "resolve")
    ]
    chat.post_pagerduty(events, at=AT, policy=HERE, url=machine.url)
    for key in "abcdef":
        actions = [body["event_action"] for _, _, body in machine.got if body["dedup_key"] == key]
        assert actions == ["trigger", "resolve"]


def test_pagerduty_is_sent_the_same_keys_again_after_trouble(machine: Machine):
    machine.answers = [(429, {"Retry-After": "7"}, b"")]
    assert pages(machine, "a", "b") == Answer("PagerDuty answered 429.", 7.0)
    assert pages(machine, "a", "b") == Answer()
    assert {"a", "b"} <= {body["dedup_key"] for _, _, body in machine.got}


def test_a_signature_is_that_of_standard_webhooks():
    """The example that the libraries of the standard are tested with."""
    signed = webhook.sign(
        SECRET, key="msg_p5jXN8AQM9LWM0D4loKWxJek", at=AT, body=b'{"test": 2432232314}'
    )
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_rotated_a_message_carries_both_signatures(machine: Machine):
    other = "whsec_" + "A" * 44
    webhook.post(machine.url, {"a": 1}, key="k", at=AT, secrets=[SECRET, other], policy=HERE)
    [(_, headers, _)] = machine.got
    body = b'{"a": 1}'
    assert headers["webhook-signature"].split(" ") == [
        webhook.sign(one, key="k", at=AT, body=body) for one in (SECRET, other)
    ]


def through_apprise(*addresses: str, policy: Policy = HERE) -> Answer:
    return apprise.send(list(addresses), subject="It fails", body="Go back", policy=policy)


def test_apprise_sends_and_says_what_the_service_answered(machine: Machine):
    assert through_apprise(f"json://{machine.at}/hook") == Answer()
    [(_, _, body)] = machine.got
    assert (body["title"], body["message"]) == ("It fails", "Go back")
    machine.answers = [(404, {}, b"")]
    assert "the service answered 404" in through_apprise(f"json://{machine.at}/hook").error


def test_apprise_follows_no_redirect(machine: Machine):
    machine.answers = [(302, {"Location": "/elsewhere"}, b"")]
    assert "302" in through_apprise(f"json://{machine.at}/hook").error
    assert len(machine.got) == 1


def test_of_several_addresses_each_has_its_result_and_none_is_named(machine: Machine):
    answer = through_apprise(f"json://{machine.at}/s3cret", "nothing://s3cret")
    assert "address 2: Apprise knows no nothing://" in answer.error
    assert "s3cret" not in answer.error
    assert len(machine.got) == 1


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("nothing://x", "Apprise knows no nothing://"),
        ("hello", "Write an address of Apprise"),
        ("json://", "a part of it is missing"),
        ("json://[::1", "a part of it is missing"),
        ("file:///etc/passwd", "Apprise knows no file://"),
        ("syslog://", "is not spoken to over HTTP"),
        ("dbus://", "is not spoken to over HTTP"),
        ("mailto://a:b@c.example", "is not spoken to over HTTP"),
        ("json://hooks.example/?redirect=yes", "Take redirect= out"),
        ("fcm://project/token?keyfile=/etc/passwd", "Take keyfile= out"),
        ("json://169.254.169.254/", "metadata service"),
        ("json://127.0.0.1/", "is not allowed"),
    ],
)
def test_an_address_of_apprise_that_cannot_be_used_is_told_in_a_sentence(address: str, says: str):
    assert says in apprise.why_not(address, Policy())
    assert through_apprise(address, policy=Policy()).error
