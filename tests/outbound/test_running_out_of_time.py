"""Whatever the far side does, an ask ends at its timeout (rows F37, F38; B4, B5: what is kept)."""

import socket
from collections.abc import Callable, Iterator

import pytest

from opsboard.outbound.reply import Failure
from tests.far_side import FarSide, answer, drip, hang, redirect, routes
from tests.outbound.asking import ask, failed

OK = b"HTTP/1.1 200 OK\r\n"
Machine = Callable[..., FarSide]


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose queue is full: nobody takes what connects, and the system answers no more."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = [socket.socket() for _ in range(4)]
    for connection in waiting:
        connection.setblocking(False)
        connection.connect_ex(listener.getsockname())
    yield listener.getsockname()[1]
    for opened in [listener, *waiting]:
        opened.close()


def test_a_body_that_drips_ends_at_the_timeout(far_side: Machine):
    reply = ask(far_side(drip(OK + b"Content-Length: 5000\r\n\r\nhi", b".")).url())
    failed(reply, Failure.TIMEOUT, "No complete answer", "within 500 ms", "of 5000 bytes")
    assert reply.status == 200 and reply.body.startswith(b"hi.")


def test_a_body_that_stops_tells_how_much_came(far_side: Machine):
    reply = ask(far_side(hang(OK + b"Content-Length: 5\r\n\r\nhel")).url(), timeout=300_000)
    failed(reply, Failure.TIMEOUT, "within 300 ms: 3 of 5 bytes came")


def test_interim_answers_that_drip_end_at_the_timeout(far_side: Machine):
    reply = ask(far_side(drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n")).url())
    failed(reply, Failure.TIMEOUT, "500 ms")
    assert reply.status is None


def test_the_timeout_bounds_a_whole_chain_of_redirects(far_side: Machine):
    slow = {f"/{n}": answer(302, ("Location", f"/{n + 1}"), after=0.2) for n in range(9)}
    reply = ask(far_side(routes(slow)).url("/0"), timeout=500_000)
    failed(reply, Failure.TIMEOUT, "500 ms")
    assert reply.redirects == 2
    assert 450_000 < reply.phases.total < 1_000_000


def test_a_connection_that_nobody_takes_is_told_apart_from_a_slow_answer(deaf_port: int):
    reply = ask(f"http://127.0.0.1:{deaf_port}/")
    failed(reply, Failure.CONNECT_TIMEOUT, "did not take the connection within 500 ms")
    assert reply.phases.connect > 400_000


def test_a_port_where_nothing_listens_refuses():
    reply = ask("http://127.0.0.1:1/")
    failed(reply, Failure.REFUSED, "127.0.0.1:1 refused the connection: nothing listens there")
    assert not reply.is_ours and reply.peer == ""


def test_a_redirect_to_a_port_where_nothing_listens_is_the_far_sides_failure(far_side: Machine):
    reply = ask(far_side(redirect("http://127.0.0.1:1/")).url())
    failed(reply, Failure.REFUSED)
    assert (reply.redirects, reply.is_ours) == (1, False)
