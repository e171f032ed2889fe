"""Workers that die, stop and pause, against real PostgreSQL and Redis."""

import signal
import time

import pytest

from tests.faults.boards import production
from tests.faults.postgres import Server
from tests.faults.programs import Program
from tests.faults.rig import Scale
from tests.faults.rows import POISONED
from tests.faults.worker_rows import STOPS_WITHIN, five_beats, kill_of_a_worker, pause, poison
from tests.running.processes import until

pytestmark = pytest.mark.servers


def test_no_probe_is_missed_beyond_its_lease_when_a_worker_dies_in_mid_drain(
    server: Server,
) -> None:
    outcome = kill_of_a_worker(server, Scale(probes=300, interval=10, seconds=36, times=2))
    assert not outcome.broken, outcome.line()


def test_a_worker_that_comes_back_late_changes_nothing(server: Server) -> None:
    outcome = pause(server, Scale(probes=200, interval=4, timeout=1, margin=1, seconds=18))
    assert not outcome.broken, outcome.line()


def test_bells_that_ring_five_times_ask_no_probe_and_send_no_alert_twice(server: Server) -> None:
    outcome = five_beats(server, Scale(probes=100, interval=3, timeout=1, seconds=13))
    assert not outcome.broken, outcome.line()


def test_a_path_that_ends_whoever_asks_it_is_set_aside_and_drags_no_other_along(
    server: Server,
) -> None:
    assert not poison(server, POISONED).trouble


def test_a_worker_told_to_stop_ends_within_5_s_and_hands_its_claims_back(server: Server) -> None:
    with production(server, Scale(probes=20, interval=2, timeout=10, workers=1)) as rig:
        rig.tell("0-19", "hang")
        assert until(lambda: rig.claimed() >= 10)
        assert _seconds_to_stop(rig.workers[0]) < STOPS_WITHIN
        assert rig.claimed() == 0


def test_a_worker_told_to_stop_does_not_wait_for_a_receiver_that_says_nothing(
    server: Server,
) -> None:
    leased = "SELECT count(*) FROM alerts_message WHERE leased_until IS NOT NULL"
    with production(server, Scale(probes=20, interval=2, timeout=1, workers=1)) as rig:
        rig.tell_sink("hang")
        rig.tell("10-19", "500")
        assert until(lambda: rig.store.one(leased))
        assert _seconds_to_stop(rig.others[0]) < STOPS_WITHIN
        assert rig.store.one(leased) == 0


def _seconds_to_stop(worker: Program) -> float:
    began = time.monotonic()
    worker.signal(signal.SIGTERM)
    assert worker.wait() == 0, worker.said
    return time.monotonic() - began
