"""Rows of the embedded board: one process, SQLite, and a broker in its own memory."""

import os
import random
import subprocess
import time
from math import inf

from tests.faults.boards import embedded
from tests.faults.ledger import seven_numbers
from tests.faults.programs import Program
from tests.faults.report import Outcome, PassLine
from tests.faults.rig import WARM_UP_SECONDS, Rig, Scale
from tests.faults.runs import Run
from tests.faults.watching import (
    BROKEN_PATHS,
    BROKEN_SERVICE,
    Fault,
    inventions,
    settle,
    settle_rounds,
    watch,
)
from tests.running.processes import PROJECT, until

REFUSED_WITHIN = 30
FAILING_WITHIN = 90.0
ONLY_SERVICE = frozenset({0})


def crashes(scale: Scale) -> Outcome:
    """F42: kill -9 of the whole board at random moments, started again each time.

    A service is down all the while, and recovers only when the killing is over.
    """
    trouble: list[str] = []
    with embedded(scale) as (rig, board):
        board.start()
        rig.warm_up()
        began = time.time()
        rig.tell(BROKEN_PATHS, "500")
        recorded = sum(_crash(rig, board, trouble) for _ in range(scale.times))
        back = time.time()
        board.start()
        assert until(lambda: rig.sink.stat().st_size, seconds=WARM_UP_SECONDS), board.said
        rig.tell(BROKEN_PATHS, "ok")
        run = rig.run(began=began, fault_ended=back, outages=frozenset({BROKEN_SERVICE}))
        settle(run)
        return _crashed(run, scale, recorded, trouble + inventions(run))


def _crash(rig: Rig, board: Program, trouble: list[str]) -> bool:
    """Kill it at a random moment, and look at what it left. Whether it had recorded anything."""
    if not board.is_alive():
        board.start()
    pid, started = board.pid, time.time()
    # Two in three die some time after their first record, the third maybe while it starts.
    if random.random() < 2 / 3:
        until(lambda: rig.observed(started), seconds=WARM_UP_SECONDS)
    time.sleep(random.uniform(0.1, rig.scale.seconds))
    assert board.is_alive(), board.said
    before = _stored(rig)
    board.kill()
    assert not _exists(pid), f"process {pid} survived its kill"
    if lost := before - _stored(rig):
        trouble.append(f"{len(lost)} observations were lost by a crash")
    if (said := rig.store.one("PRAGMA integrity_check")) != "ok":
        trouble.append(f"the database is damaged: {said}")
    return rig.observed(started) > 0


def _stored(rig: Rig) -> set[tuple[object, ...]]:
    return set(rig.store.rows("SELECT probe_id, slot_at, total FROM probes_observation"))


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _crashed(run: Run, scale: Scale, recorded: int, trouble: list[str]) -> Outcome:
    return Outcome(
        row="F42",
        scale=scale,
        figures=seven_numbers(run),
        injected=f"kill -9 {scale.times} times, {recorded} of them after it recorded something",
        # Sent, killed, and not yet marked: the same message goes out again, under the same key.
        pass_line=PassLine(max_gap_s=inf, alerts_duplicated=scale.times),
        notes=["the longest gap is how long it was killed and started in a row"],
        also_broken=trouble if recorded else [*trouble, "it never recorded before a kill"],
    )


def two_boards(scale: Scale) -> Outcome:
    """F41: a second board on the same data refuses, and the first does not notice."""
    trouble: list[str] = []
    with embedded(scale) as (rig, board):
        board.start()
        rig.warm_up()
        line = PassLine(max_gap_s=scale.interval + 2)
        outcome = watch("F41", rig, lambda: _start_another(board, trouble), line)
        if "database is locked" in board.said:
            trouble.append("the first found its database locked")
    outcome.also_broken += trouble
    return outcome


def _start_another(board: Program, trouble: list[str]) -> Fault:
    second = subprocess.run(
        board.command, env=board.environment, cwd=PROJECT, capture_output=True, text=True,
        check=False, timeout=REFUSED_WITHIN,
    )  # fmt: skip
    said = second.stderr.strip()
    if second.returncode != 2 or f"process {board.pid} " not in said:
        trouble.append(f"the second did not refuse, it ended with {second.returncode}: {said}")
    if not board.is_alive():
        trouble.append("the first ended")
    return Fault(injected=f"a second board was started, and said: {said}", ended=time.time())


def one_in_five(scale: Scale) -> Outcome:
    """A far side that fails every fifth request, under a clause on errors over a minute."""
    with embedded(scale) as (rig, board):
        rig.tell("0", "fifth")
        board.start()
        rig.warm_up()
        began = time.time()
        until(lambda: _is_failing(rig), seconds=min(FAILING_WITHIN, scale.seconds))
        failing_after = time.time() - began
        time.sleep(max(0.0, began + scale.seconds - time.time()))
        run = rig.run(began=began, fault_ended=None, outages=ONLY_SERVICE)
        settle_rounds(run)
        trouble = _flapping(rig) + inventions(run)
        told = len(rig.sink.read_text().splitlines())
        figures = seven_numbers(run)
    if told != 1:
        trouble.append(f"{told} alerts came, where one is right")
    return Outcome(
        row="ONE-IN-FIVE",
        scale=scale,
        figures=figures,
        injected="every fifth request of the far side answers 500",
        pass_line=PassLine(max_gap_s=scale.interval + 2),
        notes=[f"failing after {failing_after:.0f} s"],
        also_broken=trouble,
    )


def _is_failing(rig: Rig) -> bool:
    return bool(rig.store.one("SELECT count(*) FROM probes_probe WHERE state = 'failing'"))


def _flapping(rig: Rig) -> list[str]:
    """Once failing, it stays failing: the window has the last word, not the next good answer."""
    changes = [
        after for (after,) in rig.store.rows("SELECT after FROM probes_statechange ORDER BY at")
    ]
    if "failing" not in changes:
        return ["the path never failed"]
    after = changes[changes.index("failing") + 1 :]
    return [f"it flapped: {', '.join(after)} after failing"] if after else []
