"""Rows in which many targets hang, or we ourselves run out of something: on the embedded board."""

import resource
import time
from pathlib import Path

from opsboard.probes import narrow
from tests.faults.blind_rows import Seen
from tests.faults.boards import embedded
from tests.faults.ledger import longest_gap, open_books
from tests.faults.rig import Rig, Scale
from tests.running.processes import until

IS_FAILING, IS_OURS = (narrow.VERDICT.sql("flags", verdict) for verdict in (2, 3))
# Two of three.
HANGING = 2 / 3
# What a process may open beyond what it has open: too little for what it asks at a time.
FEW = 3


def targets_hang(scale: Scale) -> Seen:
    """F12: two of three targets hang. They fail as timed out, and the others keep their rhythm."""
    with embedded(scale) as (rig, board):
        board.start()
        rig.warm_up()
        hanging = round(scale.probes * HANGING)
        rig.tell(f"0-{hanging - 1}", "hang")
        began = time.time()
        until(lambda: _failing(rig) == hanging, seconds=4 * scale.interval)
        failing_after = time.time() - began
        time.sleep(max(0.0, began + scale.seconds - time.time()))
        trouble = _not_timed_out(rig, hanging)
        rig.probes = {probe: n for probe, n in rig.probes.items() if n >= hanging}
        books = open_books(rig.run(began=began, fault_ended=None, outages=frozenset()))
    gap, line = longest_gap(books), scale.interval + scale.timeout + 2
    if gap > line:
        trouble.append(f"a healthy target was not asked for {gap:.1f} s, at most {line:g} is good")
    return Seen(
        trouble,
        [
            f"{hanging} of {scale.probes} hang, all known after {failing_after:.1f} s; the others'"
            f" longest gap was {gap:.1f} s"
        ],
    )


def _failing(rig: Rig) -> int:
    return int(rig.store.one("SELECT count(*) FROM probes_probe WHERE state = 'failing'"))


def _not_timed_out(rig: Rig, hanging: int) -> list[str]:
    told = rig.store.one(
        "SELECT count(*) FROM probes_probe WHERE state = 'failing'"
        ' AND latest LIKE \'%"failure": "timeout"%\''
    )
    return [] if told == hanging else [f"{told} of {hanging} are failing as timed out"]


def descriptors_run_out(scale: Scale) -> Seen:
    """F33: the process may open next to nothing more. That is ours, and no target is down."""
    with embedded(scale) as (rig, board):
        rig.tell(f"0-{scale.probes - 1}", "slow")
        board.start()
        rig.warm_up()
        before = _limit(board.pid, _fewest_open(board.pid, seconds=scale.interval) + FEW)
        until(lambda: _own_errors(rig) > scale.probes / 10, seconds=scale.seconds)
        errors = _own_errors(rig)
        time.sleep(2 * scale.interval)
        incidents = int(rig.store.one("SELECT count(*) FROM incidents_incident"))
        failures = rig.store.rows(
            f"SELECT DISTINCT failure FROM probes_observation WHERE {IS_FAILING}"  # noqa: S608
        )
        reasons = rig.store.rows(
            f"SELECT DISTINCT told FROM probes_observation WHERE {IS_OURS} LIMIT 3"  # noqa: S608
        )
        _limit(board.pid, before)
        recovered = until(lambda: _all_pass(rig), seconds=6 * scale.interval)
    trouble = [f"{incidents} incidents opened"] if incidents else []
    trouble += [f"a target was called down: {failures}"] if failures else []
    trouble += [] if errors else ["no error of our own was recorded: nothing was proved"]
    trouble += [] if recovered else ["not every path passes, though there are descriptors again"]
    if not all("file descriptor" in reason for (reason,) in reasons):
        trouble.append(f"the reasons do not name it: {reasons}")
    return Seen(trouble, [f"{errors} errors of our own, no incident"])


def _own_errors(rig: Rig) -> int:
    statement = f"SELECT count(*) FROM probes_observation WHERE {IS_OURS}"  # noqa: S608
    return int(rig.store.one(statement))


def _all_pass(rig: Rig) -> bool:
    return not rig.store.one("SELECT count(*) FROM probes_probe WHERE state <> 'passing'")


def _fewest_open(process: int, *, seconds: float) -> int:
    """The lowest of its numbers of open files over a round of probes: a limit set by one look at
    the height of the round would never be met."""
    ends, fewest = time.monotonic() + seconds, _open_files(process)
    while time.monotonic() < ends:
        time.sleep(0.05)
        fewest = min(fewest, _open_files(process))
    return fewest


def _open_files(process: int) -> int:
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


def _limit(process: int, files: int) -> int:
    """Let it open so many files; how many it could before. As prlimit --nofile."""
    soft, hard = resource.prlimit(process, resource.RLIMIT_NOFILE)
    resource.prlimit(process, resource.RLIMIT_NOFILE, (files, hard))
    return soft
