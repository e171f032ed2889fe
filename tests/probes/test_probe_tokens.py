"""The token of an environment goes with its probes to the service itself, and nowhere else."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from opsboard.outbound.reply import Failure
from opsboard.probes.asking import ask_order
from opsboard.probes.models import Probe, moment
from opsboard.probes.orders import Order, compile_order
from opsboard.probes.schedule import database_now
from opsboard.services.models import CriticalPath
from tests.company import a_path, a_probe, a_service, production
from tests.far_side import FarSide, answer, redirect

pytestmark = pytest.mark.django_db

HEADER = "X-Opsboard-Probe"
TOKEN = "t0ken-of-the-probes"

Machines = Callable[..., FarSide]


@pytest.fixture
def far_side() -> Iterator[Machines]:
    with ExitStack() as stack:
        yield lambda *behaviour: stack.enter_context(FarSide(*behaviour))


def order_at(url: str, *, token: str | None = TOKEN, **fields: Any) -> Order:
    """Of a path of a service there. `token` "": its variable is not set; None: there is none."""
    service = a_service()
    service.environments.update(base_url=url.rstrip("/"))
    if token is not None:
        variable = production(service).variables.create(
            name="OPSBOARD_PROBE_TOKEN", is_secret=True, reference="" if token else "OF_THE_FILE"
        )
        if token:
            variable.keep(token)
            variable.save()
    path = a_path(service, **fields)
    probes = Probe.objects.for_pages().prefetch_related("environment__variables")
    return compile_order(probes.get(pk=a_probe(path).pk))


def ask(order: Order) -> None:
    reply, _ = ask_order(order, now=moment(database_now()))
    assert reply.failure is None, reply.detail


def test_a_probe_carries_the_token_of_its_environment(far_side: Machines):
    machine = far_side(answer())
    order = order_at(machine.url("/base"), route="/quotes?from=LEI")
    ask(order)
    assert machine.requests[0].header(HEADER) == TOKEN
    assert TOKEN in order.secrets


def test_without_such_a_variable_no_probe_carries_one(far_side: Machines):
    machine = far_side(answer())
    ask(order_at(machine.url(), token=None))
    assert machine.requests[0].header(HEADER) is None


def test_a_header_of_the_sheet_itself_wins(far_side: Machines):
    machine = far_side(answer())
    ask(order_at(machine.url(), headers=[["x-opsboard-probe", "its own"]]))
    sent = [value for name, value in machine.requests[0].headers if name.lower() == HEADER.lower()]
    assert sent == ["its own"]


def test_an_address_elsewhere_does_not_learn_the_token(far_side: Machines):
    home, elsewhere = far_side(answer()), far_side(answer())
    ask(order_at(home.url(), route=elsewhere.url("/quotes")))
    assert elsewhere.requests[0].header(HEADER) is None


def test_an_address_that_only_begins_like_the_services_does_not_learn_the_token():
    token = order_at("http://fares.example").token
    assert token is not None
    assert token.goes_with("http://fares.example/quotes", ())
    assert token.goes_with("http://fares.example", ())
    for url in (
        "http://fares.example.evil.example/",
        "http://fares.example:8080/",
        "http://fares.example@evil.example/",
        "https://fares.example/",
    ):
        assert not token.goes_with(url, ())


def test_a_redirect_elsewhere_does_not_take_the_token_along(far_side: Machines):
    elsewhere = far_side(answer())
    home = far_side(redirect(elsewhere.url("/moved")))
    ask(order_at(home.url(), follows_redirects=True))
    assert home.requests[0].header(HEADER) == TOKEN
    assert elsewhere.requests[0].header(HEADER) is None


def test_each_step_carries_the_token_but_one_that_is_asked_elsewhere(far_side: Machines):
    home, elsewhere = far_side(answer()), far_side(answer())
    steps = [
        {"name": "first", "route": "/first"},
        {"name": "next", "route": elsewhere.url("/next")},
        {"name": "last", "route": "/last"},
    ]
    ask(order_at(home.url(), steps=steps))
    assert [request.header(HEADER) for request in home.requests] == [TOKEN, TOKEN]
    assert [request.header(HEADER) for request in elsewhere.requests] == [None]


def test_a_token_that_is_not_set_is_told_before_anything_is_asked():
    order = order_at("http://127.0.0.1:9", token="")
    assert order.refusal().failure is Failure.CONFIG
    assert order.problem.startswith("secret OPSBOARD_PROBE_TOKEN is not set for production")


@pytest.mark.parametrize("kind", [CriticalPath.Kind.TCP, CriticalPath.Kind.TLS])
def test_a_path_that_is_no_http_needs_no_token(kind: CriticalPath.Kind):
    order = order_at("http://127.0.0.1:9", token="", kind=kind, route="127.0.0.1:9")
    assert (order.token, order.problem) == (None, "")
