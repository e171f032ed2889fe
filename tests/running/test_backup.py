"""Backing up a board that runs and restoring it elsewhere, in real processes."""

import signal
import sys
from pathlib import Path

from tests.far_side import FarSide
from tests.running.backups import (
    FAILING_DELIVERY,
    Machine,
    but_for_the_restore,
    counts_in,
    counts_of,
    fill,
    manage,
    number,
    prepared,
    seed,
)
from tests.running.processes import (
    MANAGE,
    ask,
    board,
    board_environment,
    free_port,
    running,
    until,
)


def test_a_restored_board_tells_nobody_of_the_past_and_probes_again(data: Path, port: int) -> None:
    machine, file = Machine(), data.parent / "board.gz"
    with FarSide(machine) as far_side:
        seed(data, far_side.url(""), far_side.url("/hook"))
        with board(data, port):
            assert until(lambda: ask(data, FAILING_DELIVERY))
            backup = manage(data, "backup", str(file))
        assert backup.returncode == 0, backup.stderr
        assert "their keys are not in it: keep" in backup.stdout
        assert str(data / "field_keys") in backup.stdout
        told = len(machine.heard)
        machine.is_broken, machine.hears = False, True

        keys = (data / "field_keys").read_text()
        elsewhere = prepared(data.parent / "elsewhere", OPSBOARD_FIELD_KEYS=keys)
        restore = manage(elsewhere, "restore", str(file), OPSBOARD_FIELD_KEYS=keys)
        assert restore.returncode == 0, restore.stderr
        assert "1 alerts that were still waiting are marked as not sent" in restore.stdout
        assert "cannot be decrypted" not in restore.stderr
        counts = counts_in(file)
        assert counts_of(elsewhere, list(counts)) == but_for_the_restore(counts)

        with board(elsewhere, free_port(), OPSBOARD_FIELD_KEYS=keys):
            assert until(
                lambda: ask(elsewhere, "SELECT 1 FROM incidents_incident WHERE resolved_at > 0")
            )
            again = "SELECT count(*) FROM probes_observation"
            assert until(lambda: number(elsewhere, again) > counts["probes_observation"] + 6)
        assert len(machine.heard) == told
        unknown = "SELECT count(*) FROM probes_statechange WHERE after = 'no_data'"
        assert number(elsewhere, unknown) >= 2
        assert ask(elsewhere, "SELECT count(*) FROM probes_gap WHERE slots > 1") != [(0,)]


def test_what_fails_still_after_a_restore_is_told_as_of_now(data: Path, port: int) -> None:
    machine, file = Machine(), data.parent / "board.gz"
    with FarSide(machine) as far_side:
        seed(data, far_side.url(""), far_side.url("/hook"))
        with board(data, port):
            assert until(lambda: ask(data, FAILING_DELIVERY))
            assert manage(data, "backup", str(file)).returncode == 0
        keys, told = (data / "field_keys").read_text(), len(machine.heard)
        machine.hears = True
        elsewhere = prepared(data.parent / "elsewhere", OPSBOARD_FIELD_KEYS=keys)
        assert manage(elsewhere, "restore", str(file), OPSBOARD_FIELD_KEYS=keys).returncode == 0
        with board(elsewhere, free_port(), OPSBOARD_FIELD_KEYS=keys):
            assert until(lambda: len(machine.heard) > told)
    assert [one["event"] for news in machine.heard[told:] for one in news["alerts"]] == ["failing"]


def test_a_board_that_runs_is_not_restored_into(data: Path, port: int) -> None:
    file = data.parent / "board.gz"
    with board(data, port) as process:
        process.line()
        assert manage(data, "backup", str(file)).returncode == 0
        refused = manage(data, "restore", str(file))
        assert refused.returncode == 2
        assert f"Opsboard already runs on {data}: process {process.process.pid}" in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_a_backup_that_is_killed_leaves_no_file(data: Path) -> None:
    prepared(data)
    fill(data, 120_000)
    file = data.parent / "board.gz"
    partial = data.parent / ".board.gz.partial"
    command = [sys.executable, MANAGE, "backup", str(file)]
    with running(command, board_environment(data, 1), data.parent) as process:
        assert until(lambda: partial.exists() and partial.stat().st_size > 100_000)
        process.end(signal.SIGKILL)
    assert not file.exists()
    assert manage(data, "backup", str(file)).returncode == 0
    assert not partial.exists()


def test_a_restore_that_is_killed_leaves_an_empty_database(data: Path) -> None:
    prepared(data)
    fill(data, 120_000)
    file = data.parent / "board.gz"
    assert manage(data, "backup", str(file)).returncode == 0
    elsewhere = prepared(data.parent / "elsewhere")
    command = [sys.executable, MANAGE, "restore", str(file)]
    with running(command, board_environment(elsewhere, 1), data.parent) as process:
        assert until(lambda: "probes_observation: 100,000 rows" in process.errors)
        process.end(signal.SIGKILL)
    assert counts_of(elsewhere, ["probes_observation", "people_auditentry"]) == {
        "probes_observation": 0,
        "people_auditentry": 0,
    }


def test_a_missing_key_is_said(data: Path) -> None:
    seed(data, "http://127.0.0.1:9", "http://127.0.0.1:9/hook")
    file = data.parent / "board.gz"
    assert manage(data, "backup", str(file)).returncode == 0
    elsewhere = prepared(data.parent / "elsewhere")
    restore = manage(elsewhere, "restore", str(file))
    assert restore.returncode == 0
    said = "2 secrets cannot be decrypted: their key is not in " + str(elsewhere / "field_keys")
    assert said in restore.stderr
