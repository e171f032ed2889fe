"""The prober's own network is gone: one state, one notice, and no thousand incidents (F35)."""

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.faults.boards import embedded_environment, run_to_its_end
from tests.faults.namespaces import FAR, Networks, two_networks
from tests.faults.postgres import NotHereError
from tests.faults.programs import Program, running
from tests.faults.runs import MICRO
from tests.faults.store import Store
from tests.running.processes import until, with_tables

PROBES = 40
PORT, CANARY = 8000, 8001


@dataclass
class Board:
    networks: Networks
    store: Store
    drainer: Program
    canary: Program

    def states(self) -> dict[str, int]:
        rows = self.store.rows("SELECT state, count(*) FROM probes_probe GROUP BY state")
        return dict(rows)

    def all_are(self, state: str) -> bool:
        return bool(until(lambda: self.states() == {state: PROBES}, seconds=30))

    def incidents(self) -> int:
        return int(self.store.one("SELECT count(*) FROM incidents_incident"))

    def told(self) -> list[str]:
        """Every notice there ever was. That we are slow may be said of any busy machine."""
        rows = self.store.rows("SELECT text FROM alerts_notice WHERE kind <> 'overload'")
        return [text for (text,) in rows]

    def open_notices(self) -> int:
        question = "SELECT count(*) FROM alerts_notice WHERE ended_at IS NULL"
        return int(self.store.one(f"{question} AND kind <> 'overload'"))


@pytest.fixture(scope="module")
def networks() -> Iterator[Networks]:
    try:
        with two_networks() as made:
            yield made
    except NotHereError as reason:
        pytest.skip(str(reason))


@pytest.fixture
def board(networks: Networks) -> Iterator[Board]:
    with ExitStack() as stack:
        made = tempfile.TemporaryDirectory(prefix="opsboard-faults-")
        data = with_tables(Path(stack.enter_context(made)))
        environment = embedded_environment(data) | {
            "OPSBOARD_CANARIES": f"tcp://{FAR}:{CANARY}",
            "OPSBOARD_REASK_AFTER_SECONDS": "0.5",
            # All targets are at one address here.
            "OPSBOARD_PROBES_AT_ONCE_A_HOST": str(PROBES),
        }
        order = {
            "probes": PROBES,
            "targets": f"http://{FAR}:{PORT}",
            "channels": {},
            "paths_a_service": 1,
            "teams": 1,
            "interval": 2 * MICRO,
            "timeout": MICRO,
            "patience": 2,
            "expected_result": "status == 200",
        }
        run_to_its_end(environment, "tests.faults.seed", json.dumps(order))

        def program(name: str, where: str, module: str, *arguments: str) -> Program:
            command = networks.inside(where, sys.executable, "-m", f"tests.faults.{module}")
            log = data / f"{name}.log"
            return stack.enter_context(running(Program([*command, *arguments], environment, log)))

        program("targets", networks.far, "targets", str(PORT), str(data / "journal"), FAR)
        canary = program("canary", networks.far, "targets", str(CANARY), str(data / "canary"), FAR)
        drainer = program("drainer", networks.prober, "drainer")
        store = Store(f"sqlite:///{data}/opsboard.sqlite3")
        board = Board(networks, store, drainer, canary)
        assert board.all_are("passing"), drainer.said
        yield board


@pytest.mark.parametrize(
    ("lose", "find", "words"),
    [
        (Networks.pull, Networks.plug_in, "no network but itself"),
        (Networks.swallow, Networks.hear_again, "OPSBOARD_CANARIES"),
    ],
)
def test_a_prober_without_its_network_opens_no_incident_and_tells_once(
    board: Board, lose: object, find: object, words: str
) -> None:
    assert callable(lose) and callable(find)
    lose(board.networks)
    assert board.all_are("no_data"), board.drainer.said
    assert until(board.told, seconds=20)
    find(board.networks)
    assert board.all_are("passing"), board.drainer.said
    assert until(lambda: board.open_notices() == 0, seconds=20), board.told()
    told = "\n".join(board.told())
    assert "\n" not in told, told
    assert "blind in the location default" in told and words in told
    assert board.incidents() == 0


def test_probes_that_fail_while_the_canary_answers_fail(board: Board) -> None:
    board.store.write("UPDATE services_environment SET base_url = %s", f"http://{FAR}:1")
    board.store.write("UPDATE probes_probe SET order_version = order_version + 1")
    assert board.all_are("failing"), board.drainer.said
    assert board.incidents() == PROBES
    assert not [text for text in board.told() if "blind" in text]
