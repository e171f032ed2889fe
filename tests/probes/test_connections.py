"""A sheet's connection, from its fields and its environment's variables to what goes over the wire.

Through the drain, to real machines: what cannot be asked is an error of our own.
"""

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.test import Client

from opsboard.incidents.models import Incident
from opsboard.outbound.reply import USUAL, Connection
from opsboard.probes.drain import Drain
from opsboard.probes.hiding import MASKED
from opsboard.probes.models import Exchange, Observation, Probe
from opsboard.probes.orders import Order, compile_order
from opsboard.probes.rules import State, Verdict
from opsboard.services.models import CriticalPath
from tests.company import a_path, a_probe, a_service, make_due, production
from tests.far_side import FarSide, Request, Visit, answer, redirect
from tests.outbound.certificates import TRUSTED, good

pytestmark = pytest.mark.django_db

SECRET = 's3cr3t+t0ken/é"'


@pytest.fixture
def far_side() -> Iterator[Callable[..., FarSide]]:
    with ExitStack() as stack:
        yield lambda *behaviour, **options: stack.enter_context(FarSide(*behaviour, **options))


def at(url: str, *, secrets: dict[str, str] | None = None, **fields: Any) -> CriticalPath:
    """A path of a service at that address, with these secrets in production."""
    service = a_service()
    service.environments.update(base_url=url.rstrip("/"))
    for name, value in (secrets or {}).items():
        variable = production(service).variables.create(name=name, is_secret=True)
        if value:
            variable.keep(value)
            variable.save()
    return a_path(service, **fields)


def order_of(path: CriticalPath) -> Order:
    probes = Probe.objects.for_pages().prefetch_related("environment__variables")
    return compile_order(probes.get(pk=a_probe(path).pk))


def drained(path: CriticalPath) -> Observation:
    """Asked once by a real drain."""
    make_due(a_probe(path))
    drain = Drain("default", lambda _: None, Observation.objects.filter(probe__path=path).exists)
    drain.run()
    return Observation.objects.get(probe__path=path)


def sent_to(machine: FarSide, path: CriticalPath) -> Request:
    assert drained(path).verdict == Verdict.PASSING
    return machine.requests[-1]


def test_a_usual_sheet_has_a_usual_connection():
    assert order_of(at("http://127.0.0.1:9")).ask.connection is USUAL


def test_basic_credentials_are_filled_from_secrets(far_side: Callable[..., FarSide]):
    machine = far_side(answer())
    basic = {"user": "opsboard", "password": "{{ PASSWORD }}"}
    request = sent_to(
        machine, at(machine.url(), secrets={"PASSWORD": SECRET}, connection={"basic": basic})
    )
    credential = base64.b64encode(f"opsboard:{SECRET}".encode()).decode()
    assert request.header("Authorization") == f"Basic {credential}"


def test_a_bearer_token_is_filled_from_a_secret_and_a_host_from_the_sheet(
    far_side: Callable[..., FarSide],
):
    machine = far_side(answer())
    connection = {"bearer": "{{ TOKEN }}", "host": "fares.example"}
    request = sent_to(machine, at(machine.url(), secrets={"TOKEN": "t0ken"}, connection=connection))
    assert request.header("Authorization") == "Bearer t0ken"
    assert request.header("Host") == "fares.example"


def test_a_header_of_the_sheet_itself_wins(far_side: Callable[..., FarSide]):
    machine = far_side(answer())
    request = sent_to(
        machine,
        at(
            machine.url(),
            headers=[["authorization", "Token own"]],
            connection={"bearer": "other"},
        ),
    )
    assert [value for name, value in request.headers if name.lower() == "authorization"] == [
        "Token own"
    ]


@pytest.mark.parametrize(
    ("fields", "kind", "body"),
    [
        (
            {"connection": {"form": [["a b", "{{ TOKEN }}"], ["c", "é&"]]}},
            "application/x-www-form-urlencoded",
            b"a+b=t0%3Dken&c=%C3%A9%26",
        ),
        ({"body": '{"a": "{{ TOKEN }}"}'}, "application/json", b'{"a": "t0=ken"}'),
        ({"body": "raw {{ TOKEN }}"}, "text/plain", b"raw t0=ken"),
        (
            {"body": "<a/>", "headers": [["Content-Type", "text/xml"]]},
            "text/xml",
            b"<a/>",
        ),
    ],
    ids=["form", "JSON", "raw", "named"],
)
def test_bodies_are_sent_as_what_they_are(
    far_side: Callable[..., FarSide], fields: dict[str, Any], kind: str, body: bytes
):
    machine = far_side(answer())
    request = sent_to(
        machine, at(machine.url(), secrets={"TOKEN": "t0=ken"}, method="POST", **fields)
    )
    assert (request.header("Content-Type"), request.body) == (kind, body)


def test_every_option_reaches_the_request():
    written = {
        "http": "2",
        "ip": 6,
        "server_name": "{{ NAME }}.test",
        "authority": "{{ PEM }}",
        "certificate": "{{ PEM }}",
        "key": "{{ PEM }}",
        "proxy": "http://{{ NAME }}@proxy.test:1",
        "redirects": 9,
        "max_body": 5,
    }
    order = order_of(
        at("http://a.test", secrets={"NAME": "name", "PEM": "pem!"}, connection=written)
    )
    assert order.problem == ""
    assert (order.ask.max_redirects, order.ask.max_body, order.ask.follow) == (9, 5, True)
    assert order.ask.connection == Connection(
        http="2",
        ip=6,
        server_name="name.test",
        authority="pem!",
        certificate="pem!",
        key="pem!",
        proxy="http://name@proxy.test:1",
    )


def test_a_proxy_gets_none_of_the_trust_in_opsboards_own_address(settings: Any):
    path = at(settings.SELF_URL)
    path.service.is_built_in = True
    path.service.save()
    assert order_of(path).signs_in
    path.connection = {"proxy": "http://127.0.0.1:6379"}
    path.save()
    assert not order_of(path).signs_in


@pytest.mark.parametrize(("follows", "limit"), [(True, 0), (False, 3)])
def test_redirects_that_are_not_to_be_followed_are_the_answer(
    far_side: Callable[..., FarSide], follows: bool, limit: int
):
    machine = far_side(redirect("/b"))
    path = at(
        machine.url(),
        follows_redirects=follows,
        connection={"redirects": limit},
        expected_result="status == 302",
    )
    assert (drained(path).verdict, len(machine.requests)) == (Verdict.PASSING, 1)


def test_a_clause_about_the_version_of_http_holds_what_was_spoken(
    far_side: Callable[..., FarSide],
):
    machine = far_side(answer(), tls=good())
    connection = {"authority": TRUSTED.cert_pem.bytes().decode(), "http": "1.1"}
    path = at(machine.url(), connection=connection, expected_result="http == 2")
    observed = drained(path)
    assert (observed.verdict, observed.status) == (Verdict.FAILING, 200)
    assert "1.1" in observed.reason


def echo(visit: Visit) -> None:
    """All that came is sent back, in every way in which it may be written."""
    assert visit.request
    lines = [f"{name}: {value}" for name, value in visit.request.headers]
    said = "\n".join([visit.request.path, *lines]).encode("latin-1") + visit.request.body
    answer(500, ("X-Back", lines[-1].partition(": ")[2]), body=said)(visit)


@pytest.mark.parametrize(
    ("connection", "body"),
    [
        ({"bearer": "{{ TOKEN }}"}, ""),
        ({"basic": {"user": "{{ TOKEN }}", "password": "{{ TOKEN }}"}}, ""),
        ({"basic": {"user": "typed", "password": "typed-too"}}, ""),
        ({"form": [["a", "{{ TOKEN }}"]]}, ""),
        ({}, '{"a": "{{ TOKEN }}"}'),
    ],
    ids=["bearer", "basic", "typed into the sheet", "form", "JSON"],
)
def test_what_comes_back_of_credentials_is_stored_nowhere(
    far_side: Callable[..., FarSide], connection: dict[str, Any], body: str
):
    machine = far_side(echo)
    secret = "s3cr3t + t0ken/"
    path = at(
        machine.url(),
        secrets={"TOKEN": secret},
        connection=connection,
        body=body,
        method="POST",
        expected_result='body contains "nothing of it"',
    )
    assert drained(path).verdict == Verdict.FAILING
    kept = Exchange.objects.get(probe__path=path)
    stored = f"{kept.excerpt}{kept.headers}{Observation.objects.get().reason}"
    assert MASKED in stored
    for form in (secret, "s3cr3t", "typed-too", base64.b64encode(b"typed:typed-too").decode()):
        assert form not in stored
    for request in machine.requests:
        credential = (request.header("Authorization") or "").partition(" ")[2]
        assert not credential or credential not in stored


@pytest.mark.parametrize(
    "connection",
    [
        {"bearer": "{{ TOKEN }}"},
        {"basic": {"user": "a", "password": "{{ TOKEN }}"}},
        {"key": "{{ TOKEN }}", "certificate": "x"},
        {"proxy": "http://{{ TOKEN }}@proxy.test:1"},
        {"form": [["a", "{{ TOKEN }}"]]},
    ],
    ids=lambda connection: next(iter(connection)),
)
def test_a_secret_that_is_not_set_is_an_error_of_ours_and_opens_no_incident(
    connection: dict[str, Any], client_of: Callable[..., Client]
):
    path = at("http://127.0.0.1:9", secrets={"TOKEN": ""}, connection=connection)
    path.service.environments.update(slug="staging")
    observed = drained(path)
    assert observed.verdict == Verdict.ERROR
    assert observed.reason.startswith("error: secret TOKEN is not set for staging")
    probe = Probe.objects.get(path=path)
    assert (State(probe.state), Incident.objects.count()) == (State.NO_DATA, 0)
    page = client_of("viewer").get(f"/services/{path.service.slug}/{path.slug}")
    assert page.status_code == 200
    assert "secret TOKEN is not set for staging" in page.content.decode()
