"""Races that need an exact start: real processes, told to begin at the same moment."""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.boards import embedded_environment, production_environment, seed
from tests.faults.postgres import Server
from tests.faults.rig import Scale
from tests.faults.runs import MICRO
from tests.faults.store import Store
from tests.faults.talking import Talker, talker
from tests.running.processes import free_port, with_tables

pytestmark = pytest.mark.servers

PROCESSES = 4
ROUNDS = 5
RECOVERIES = 20
# No lease runs out while the test lasts: a probe that is claimed twice was claimed by two at once.
CLAIMED = Scale(probes=300, interval=3600, timeout=60, margin=60)
RECOVERING = Scale(probes=2, interval=3600, timeout=60, margin=60, patience=1)


@pytest.fixture
def postgres(server: Server) -> Iterator[tuple[Store, dict[str, str]]]:
    with server.database() as url:
        yield Store(url), production_environment(url, free_port())


def test_four_processes_never_claim_one_probe_twice_on_postgresql(
    postgres: tuple[Store, dict[str, str]],
) -> None:
    _claim_at_once(*postgres)


def test_four_processes_never_claim_one_probe_twice_on_sqlite(tmp_path: Path) -> None:
    with_tables(tmp_path)
    _claim_at_once(Store(f"sqlite:///{tmp_path}/opsboard.sqlite3"), embedded_environment(tmp_path))


def _claim_at_once(store: Store, environment: Mapping[str, str]) -> None:
    environment = {**environment, **CLAIMED.settings()}
    seed(environment, CLAIMED, targets=9, sink=9)
    with ExitStack() as stack:
        claimers = [
            stack.enter_context(talker("tests.faults.claimer", environment))
            for _ in range(PROCESSES)
        ]
        for claimer in claimers:
            claimer.hear()
        most = 0
        for _ in range(ROUNDS):
            _make_due(store)
            logs = _all_at_once(claimers, "claim")
            most = max(most, _claimed_by(logs))
    # Which processes SQLite lets write, and how often, is its own affair.
    assert most > 1, "only one of them ever claimed: nothing was proved"


def _claimed_by(logs: list[list[str]]) -> int:
    """By how many processes, and nothing twice: by what each was given, not by what the database
    holds in the end."""
    times = Counter(line.split()[0] for log in logs for line in log)
    twice = [probe for probe, count in times.items() if count > 1]
    assert not twice, f"claimed by two processes at once: {twice}"
    assert len(times) == CLAIMED.probes
    return sum(bool(log) for log in logs)


def test_two_probes_of_a_service_that_recover_at_once_leave_no_incident_open(
    postgres: tuple[Store, dict[str, str]],
) -> None:
    store, environment = postgres
    environment = {**environment, **RECOVERING.settings()}
    seed(environment, RECOVERING, targets=9, sink=9)
    store.write("UPDATE probes_probe SET slot_at = slot_at + %s", 1800 * MICRO)
    probes = [probe for (probe,) in store.rows("SELECT id FROM probes_probe ORDER BY id")]
    with ExitStack() as stack:
        recorders = [
            stack.enter_context(talker("tests.faults.recorder", environment)) for _ in probes
        ]
        for recorder in recorders:
            recorder.hear()
        for _ in range(RECOVERIES):
            _fail_one_after_the_other(store, recorders, probes)
            _recover_at_once(store, recorders, probes)
    # What fails again so soon is the same incident, which begins and ends each time.
    assert store.one("SELECT sum(openings) FROM incidents_incident") == RECOVERIES
    assert store.one("SELECT count(*) FROM probes_probe WHERE state = 'passing'") == 2


def _fail_one_after_the_other(store: Store, recorders: list[Talker], probes: list[int]) -> None:
    for recorder, probe in zip(recorders, probes, strict=True):
        _hand_out(store, recorder, probe)
        recorder.tell("fails")
    assert _open(store) == 1


def _recover_at_once(store: Store, recorders: list[Talker], probes: list[int]) -> None:
    for recorder, probe in zip(recorders, probes, strict=True):
        _hand_out(store, recorder, probe)
    _all_at_once(recorders, "passes")
    assert _open(store) == 0, "an incident stays open though both paths have recovered"


def _hand_out(store: Store, recorder: Talker, probe: int) -> None:
    """Make this probe due, and none else, and let this process claim it."""
    _make_due(store, probe)
    recorder.tell("claim")


def _all_at_once(talkers: list[Talker], word: str) -> list[list[str]]:
    for one in talkers:
        one.say(word)
    return [one.hear() for one in talkers]


def _make_due(store: Store, probe: int | None = None) -> None:
    """This probe, or every one: due at this moment, and in nobody's hands."""
    store.write(
        "UPDATE probes_probe SET slot_at = %s, claim_id = NULL, leased_until = NULL"
        " WHERE id = COALESCE(%s, id)",
        time.time_ns() // 1000,
        probe,
    )


def _open(store: Store) -> int:
    question = "SELECT count(*) FROM incidents_incident WHERE resolved_at IS NULL"
    return int(store.one(question))
