"""The frame of a row: a warm board, an outage of a service, the fault, and the ledger after."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from tests.faults.alerts_ledger import untold
from tests.faults.ledger import lost_rounds, open_books, seven_numbers
from tests.faults.report import Outcome, PassLine
from tests.faults.rig import PATHS_A_SERVICE, Rig
from tests.faults.runs import Run
from tests.running.processes import until

# The service that goes down while the fault lasts, so that alerts have to get through it.
BROKEN_SERVICE = 1
BROKEN_PATHS = f"{BROKEN_SERVICE * PATHS_A_SERVICE}-{(BROKEN_SERVICE + 1) * PATHS_A_SERVICE - 1}"


@dataclass(kw_only=True)
class Fault:
    """What was done to the board: in words with its proof, and when it was over (real time)."""

    injected: str
    ended: float


def watch(
    row: str,
    rig: Rig,
    inject: Callable[[], Fault],
    pass_line: PassLine,
    *,
    broken_by: str = "500",
    hands_back: bool = False,
    has_a_grid: bool = True,
) -> Outcome:
    """Make the fault on a warm board and count. The run lasts `scale.seconds` and then settles."""
    began = time.time()
    with outage(rig, broken_by, lasts=rig.scale.seconds / 2):
        fault = inject()
        time.sleep(max(0.0, began + rig.scale.seconds - time.time()))
    run = rig.run(began=began, fault_ended=fault.ended, outages=frozenset({BROKEN_SERVICE}))
    run = replace(run, hands_back=hands_back, has_a_grid=has_a_grid)
    settle(run)
    return Outcome(
        row=row,
        scale=rig.scale,
        figures=seven_numbers(run),
        injected=fault.injected,
        pass_line=pass_line,
        also_broken=inventions(run),
    )


def inventions(run: Run) -> list[str]:
    """What was recorded must have been asked: of just that probe and slot."""
    invented = len(open_books(run).invented)
    return [f"{invented} observations are of turns that were never asked"] if invented else []


def settle(run: Run) -> None:
    """Wait for what is still to come of the run: leases in flight, recoveries, their alerts."""
    settle_rounds(run)
    until(lambda: _all_is_told(run), seconds=2 * run.interval + run.lease + 10)


def settle_rounds(run: Run) -> None:
    if run.has_a_grid:
        until(lambda: not lost_rounds(open_books(run)), seconds=run.lease + run.interval + 2)


def _all_is_told(run: Run) -> bool:
    open_incidents = "SELECT count(*) FROM incidents_incident WHERE resolved_at IS NULL"
    return (run.store.one(open_incidents), untold(run.store)) == (0, 0)


@contextmanager
def outage(rig: Rig, does: str, *, lasts: float) -> Iterator[None]:
    """The broken service does what it should not, for a while."""
    rig.tell(BROKEN_PATHS, does)
    end = threading.Timer(lasts, rig.tell, [BROKEN_PATHS, "ok"])
    end.start()
    try:
        yield
    finally:
        end.join()
