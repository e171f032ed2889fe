"""Every row of B1 to B34: the named verdict in a plain sentence, in time, in little memory.

`tests.outbound.hostile` is the table.
What becomes of the replies: tests/probes/test_hostile_replies.py.
"""

import gc
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import pytest

from opsboard.outbound.egress import Policy
from opsboard.outbound.http import Asker, ask_once
from opsboard.outbound.reply import Ask, Failure
from tests.far_side import FarSide, answer
from tests.outbound.asking import HERE, assert_clear
from tests.outbound.hostile import ATTACKS, Attack, names

Machine = Callable[..., FarSide]
ROUNDS = 5
MOST_GROWTH = 50 << 20


@pytest.fixture(autouse=True)
def resolved() -> Iterator[None]:
    with names():
        yield


def test_every_row_has_an_attack():
    assert {attack.row for attack in ATTACKS} == {f"B{number}" for number in range(1, 35)}


@pytest.mark.parametrize("attack", ATTACKS, ids=str)
def test_a_hostile_server_gets_its_verdict_in_time(far_side: Machine, attack: Attack):
    opened = attack.open(far_side)
    began = time.monotonic()
    reply = ask_once(opened.ask, policy=opened.policy)
    # What our own machine kept it waiting is not the far side's.
    allowed = opened.ask.timeout + 1_000_000 + reply.loop_delay
    assert (time.monotonic() - began) * 1_000_000 < allowed
    assert_clear(reply)
    assert reply.failure == attack.failure, reply
    assert attack.says in reply.detail
    assert attack.failure or reply.status == attack.status
    assert len(reply.body) <= opened.ask.max_body
    assert sum(len(name) + len(value) for name, value in reply.headers) <= 40_000
    assert opened.canary is None or not opened.canary.connections


def _ask_again_and_again(asks: list[tuple[Ask, Policy]], pipe: Pipe) -> None:
    """A worker's asker, in a process of its own: tells its memory before, after and at most."""
    with names():
        asker = Asker()
        asker.start()
        # What is only there after the first request is no growth.
        _all_of(asker, asks[:1])
        gc.collect()
        before = _memory("VmRSS")
        failures = [_all_of(asker, asks) for _ in range(ROUNDS)]
        gc.collect()
        pipe.send((failures, before, _memory("VmRSS"), _memory("VmHWM")))
        asker.stop()


def _all_of(asker: Asker, asks: list[tuple[Ask, Policy]]) -> dict[int, Failure | None]:
    """All at once, as in a drain."""
    for key, (ask, policy) in enumerate(asks):
        asker.ask(ask, policy=policy, at=0, key=key)
    replies = [asker.replies.get(timeout=60) for _ in asks]
    return {int(str(key)): reply.failure for key, _, reply in replies}


def _memory(which: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{which}:"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system has no /proc")
def test_a_worker_stays_small_among_hostile_servers():
    with ExitStack() as stack:
        opened = [
            attack.open(lambda *args, **options: stack.enter_context(FarSide(*args, **options)))
            for attack in ATTACKS
        ]
        friendly = stack.enter_context(FarSide(answer()))
        asks = [(one.ask, one.policy) for one in opened]
        asks.insert(0, (Ask(method="GET", url=friendly.url()), HERE))
        here, there = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        worker = context.Process(target=_ask_again_and_again, args=(asks, there), daemon=True)
        worker.start()
        assert here.poll(120), "the worker hangs"
        failures, before, after, most = here.recv()
        worker.join(20)
    assert worker.exitcode == 0
    assert after - before < MOST_GROWTH and most - before < MOST_GROWTH, (before, after, most)
    for told in failures:
        keyed = enumerate(ATTACKS, 1)
        assert [(str(one), told[key]) for key, one in keyed if told[key] != one.failure] == []
