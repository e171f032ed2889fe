"""Asking a far side as the tests do: loopback allowed, little time, and never longer than that."""

import socket
import time
from typing import Any

import pytest

from opsboard.outbound.egress import Policy
from opsboard.outbound.http import ask_once
from opsboard.outbound.reply import Ask, Failure, Reply

HERE = Policy(allow_loopback=True)
TIMEOUT = 500_000


def has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback address")

# What a sentence for people never holds.
_RAW = ("None", "Error", "Exception", "Traceback", "errno", "CURL", "<", "\n", "object at")


def ask(url: str, *, policy: Policy = HERE, method: str = "GET", **fields: Any) -> Reply:
    """One reply, within its timeout and a second."""
    timeout = fields.pop("timeout", TIMEOUT)
    began = time.monotonic()
    reply = ask_once(Ask(method=method, url=url, timeout=timeout, **fields), policy=policy)
    assert time.monotonic() - began < timeout / 1_000_000 + 1
    assert_clear(reply)
    return reply


def assert_clear(reply: Reply) -> None:
    """A failure is told in one sentence for people; a whole reply has none."""
    if reply.failure is None:
        assert reply.detail == ""
        return
    assert reply.detail.endswith(".") or "OPSBOARD_EGRESS_ALLOW=" in reply.detail
    assert 20 < len(reply.detail) < 300
    assert reply.detail.isprintable()
    assert not [raw for raw in _RAW if raw in reply.detail], reply.detail


def failed(reply: Reply, failure: Failure, *words: str) -> None:
    """It failed in this way, and its sentence holds these words."""
    assert reply.failure == failure, reply
    for word in words:
        assert word in reply.detail, reply.detail
