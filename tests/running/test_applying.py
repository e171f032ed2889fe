"""Applies as real processes: two at once, and one that is killed half way."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.running.processes import MANAGE, clean_environment, until, with_tables

SERVICES = 120


def board(services: int) -> str:
    sheets = "".join(f"      path-{n}: {{route: GET /{n}}}\n" for n in range(5))
    return "teams: {t: {}}\nservices:\n" + "".join(
        f"  s{n}:\n    owner: t\n    environments: {{production: {{base_url: https://a.test}}}}\n"
        f"    paths:\n{sheets}"
        for n in range(services)
    )


class Place:
    """A data directory of its own, with a database that no other test knows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "board.yaml"
        self.file.write_text(board(SERVICES))
        self.environment = clean_environment() | {"OPSBOARD_DATA": str(folder)}
        with_tables(folder)
        self.start("prepare").communicate(timeout=120)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, MANAGE, *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def count(self, table: str) -> int:
        with closing(sqlite3.connect(self.folder / "opsboard.sqlite3")) as database:
            return int(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608

    def is_being_written(self) -> bool:
        """Whether a process has a transaction open that writes: SQLite has one at a time."""
        with closing(sqlite3.connect(self.folder / "opsboard.sqlite3", timeout=0)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


def test_an_apply_that_is_killed_half_way_leaves_nothing_and_the_next_does_all(place):
    services, entries = place.count("services_service"), place.count("people_auditentry")
    with place.start("apply", str(place.file)) as process:
        assert until(place.is_being_written)
        process.kill()
    assert process.returncode == -9
    assert place.count("services_service") == services
    assert place.count("people_auditentry") == entries
    again = place.start("apply", str(place.file))
    out, _ = again.communicate(timeout=120)
    assert again.returncode == 0
    assert out.endswith("Applied.\n")
    assert place.count("services_service") == services + SERVICES
    assert place.count("services_criticalpath") == 5 * SERVICES + 3


def test_of_two_applies_at_once_the_second_waits_or_says_so_and_nothing_is_done_twice(place):
    both = [place.start("apply", str(place.file)) for _ in range(2)]
    ended = [(*process.communicate(timeout=120), process.returncode) for process in both]
    codes = sorted(code for _, _, code in ended)
    assert codes[0] == 0
    assert all(code == 0 or "Another apply is running" in err for _, err, code in ended)
    assert place.count("services_service") == SERVICES + 1
    assert place.count("people_auditentry") == 1 + 7 * SERVICES


def test_a_database_that_was_never_made_is_told_without_a_traceback(place):
    (place.folder / "opsboard.sqlite3").unlink()
    process = place.start("apply", str(place.file))
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith("The board's database refused: no such table")
    assert "Traceback" not in err
