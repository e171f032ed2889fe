"""Backing up and restoring as processes: the commands, a board with something to tell, counts."""

import gzip
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.far_side import Visit, answer
from tests.running.processes import MANAGE, PROJECT, ask, board_environment, with_tables

SECOND = 1_000_000
FAILING_DELIVERY = (
    "SELECT m.attempts FROM alerts_delivery d JOIN alerts_message m ON m.id = d.message_id"
    " WHERE d.event = 'failing' AND m.attempts > 0"
)


def manage(data: Path, *words: str, **extra: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, MANAGE, *words],
        env=board_environment(data, 1, **extra),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def prepared(data: Path, **extra: str) -> Path:
    with_tables(data)
    assert manage(data, "prepare", **extra).returncode == 0
    return data


def seed(data: Path, targets: str, sink: str) -> None:
    """Two paths asked every second, and a channel that hears of them."""
    order = {
        "probes": 2,
        "paths_a_service": 2,
        "teams": 1,
        "targets": targets,
        "channels": {"The sink": ("webhook", sink)},
        "interval": SECOND,
    }
    order |= {"timeout": SECOND // 2, "patience": 1, "expected_result": "status == 200"}
    subprocess.run(
        [sys.executable, "-m", "tests.faults.seed", json.dumps(order)],
        env=board_environment(data, 1),
        cwd=PROJECT,
        check=True,
        timeout=60,
    )


def fill(data: Path, rows: int) -> None:
    """So many observations that a backup and a restore can be met in the middle."""
    with closing(sqlite3.connect(data / "opsboard.sqlite3")) as database, database:
        database.execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO probes_observation SELECT 1790000000000000 + i * 1000000, 1, 1, 1, 1, 1,"
            " 1, 1, i, 1, -1, -1, 200, 0, '', '' FROM n",
            [rows],
        )


def counts_in(file: Path) -> dict[str, int]:
    with gzip.open(file) as lines:
        counts: dict[str, int] = json.loads(lines.readline())["counts"]
        return counts


def counts_of(data: Path, tables: list[str]) -> dict[str, int]:
    return {table: number(data, f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608


def number(data: Path, question: str) -> int:
    return int(str(ask(data, question)[0][0]))


def but_for_the_restore(counts: dict[str, int]) -> dict[str, int]:
    """The audit log has one entry more, that of the restore itself; what was under way is held."""
    return counts | {"people_auditentry": counts["people_auditentry"] + 1, "alerts_message": 0}


class Machine:
    """Both what is probed and what hears the alerts. /t/0 fails for as long as it is broken."""

    def __init__(self) -> None:
        self.is_broken, self.hears = True, False
        self.heard: list[dict[str, Any]] = []

    def __call__(self, visit: Visit) -> None:
        assert visit.request is not None
        if visit.request.path == "/hook":
            self.heard.append(json.loads(visit.request.body))
            answer(204 if self.hears else 503)(visit)
        else:
            answer(503 if self.is_broken and visit.request.path == "/t/0" else 200)(visit)
