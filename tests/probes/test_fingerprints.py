"""Two observations are compared when the same was asked: one fingerprint says so."""

from types import SimpleNamespace
from typing import Any

import pytest

from opsboard.probes.fingerprints import fingerprint
from opsboard.probes.models import Probe
from opsboard.probes.orders import compile_order
from tests.company import a_path, a_probe

SHEET: dict[str, Any] = {
    "kind": "http",
    "method": "GET",
    "route": "/price/{{ CUSTOMER }}",
    "headers": [["Authorization", "Bearer {{ TOKEN }}"]],
    "query": [["from", "SK1"]],
    "body": "",
    "follows_redirects": True,
    "connection": {},
    "cache_mode": "as is",
    "steps": [],
}
PLACE: dict[str, Any] = {
    "base_url": "http://fares.example",
    "variables": {"CUSTOMER": "17", "COLOUR": "red"},
    "location": "default",
    "client": "Opsboard/0.1",
}
STEP: dict[str, Any] = {"name": "Log in", "method": "POST", "route": "/login", "body": "{}"}


def of(**changes: Any) -> str:
    sheet = {key: changes.get(key, value) for key, value in SHEET.items()}
    place = {key: changes.get(key, value) for key, value in PLACE.items()}
    return fingerprint(SimpleNamespace(**sheet), **place)


def test_the_same_is_the_same():
    assert of() == of()
    assert len(of()) == 32


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "tcp"},
        {"method": "HEAD"},
        {"route": "/price"},
        {"headers": []},
        {"headers": [["Authorization", "Bearer {{ OTHER_TOKEN }}"]]},
        {"query": [["from", "SK2"]]},
        {"body": "{}"},
        {"follows_redirects": False},
        {"connection": {"http": "2"}},
        {"connection": {"basic": {"user": "ana", "password": "{{ TOKEN }}"}}},
        {"cache_mode": "warm"},
        {"steps": [STEP]},
        {"base_url": "http://other.example"},
        {"variables": {"CUSTOMER": "18", "COLOUR": "red"}},
        {"location": "oslo"},
        {"client": "Opsboard/0.2"},
    ],
    ids=lambda change: "-".join(change),
)
def test_it_changes_with_all_that_is_asked(change: dict[str, Any]):
    assert of(**change) != of()


@pytest.mark.parametrize(
    "change",
    [
        {"variables": {"CUSTOMER": "17", "COLOUR": "blue"}},
        {"headers": [["authorization", "Bearer {{ TOKEN }}"]]},
    ],
)
def test_it_does_not_change_with_what_is_not_sent(change: dict[str, Any]):
    assert of(**change) == of()


@pytest.mark.parametrize(
    ("change", "is_other"),
    [
        ({"name": "Sign in"}, False),
        ({"expect": ["status == 200"]}, False),
        ({"method": "PUT"}, True),
        ({"route": "/sign-in"}, True),
        ({"headers": [["Accept", "*/*"]]}, True),
        ({"query": [["a", "b"]]}, True),
        ({"body": ""}, True),
        ({"form": [["a", "b"]]}, True),
        ({"take": {"token": "json $.token"}}, True),
        ({"always": True}, True),
    ],
)
def test_of_a_step_it_changes_with_what_is_asked_and_taken(change: dict[str, Any], is_other: bool):
    assert (of(steps=[STEP | change]) != of(steps=[STEP])) is is_other


@pytest.mark.django_db
def test_an_order_carries_it_and_a_renewed_secret_asks_the_same():
    path = a_path(headers=[["Authorization", "Bearer {{ TOKEN }}"]])
    place = path.service.environments.get()
    token = place.variables.create(name="TOKEN", is_secret=True)

    def ordered(secret: str, **changes: Any) -> str:
        token.keep(secret)
        token.save()
        type(path).objects.filter(pk=path.pk).update(**changes)
        probe = Probe.objects.for_pages().get(pk=a_probe(path).pk)
        order = compile_order(probe)
        assert not order.problem
        return order.fingerprint

    first = ordered("first-secret")
    assert ordered("second-secret") == first
    assert ordered("x", name="Other", expected_result="status == 201", interval=60_000_000) == first
    assert ordered("x", route="/other") != first
