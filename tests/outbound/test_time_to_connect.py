"""A queue that is full swallows who knocks: that is told within 4 s, whatever the timeout (F38)."""

import socket
from collections.abc import Iterator

import pytest

from opsboard.outbound.reply import Failure
from tests.outbound.asking import ask, failed


@pytest.fixture
def full_port() -> Iterator[int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = [socket.socket() for _ in range(5)]
    for connection in waiting:
        connection.setblocking(False)
        connection.connect_ex(listener.getsockname())
    yield listener.getsockname()[1]
    for opened in [listener, *waiting]:
        opened.close()


def test_a_full_queue_is_a_connect_timeout_after_3_s_of_a_longer_timeout(full_port: int):
    reply = ask(f"http://127.0.0.1:{full_port}/", timeout=10_000_000)
    failed(reply, Failure.CONNECT_TIMEOUT, "did not take the connection within 3 s")
    assert not reply.is_ours
    assert 2_900_000 < reply.phases.total < 4_000_000
