"""The demo as processes: what starts with the board, ends with it, whatever way that does."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.running.processes import (
    MANAGE,
    PATIENCE_SECONDS,
    PROJECT,
    Running,
    ask,
    board,
    board_command,
    board_environment,
    running,
    status,
    until,
    write,
)


@contextmanager
def demo_board(data: Path, port: int) -> Iterator[Running]:
    command = [*board_command(), "--demo"]
    with running(command, board_environment(data, port), data.parent) as process:
        yield process


def lines(process: Running, last: str) -> list[str]:
    found = [process.line()]
    while not found[-1].startswith(last):
        found.append(process.line())
    return found


def sites(data: Path) -> list[str]:
    ports = json.loads((data / "demo" / "ports.json").read_text())
    return [f"http://127.0.0.1:{ports[kind]}" for kind in ("fastapi", "django", "flask")]


def answering(data: Path) -> int:
    return sum(status(f"{site}/__switch/") == 200 for site in sites(data))


def test_the_sample_services_start_with_the_board_and_end_with_it(empty: Path, port: int):
    with demo_board(empty, port) as process:
        said = lines(process, "Sample services: ")
        assert said[-1] == f"Sample services: {sites(empty)[0]}/__switch/"
        assert answering(empty) == 3
        assert ask(empty, "SELECT count(*) FROM services_service WHERE NOT is_built_in") == [(18,)]
        assert process.end(signal.SIGTERM) < 10
        assert answering(empty) == 0
        assert process.errors == ""


def test_they_end_when_the_board_is_killed_and_come_back_on_the_same_ports(data: Path, port: int):
    with demo_board(data, port) as process:
        lines(process, "Sample services: ")
        before = sites(data)
        process.end(signal.SIGKILL)
        assert until(lambda: answering(data) == 0)
    with demo_board(data, port) as process:
        lines(process, "Sample services: ")
        assert sites(data) == before
        assert answering(data) == 3


def test_started_without_them_the_board_says_so_and_asks_them_nothing(data: Path, port: int):
    with demo_board(data, port) as process:
        lines(process, "Sample services: ")
    with board(data, port) as process:
        said = lines(process, "The sample services")
        assert "are not running, so its paths are paused" in said[-1]
        paused = "SELECT count(*) FROM services_criticalpath WHERE paused_at IS NOT NULL"
        assert ask(data, paused) == [(54,)]
    removed = subprocess.run(
        [sys.executable, MANAGE, "demo", "--remove", "--yes"],
        env=board_environment(data, port), capture_output=True, text=True, check=True,
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert removed.stdout.startswith("Removed the demo: 9 teams, 18 services")
    assert not (data / "demo").exists()
    with board(data, port) as process:
        assert "sample services" not in "".join(lines(process, "First administrator"))


def test_a_board_of_ones_own_is_not_written_over(data: Path, port: int):
    with board(data, port) as process:
        lines(process, "First administrator")
    write(data, "UPDATE services_service SET slug = 'payments', is_built_in = 0")
    refused = subprocess.run(
        [*board_command(), "--demo"], env=board_environment(data, port),
        capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert refused.returncode == 2
    assert refused.stderr.startswith("The demo was not loaded: it would write over")
    assert "Traceback" not in refused.stderr
    assert answering(data) == 0


def test_nothing_of_the_demo_is_imported_without_it(data: Path, port: int):
    look = (
        "import django, sys; django.setup();"
        "from opsboard.management import one_process;"
        "from opsboard.management.commands import up;"
        "from opsboard import urls, tasks;"
        "names = ('opsboard.demo', 'fastapi', 'flask', 'sqlalchemy', 'uvicorn');"
        "print([name for name in names if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", look], env=board_environment(data, port), cwd=PROJECT,
        capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    assert found.stdout == "[]\n"
