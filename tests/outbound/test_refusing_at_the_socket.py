"""The egress rule holds where the socket is opened: a canary on loopback is never reached (B34)."""

from collections.abc import Callable

import pytest

from opsboard.outbound.egress import Policy, parse_allow
from opsboard.outbound.reply import Failure
from tests.far_side import FarSide, answer
from tests.outbound.asking import HERE, ask, failed, needs_ipv6

Machine = Callable[..., FarSide]
PRODUCTION = Policy()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "canary.localhost",
        "LOCALHOST",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "127.1",
        "0177.0.0.1",
        "127.0.0.1.",
    ],
)
def test_loopback_is_refused_however_it_is_written(far_side: Machine, host: str):
    canary = far_side(answer())
    reply = ask(f"http://{host}:{canary.port}/", policy=PRODUCTION)
    failed(reply, Failure.EGRESS_DENIED, "OPSBOARD_EGRESS_ALLOW=")
    assert reply.is_ours
    assert (reply.status, reply.redirects, canary.connections) == (None, 0, 0)


def test_only_the_named_loopback_address_is_reached(far_side: Machine):
    named, canary = far_side(answer()), far_side(answer(), address="127.0.0.2")
    policy = Policy(allow=parse_allow("127.0.0.1"))
    assert ask(named.url(), policy=policy).failure is None
    failed(ask(canary.url(), policy=policy), Failure.EGRESS_DENIED, "127.0.0.2")
    assert canary.connections == 0


@needs_ipv6
def test_the_first_refused_address_of_a_host_ends_the_ask(far_side: Machine):
    """localhost is ::1 and 127.0.0.1: the second is allowed, and yet it is not tried."""
    machine = far_side(answer())
    reply = ask(machine.url(host="localhost"), policy=Policy(allow=parse_allow("127.0.0.1")))
    failed(reply, Failure.EGRESS_DENIED, "::1")
    assert machine.connections == 0


def test_localhost_is_where_opsboards_own_service_is(far_side: Machine):
    machine = far_side(answer())
    own = Policy.only("127.0.0.1", machine.port)
    assert ask(machine.url(host="localhost"), policy=own).failure is None
    assert machine.requests[0].header("Host") == f"localhost:{machine.port}"


@needs_ipv6
def test_localhost_is_reached_on_either_of_its_addresses(far_side: Machine):
    for address in ("127.0.0.1", "::1"):
        machine = far_side(answer(), address=address)
        reply = ask(machine.url(host="localhost"))
        assert (reply.failure, reply.peer) == (None, address)


@needs_ipv6
def test_a_literal_of_ipv6_is_asked_as_such(far_side: Machine):
    machine = far_side(answer(), address="::1")
    reply = ask(machine.url())
    assert (reply.failure, reply.peer) == (None, "::1")
    assert machine.requests[0].header("Host") == f"[::1]:{machine.port}"


@pytest.mark.parametrize("zone", ["%25lo", "%lo", "%251"])
def test_a_zone_is_refused(zone: str):
    reply = ask(f"http://[::1{zone}]:1/", policy=HERE)
    failed(reply, Failure.EGRESS_DENIED, "network interface")
    assert reply.is_ours


def test_the_metadata_service_is_refused_before_anything_is_sent():
    reply = ask("http://169.254.169.254/latest/meta-data/", policy=HERE)
    failed(reply, Failure.EGRESS_DENIED, "no setting allows it")
    assert reply.is_ours and reply.phases.total < 400_000
