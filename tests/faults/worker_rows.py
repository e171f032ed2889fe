"""Rows in which workers die, stop, pause, or are rung twice: on PostgreSQL and Redis."""

import os
import random
import signal
import time
from contextlib import ExitStack

from tests.faults.blind_rows import Seen
from tests.faults.boards import production
from tests.faults.ledger import longest_gap, open_books
from tests.faults.postgres import Server
from tests.faults.programs import running
from tests.faults.report import Outcome, PassLine
from tests.faults.rig import Rig, Scale
from tests.faults.watching import Fault, watch
from tests.running.processes import until

# Beyond lease and interval: bells are rung once a second.
SLACK = 2.0
RESTART_AFTER = 5.0
STOPS_WITHIN = 5.0
POISON = 7
SET_ASIDE_WITHIN = 60
EXECUTIONS = 6
TAKEN_OVER_WITHIN = 5.0


def over_a_lease(scale: Scale) -> PassLine:
    """No probe is missed beyond its lease."""
    return PassLine(max_gap_s=scale.timeout + scale.margin + scale.interval + SLACK)


def kill_of_a_child(server: Server, scale: Scale) -> Outcome:
    """F1: kill -9 of a worker's child every 2 s, and every third time of the one that drains."""
    with production(server, scale) as rig:
        outcome = watch("F1", rig, lambda: _kill_children(rig), over_a_lease(scale))
        if aside := _set_aside(rig):
            outcome.also_broken.append(f"{aside} were set aside, and are innocent")
        return outcome


def _kill_children(rig: Rig) -> Fault:
    """Those that drain at intervals longer than a lease: a turn is lost once, and not again."""
    draining = 0
    for number in range(rig.scale.times):
        drains = number % 3 == 0
        child = rig.draining() if drains else _bystander(rig)
        os.kill(child, signal.SIGKILL)
        _assert_gone(rig, child)
        draining += drains
        time.sleep(2)
    words = f"kill -9 of {rig.scale.times} children, {draining} of them while they drained"
    return Fault(injected=words, ended=time.time())


def _assert_gone(rig: Rig, child: int) -> None:
    assert until(lambda: child not in _children(rig)), f"process {child} survived its kill"


def _bystander(rig: Rig) -> int:
    drains = rig.draining()
    return random.choice([child for child in _children(rig) if child != drains])


def _children(rig: Rig) -> list[int]:
    return [child for worker in rig.workers for child in worker.children()]


def kill_of_a_worker(server: Server, scale: Scale) -> Outcome:
    """F2: kill -9 of the worker that drains, with its children; started again after 5 s."""
    with production(server, scale) as rig:
        return watch("F2", rig, lambda: _kill_workers(rig), over_a_lease(scale))


def _kill_workers(rig: Rig) -> Fault:
    orphaned = []
    for _ in range(rig.scale.times):
        time.sleep(RESTART_AFTER)
        worker = rig.drainer()
        assert until(rig.claimed), "nothing was claimed to be lost"
        pid = worker.pid
        worker.kill()
        orphaned.append(rig.claimed())
        time.sleep(RESTART_AFTER)
        worker.start()
        assert worker.pid != pid
    assert all(orphaned), f"a worker was killed while it held nothing: {orphaned}"
    words = f"kill -9 of a draining worker {len(orphaned)} times, holding {orphaned} claims"
    return Fault(injected=words, ended=time.time())


def deploy(server: Server, scale: Scale) -> Outcome:
    """F5: SIGTERM of each worker in turn, with requests in flight; started again at once."""
    stops: list[float] = []
    line = PassLine(max_gap_s=scale.interval + 5)
    with production(server, scale) as rig:
        outcome = watch(
            "F5", rig, lambda: _deploy(rig, stops), line, hands_back=True, broken_by="hang"
        )
    slow = [f"a worker took {stop:.1f} s to stop" for stop in stops if stop > STOPS_WITHIN]
    outcome.also_broken += slow
    return outcome


def _deploy(rig: Rig, stops: list[float]) -> Fault:
    for _ in rig.workers:
        worker = rig.drainer()
        time.sleep(1)
        began, pid = time.monotonic(), worker.pid
        worker.signal(signal.SIGTERM)
        assert worker.wait() == 0, rig.logs()
        stops.append(time.monotonic() - began)
        worker.start()
        assert worker.pid != pid
        time.sleep(rig.scale.interval)
    words = f"SIGTERM of {len(stops)} draining workers, stopped in {_listed(stops)} s"
    return Fault(injected=words, ended=time.time())


def _listed(seconds: list[float]) -> str:
    return ", ".join(f"{one:.1f}" for one in seconds)


def pause(server: Server, scale: Scale) -> Outcome:
    """F6: SIGSTOP of the worker that drains for three leases, then SIGCONT."""
    with production(server, scale, OPSBOARD_LOG_LEVEL="WARNING") as rig:
        # The others take over after three seconds; a turn that is later than an interval is missed,
        # and the next one is taken up within SLACK of its point.
        line = PassLine(max_gap_s=3 * scale.interval + SLACK)
        outcome = watch("F6", rig, lambda: _pause(rig), line)
        stale = rig.logs().count("results dropped: their claims were gone")
    outcome.notes.append(f"waves whose stale writes were dropped: {stale}")
    if not stale:
        outcome.also_broken.append("the paused worker tried no stale write: nothing was proved")
    return outcome


def _pause(rig: Rig) -> Fault:
    for _ in range(rig.scale.times):
        # By then every probe keeps to its grid: the first turn of a new one is on none.
        time.sleep(rig.scale.interval)
        worker = rig.drainer()
        assert until(rig.claimed), "nothing was claimed to come back late"
        worker.signal_all(signal.SIGSTOP)
        held = rig.claimed()
        time.sleep(3 * rig.scale.lease)
        worker.signal_all(signal.SIGCONT)
        time.sleep(2)
    words = f"SIGSTOP of a draining worker for {3 * rig.scale.lease:g} s, holding {held} claims"
    return Fault(injected=f"{words}, {rig.scale.times} times", ended=time.time())


def two_beats(server: Server, scale: Scale) -> Outcome:
    """F21: two beats ring, so that every bell is rung twice."""
    return _with_more_beats("F21", server, scale, 1)


def five_beats(server: Server, scale: Scale) -> Outcome:
    """F20: every bell is rung five times, of probes and of alerts."""
    return _with_more_beats("F20", server, scale, 4)


def _with_more_beats(row: str, server: Server, scale: Scale, more: int) -> Outcome:
    with production(server, scale) as rig, ExitStack() as stack:
        beats = [stack.enter_context(running(rig.beat(f"beat{n}"))) for n in range(more)]
        pids = ", ".join(str(beat.pid) for beat in beats)
        fault = Fault(injected=f"{more} more beats, processes {pids}", ended=time.time())
        outcome = watch(row, rig, lambda: fault, PassLine(max_gap_s=scale.interval + SLACK))
        assert all(beat.is_alive() for beat in beats), rig.logs()
        return outcome


def poison(server: Server, scale: Scale) -> Seen:
    """F39: the process of a worker dies whenever it asks one certain path."""
    with production(server, scale) as rig, ExitStack() as stack:
        journal = rig.directory / "poison"
        journal.touch()
        began = time.time()
        poisoned = rig.worker(
            "poisoned", app="tests.faults.poisoned", processes=3,
            POISON=f"/t/{POISON}", POISON_JOURNAL=str(journal),
        )  # fmt: skip
        stack.enter_context(running(poisoned))
        assert until(poisoned.children), poisoned.said
        for worker in rig.workers:
            worker.signal(signal.SIGTERM)
        until(lambda: _set_aside(rig), seconds=SET_ASIDE_WITHIN)
        # A notice is looked for every ten seconds.
        until(lambda: rig.store.one(TOLD), seconds=20)
        return _judge_poison(rig, began, len(journal.read_text().split()))


TOLD = "SELECT count(*) FROM alerts_notice WHERE key LIKE 'set aside%'"


def _set_aside(rig: Rig) -> list[int]:
    rows = rig.store.rows(
        "SELECT c.route FROM probes_probe p JOIN services_criticalpath c ON c.id = p.path_id"
        " WHERE p.leases_lost > 5 AND p.state = 'no_data'"
    )
    return [int(route.rpartition("/")[2]) for (route,) in rows]


def _judge_poison(rig: Rig, began: float, executions: int) -> Seen:
    trouble = []
    if (aside := _set_aside(rig)) != [POISON]:
        trouble.append(f"set aside are {aside}, where {POISON} should be\n{rig.logs()}")
    if not 0 < executions <= EXECUTIONS:
        trouble.append(f"the path was asked {executions} times, at most {EXECUTIONS} is good")
    if opened := rig.store.one("SELECT count(*) FROM incidents_incident"):
        trouble.append(f"{opened} incidents opened")
    if (told := rig.store.one(TOLD)) != 1:
        trouble.append(f"{told} notices tell of it, where one is right")
    rig.probes = {probe: number for probe, number in rig.probes.items() if number != POISON}
    books = open_books(rig.run(began=began, fault_ended=None, outages=frozenset()))
    # Each time the one who drains has died, it takes seconds until another does.
    gap, line = longest_gap(books), over_a_lease(rig.scale).max_gap_s + TAKEN_OVER_WITHIN
    if gap > line:
        trouble.append(f"another was not asked for {gap:.1f} s, at most {line:g} is good")
    return Seen(trouble, [f"asked {executions} times; the others' longest gap was {gap:.1f} s"])
