"""Two locations, each with a worker of its own, and one of them dead (PostgreSQL and Redis)."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from opsboard.probes import narrow
from tests.faults.boards import production, run_to_its_end
from tests.faults.postgres import Server
from tests.faults.programs import Program, running
from tests.faults.rig import Rig, Scale
from tests.faults.runs import MICRO
from tests.running.processes import until

pytestmark = pytest.mark.servers

HOME, AWAY = "default", "hull"
INTERVAL = 2.0
SCALE = Scale(
    probes=12, interval=INTERVAL, timeout=1, margin=1, workers=1, locations=(HOME, AWAY),
    paths_a_service=1,
)  # fmt: skip


@contextmanager
def both(server: Server) -> Iterator[tuple[Rig, Program]]:
    """A worker in each location; the second is to be hurt. Each of its probes was observed."""
    places = {"OPSBOARD_LOCATIONS": f"{HOME},{AWAY}"}
    with production(server, SCALE, warm=False, **places) as rig:
        assert until(lambda: _asked_from(rig, HOME) == SCALE.probes), rig.logs()
        # Nobody works in the other location yet: nothing of it may have been asked.
        assert _asked_from(rig, AWAY) == 0
        away = rig.worker(AWAY, f"probes.{AWAY}", **places, OPSBOARD_LOCATION=AWAY)
        with running(away):
            assert until(lambda: _asked_from(rig, AWAY) == SCALE.probes), away.said
            yield rig, away


def _asked_from(rig: Rig, location: str, since: float = 0) -> int:
    return int(
        rig.store.one(
            "SELECT count(DISTINCT probe_id) FROM probes_observation o"
            " JOIN probes_probe p ON p.id = o.probe_id WHERE p.location = %s AND o.slot_at > %s",
            location,
            round(since * MICRO),
        )
    )


def _drained(rig: Rig) -> dict[str, str]:
    """By process, the one location it ever drained."""
    rows = rig.store.rows("SELECT instance, duty FROM probes_shift WHERE duty LIKE 'drain:%'")
    return {instance.split(":")[-2]: duty.removeprefix("drain:") for instance, duty in rows}


def _rounds(rig: Rig, location: str, since: float) -> set[int]:
    """How often each probe of a location was asked by its timetable since then."""
    rows = rig.store.rows(
        "SELECT count(*) FROM probes_observation o"  # noqa: S608
        " JOIN probes_probe p ON p.id = o.probe_id"
        f" WHERE p.location = %s AND o.slot_at > %s AND {narrow.KIND.sql('o.flags', 0)}"
        " GROUP BY p.id",
        location,
        round(since * MICRO),
    )
    return {count for (count,) in rows}


def test_each_worker_drains_its_own_location_and_one_that_dies_opens_no_incident(
    server: Server,
) -> None:
    with both(server) as (rig, away):
        workers = {
            str(child): place
            for worker, place in ((rig.workers[0], HOME), (away, AWAY))
            for child in worker.children()
        }
        began = time.time()
        time.sleep(3 * INTERVAL)
        drained = _drained(rig)
        assert set(drained.values()) == {HOME, AWAY}
        assert all(workers[process] == place for process, place in drained.items())
        # The interval is each location's own.
        for place in (HOME, AWAY):
            assert _rounds(rig, place, began) <= {2, 3, 4}, place

        away.kill()
        killed = time.time()
        assert until(lambda: f"the location {AWAY}" in _banner(rig), seconds=30), _banner(rig)
        assert f"probes.{AWAY}" in _banner(rig) and f"location {HOME}" not in _banner(rig)
        assert _asked_from(rig, AWAY, since=killed + 1) == 0
        assert _asked_from(rig, HOME, since=killed + 1) == SCALE.probes
        assert _incidents(rig) == 0

        # Of those that are heard lately all fail now: the path fails, though hull once passed.
        rig.tell("0", "500")
        assert until(lambda: _incidents(rig) == 1, seconds=30), rig.logs()


def _incidents(rig: Rig) -> int:
    return int(rig.store.one("SELECT count(*) FROM incidents_incident"))


def _banner(rig: Rig) -> str:
    return run_to_its_end(rig.environment, "tests.faults.banner")
