"""A name that leads now here, now there: the refused address is reached never (DNS rebinding)."""

import socket
import time
from collections.abc import Callable
from itertools import count

import pytest

from opsboard.outbound.egress import Policy, parse_allow
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Ask, Failure
from tests.far_side import FarSide, answer, redirect
from tests.outbound.asking import ask, failed

Machine = Callable[..., FarSide]
PROBES = 200
# As in production: loopback is refused, but for the address that is named.
POLICY = Policy(allow=parse_allow("127.0.0.2"))
NAMED, CANARY = "127.0.0.2", "127.0.0.3"


@pytest.fixture
def flipping(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every lookup of any name gives the other one of two addresses."""
    turn = count()

    def look_up(_host: bytes, _port: None, **_hints: int) -> list[tuple]:
        address = (NAMED, CANARY)[next(turn) % 2]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0))]

    monkeypatch.setattr("opsboard.outbound.names.socket.getaddrinfo", look_up)


@pytest.fixture
def canary(far_side: Machine) -> FarSide:
    return far_side(answer(), address=CANARY)


def test_200_probes_of_a_name_that_flips_reach_the_refused_address_0_times(
    far_side: Machine, canary: FarSide, flipping: None, asker: Asker
):
    named = far_side(answer(), address=NAMED, port=canary.port)
    for number in range(PROBES):
        # Of names of their own: one lookup would serve all who wait for the same one.
        flips = Ask(method="GET", url=canary.url(host=f"flips-{number}.test"), timeout=5_000_000)
        asker.ask(flips, policy=POLICY, at=time.monotonic(), key=number)
    replies = [asker.replies.get(timeout=10)[2] for _ in range(PROBES)]
    denied = [reply for reply in replies if reply.failure is Failure.EGRESS_DENIED]
    assert canary.connections == 0
    assert len(denied) == PROBES // 2 and all(reply.is_ours for reply in denied)
    assert sum(reply.status == 200 for reply in replies) == PROBES // 2 == named.connections


def test_a_redirect_through_a_name_that_flips_is_judged_at_its_own_hop(
    far_side: Machine, canary: FarSide, flipping: None
):
    named = far_side(answer(), address=NAMED, port=canary.port)
    named.behaviour = redirect(canary.url("/next", host="flips.test"))
    for _ in range(10):
        reply = ask(canary.url(host="flips.test"), policy=POLICY)
        failed(reply, Failure.EGRESS_DENIED, CANARY)
        assert reply.is_ours is (reply.redirects == 0)
    assert canary.connections == 0 and named.connections > 0


def test_a_redirect_to_opsboard_itself_or_to_a_port_of_no_web_is_denied_before_any_lookup(
    far_side: Machine, monkeypatch: pytest.MonkeyPatch
):
    def never(*_: object, **__: object) -> None:
        raise AssertionError("it was looked up")

    monkeypatch.setattr("opsboard.outbound.names.socket.getaddrinfo", never)
    policy = Policy(
        allow_loopback=True,
        own_names=frozenset({("opsboard.test", 443)}),
        refused_ports=frozenset({6379}),
    )
    for target in ("https://opsboard.test/", "http://cache.test:6379/"):
        reply = ask(far_side(redirect(target)).url(), policy=policy)
        failed(reply, Failure.EGRESS_DENIED)
        assert (reply.redirects, reply.is_ours) == (1, False)
