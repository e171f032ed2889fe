"""Sheets of TCP, TLS and DNS, asked by a real drain and recorded as any other."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from opsboard.probes import orders
from opsboard.probes.answers import answer_of
from opsboard.probes.asking import ask_order
from opsboard.probes.drain import Drain
from opsboard.probes.models import Exchange, Observation, Probe
from opsboard.probes.orders import Order, compile_order
from opsboard.probes.rules import Verdict
from opsboard.services.models import CriticalPath, Environment
from tests.company import NOON, a_path, a_probe, a_service, make_due, production
from tests.far_side import FarSide, Visit, drip, hang, raw
from tests.outbound.certificates import DAY, NOW, TRUSTED, good, speaks
from tests.outbound.name_server import NameServer, says, silence

pytestmark = pytest.mark.django_db
SECOND = 1_000_000
BANNER = raw(b"SSH-2.0-OpenSSH_9.9\r\n")
Machine = Callable[..., FarSide]


@pytest.fixture
def far_side() -> Iterator[Machine]:
    with ExitStack() as stack:
        yield lambda *behaviour, **options: stack.enter_context(
            FarSide(*behaviour, reads=False, **options)
        )


@pytest.fixture(autouse=True)
def private_authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TRUSTED.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))


def sheet(kind: str, route: str, expected_result: str = "", **fields: object) -> CriticalPath:
    service = a_service()
    Environment.objects.filter(service=service).update(base_url="https://127.0.0.1/fares")
    values = {"kind": kind, "route": route, "timeout": SECOND, "patience": 1, **fields}
    return a_path(service, expected_result=expected_result, **values)


def recorded(kind: str, route: str, expected_result: str = "", **fields: object) -> Observation:
    """The observation of such a sheet, after a worker drained it."""
    path = sheet(kind, route, expected_result, **fields)
    probe, give_up = a_probe(path), time.monotonic() + 20
    make_due(probe)

    def is_stopping() -> bool:
        assert time.monotonic() < give_up, "the worker came to no end"
        return Observation.objects.filter(probe=probe).exists()

    Drain("default", lambda _: None, is_stopping).run()
    probe.refresh_from_db()
    observation = Observation.objects.get(probe=probe)
    state = {Verdict.PASSING: "passing", Verdict.FAILING: "failing", Verdict.ERROR: "no_data"}
    assert probe.state == state[Verdict(observation.verdict)]
    return observation


def failed(observation: Observation, *words: str) -> None:
    assert observation.verdict == Verdict.FAILING
    for word in words:
        assert word in observation.reason


def order_of(path: CriticalPath) -> Order:
    probes = Probe.objects.for_pages().prefetch_related("environment__variables")
    return compile_order(probes.get(pk=a_probe(path).pk))


def test_a_tcp_path_that_says_nothing_passes_when_the_connection_is_taken(far_side: Machine):
    machine = far_side(hang())
    observation = recorded("tcp", f"127.0.0.1:{machine.port}")
    assert (observation.verdict, observation.reason) == (Verdict.PASSING, "")
    assert (observation.status, observation.size, observation.failure) == (None, 0, "")
    assert 0 < observation.connect <= observation.total


def test_the_host_of_the_base_url_is_asked_where_the_route_is_a_port(far_side: Machine):
    assert recorded("tcp", f":{far_side(hang()).port}").verdict == Verdict.PASSING


def test_a_tcp_path_that_is_refused_fails():
    failed(recorded("tcp", "127.0.0.1:1"), "127.0.0.1:1 refused the connection")


def test_a_banner_passes_and_another_one_or_none_fails(far_side: Machine):
    expected = 'body contains "SSH-2.0"\ntime < 900 ms'
    observation = recorded("tcp", f":{far_side(BANNER).port}", expected)
    assert (observation.verdict, observation.size) == (Verdict.PASSING, 21)

    observation = recorded("tcp", f":{far_side(raw(b'220 mail')).port}", expected)
    failed(observation, 'body is "220 mail", expected to contain "SSH-2.0"')
    assert observation.is_wrong
    assert Exchange.objects.get(probe_id=observation.probe_id).excerpt == "220 mail"

    failed(recorded("tcp", f":{far_side(hang()).port}", expected), "nothing came")
    failed(recorded("tcp", f":{far_side(raw()).port}", expected), "without an answer")
    failed(recorded("tcp", f":{far_side(drip(b'SSH-2.0', b'.')).port}", expected), "No complete")


def test_no_answer_is_never_taken_for_one_that_lacks_a_word(far_side: Machine):
    expected = 'body not contains "error"'
    for behaviour in (raw(), hang()):
        assert recorded("tcp", f":{far_side(behaviour).port}", expected).verdict == Verdict.FAILING


def test_the_body_is_sent_with_its_secrets_and_they_are_not_stored(far_side: Machine):
    def echo(visit: Visit) -> None:
        visit.send(b"-ERR " + visit.connection.recv(100))

    machine = far_side(echo)
    path = sheet("tcp", f":{machine.port}", 'body contains "+OK"', body="AUTH {{ KEY }}\r\n")
    variable = production(path.service).variables.create(name="KEY", is_secret=True)
    variable.keep("tops3cret")
    variable.save()
    order = order_of(path)
    reply, judgement = ask_order(order, now=NOON)
    assert reply.body == b"-ERR AUTH tops3cret\r\n"
    told = answer_of(order, reply, judgement)
    assert "tops3cret" not in str(told) and "[secret]" in told["reason"]


def test_a_clause_about_a_fact_that_its_kind_does_not_have_fails(far_side: Machine):
    """It is refused when written; a sheet whose kind was changed since must not pass by it."""
    port = far_side(BANNER).port
    failed(recorded("tcp", f":{port}", "status == 200"), "status is not reported")
    failed(recorded("tcp", f":{port}", "certificate.days > 1"), "is not reported")
    failed(recorded("tcp", f":{port}", "header Server exists"), "is not sent")


def test_a_tls_path_that_says_nothing_expects_two_weeks(far_side: Machine):
    observation = recorded("tls", f":{far_side(hang(), tls=good()).port}")
    assert observation.verdict == Verdict.PASSING
    assert observation.tls > 0

    soon = speaks(TRUSTED.issue_cert("127.0.0.1", not_after=NOW + 9 * DAY))
    observation = recorded("tls", f":{far_side(hang(), tls=soon).port}")
    failed(observation, "certificate.days is", "expected over 14")
    probe = Probe.objects.get(pk=observation.probe_id)
    assert json.loads(probe.latest)["ending_certificate"]["host"] == "127.0.0.1"


def test_a_certificate_that_does_not_verify_fails_in_its_own_words(far_side: Machine):
    port = far_side(hang(), tls=good("other.example")).port
    failed(recorded("tls", f":{port}"), "is for other names: DNS:other.example")
    passing = recorded("tls", f":{port}", connection={"server_name": "other.example"})
    assert passing.verdict == Verdict.PASSING


def test_a_dns_path_that_says_nothing_expects_an_answer_of_its_type():
    with NameServer(says("A 10.0.0.9")) as server:
        at = f"@127.0.0.1:{server.port}"
        assert recorded("dns", f"fares.example {at}").verdict == Verdict.PASSING
        failed(recorded("dns", f"fares.example aaaa {at}"), "$.answers")
    with NameServer(says(rcode="NXDOMAIN")) as server:
        observation = recorded("dns", f"fares.example @127.0.0.1:{server.port}")
    failed(observation, '$.rcode is "NXDOMAIN", expected "NOERROR"')
    assert observation.is_wrong
    # A name that leads to another one, and no further.
    with NameServer(says("CNAME other.example.")) as server:
        failed(recorded("dns", f"fares.example @127.0.0.1:{server.port}"), "$.answers")


def test_clauses_are_held_against_the_answer():
    with NameServer(says("MX 10 mail.example.", "MX 20 spare.example.")) as server:
        route = f"fares.example MX @127.0.0.1:{server.port}"
        lines = "json $.answers[*].value matches /^[12]0 /\njson $.answers[*] count == 2"
        assert recorded("dns", route, lines).verdict == Verdict.PASSING
        failed(recorded("dns", route, "json $.answers[*] count == 3"), "is 2 values, expected 3")


def test_a_server_that_does_not_know_or_says_nothing_fails():
    with NameServer(says(rcode="SERVFAIL")) as server:
        observation = recorded("dns", f"fares.example @127.0.0.1:{server.port}")
    failed(observation, "could not find out about fares.example: SERVFAIL")
    assert observation.failure == "dns"
    with NameServer(silence) as server:
        observation = recorded("dns", f"fares.example @127.0.0.1:{server.port}", timeout=300_000)
    failed(observation, "did not answer about fares.example within 300 ms")


@pytest.mark.parametrize(
    ("kind", "route", "words"),
    [
        ("tcp", "{{ HOST }}:1", "{{ HOST }} is not set in production"),
        ("tcp", "db.internal", "not a host and a port"),
        ("tls", "db.internal:0", "not with a port from 1 to 65535"),
        ("dns", "", "not a name, a type and a server"),
        ("dns", "fares.example A @10.0.0.53:x", "is not the address of a server"),
    ],
)
def test_a_route_that_cannot_be_asked_is_our_own_error(kind: str, route: str, words: str):
    observation = recorded(kind, route)
    assert observation.verdict == Verdict.ERROR
    assert words in observation.reason


@pytest.fixture
def production_policy(settings: Any) -> Iterator[None]:
    """In production loopback is refused unless the operator names it."""

    def forget() -> None:
        for compiled in (orders.policy_of_this_place, orders.policy_of_kind):
            compiled.cache_clear()

    settings.EMBEDDED, settings.EGRESS_ALLOW = False, ""
    forget()
    yield
    settings.EMBEDDED = True
    forget()


@pytest.mark.usefixtures("production_policy")
def test_what_the_egress_rule_refuses_is_our_own_error(far_side: Machine):
    canary = far_side(BANNER)
    with NameServer(says("A 10.0.0.9")) as server:
        for kind, route in (
            ("tcp", f":{canary.port}"),
            ("tls", f":{canary.port}"),
            ("dns", f"fares.example @127.0.0.1:{server.port}"),
        ):
            observation = recorded(kind, route)
            assert (observation.verdict, observation.failure) == (Verdict.ERROR, "egress_denied")
    assert (canary.connections, server.questions) == (0, [0, 0])
