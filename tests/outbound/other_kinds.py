"""Asking what is not HTTP as the tests do: loopback allowed, and never longer than its timeout."""

import time
from typing import Any

from opsboard.outbound.egress import Policy
from opsboard.outbound.http import ask_once
from opsboard.outbound.reply import Dial, Lookup, Reply
from tests.far_side import FarSide
from tests.outbound.asking import HERE, TIMEOUT, assert_clear


def dial(machine: FarSide, *, policy: Policy = HERE, host: str = "", **fields: Any) -> Reply:
    literal = f"[{machine.address}]" if ":" in machine.address else machine.address
    return asked(Dial(host=host or literal, port=machine.port, **_short(fields)), policy)


def look_up(
    port: int, *, policy: Policy = HERE, name: str = "fares.example", **fields: Any
) -> Reply:
    fields.setdefault("server", "127.0.0.1")
    return asked(Lookup(name=name, port=port, **_short(fields)), policy)


def asked(what: Dial | Lookup, policy: Policy = HERE) -> Reply:
    """One reply, within its timeout and a second."""
    began = time.monotonic()
    reply = ask_once(what, policy=policy)
    assert time.monotonic() - began < what.timeout / 1_000_000 + 1
    assert_clear(reply)
    return reply


def _short(fields: dict[str, Any]) -> dict[str, Any]:
    return {"timeout": TIMEOUT, **fields}
