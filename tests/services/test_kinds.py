"""What a route means by kind, and which fields a kind has a use for."""

import pytest

from opsboard.services.kinds import (
    KINDS,
    check_kind,
    check_route_of,
    misplaced_beside_steps,
    unused,
)
from opsboard.services.models import CriticalPath


def test_every_kind_that_can_be_stored_is_known() -> None:
    assert set(KINDS) == set(CriticalPath.Kind.values)


def test_a_kind_that_is_none_is_told_the_nearest() -> None:
    assert check_kind("tcp") == ""
    assert check_kind("htp") == "Unknown kind `htp`; did you mean `http`?"
    assert "`heartbeat`" in check_kind("cron")


@pytest.mark.parametrize(
    ("kind", "route"),
    [
        ("http", "/price?from=SK1"),
        ("tcp", "db.internal:5432"),
        ("tcp", ":5432"),
        ("tcp", "[::1]:22"),
        ("tcp", "{{ HOST }}:{{ PORT }}"),
        ("tls", "fares.example:443"),
        ("dns", "fares.example"),
        ("dns", "_sip._tcp.fares.example srv @10.0.0.53"),
        ("dns", "fares.example MX @10.0.0.53:5353"),
        ("dns", "fares.example MX @[2001:db8::53]:5353"),
        ("dns", "{{ NAME }} AAAA @2001:db8::53"),
        ("dns", "fares.example A @{{ SERVER }}:{{ PORT }}"),
        ("heartbeat", ""),
    ],
)
def test_a_route_may_be_what_its_kind_can_ask(kind: str, route: str) -> None:
    assert check_route_of(kind, route) == ""


@pytest.mark.parametrize(
    ("kind", "route", "says"),
    [
        ("http", "price", "Begin with /"),
        ("http", "/" + "x" * 2_000, "at most 2,000 characters"),
        ("tcp", "db.internal", "Write a host and a port, as in db.internal:5432"),
        ("tcp", "", "Write a host and a port"),
        ("tcp", "https://db.internal:1", "no address with /"),
        ("tcp", "db.internal:70000", "from 1 to 65535"),
        ("tcp", "db internal:1", "a space"),
        ("tls", "fares.example", "as in fares.example:443, or :443"),
        ("tls", "127.1:443", "four numbers"),
        ("dns", "", "as in fares.example AAAA @10.0.0.53"),
        ("dns", "a b c", "as in fares.example AAAA @10.0.0.53"),
        ("dns", "fares.example AAA", "did you mean `AAAA`?"),
        ("dns", "fares.example A @ns.example", "as an IP address"),
        ("dns", "fares.example A @10.0.0.53:0", "from 1 to 65535"),
        ("dns", "fares.example A @", "as an IP address"),
        ("dns", "fares.example A @10.0.0.53:70000", "from 1 to 65535"),
        ("dns", "fares.example A @10.0.0:53", "as an IP address"),
        ("dns", "https://fares.example", "not a name that can be looked up"),
        ("dns", "färes.example", "not a name that can be looked up"),
    ],
)
def test_another_route_is_refused(kind: str, route: str, says: str) -> None:
    assert says in check_route_of(kind, route)


@pytest.mark.parametrize(
    ("kind", "field", "says"),
    [
        ("dns", "headers", "A DNS path sends no headers: take them out."),
        ("tcp", "query", "A TCP path sends no query: take it out."),
        ("tls", "body", "A TLS path sends no body: take it out."),
        ("tls", "cache_mode", "A TLS path meets no cache: take the mode out."),
        ("tcp", "steps", "A TCP path has no steps: take them out. Only HTTP has several."),
        ("heartbeat", "route", "A heartbeat is asked nothing, so it has no route: take it out."),
        ("heartbeat", "locations", "A heartbeat is asked from nowhere: take the locations out."),
        ("http", "heartbeat", "or make its kind heartbeat"),
    ],
)
def test_a_field_that_a_kind_has_no_use_for_is_refused(kind: str, field: str, says: str) -> None:
    (problem,) = unused(kind, {field: "x"})
    assert problem.at == (field,)
    assert says in problem.sentence


def test_what_is_as_usual_is_not_told() -> None:
    assert not list(unused("dns", {"headers": [], "route": "fares.example", "cache_mode": ""}))


def test_beside_steps_the_path_sends_nothing_of_its_own() -> None:
    (problem,) = misplaced_beside_steps({"body": "x", "connection": {"ip": 4}})
    assert problem.at == ("body",)
    assert "move this into a step" in problem.sentence
