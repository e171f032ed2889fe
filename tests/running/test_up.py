"""The embedded board as a process: how it starts, refuses, stops, and starts again."""

import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.running.processes import (
    MANAGE,
    PROJECT,
    ask,
    board,
    clean_environment,
    free_port,
    refused,
    running,
    status,
    until,
    write,
)

UP = str(PROJECT / "script" / "up")
BUILT_IN_PATHS = 3  # health, sign-in page, board


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]


def is_one_sentence(text: str) -> bool:
    return text.count("\n") == 1 and text.endswith(".\n") and "Error" not in text


def script_up(*arguments: str) -> subprocess.CompletedProcess[str]:
    """For what script/up refuses before it makes .venv."""
    return subprocess.run(
        ["/bin/sh", UP, *arguments],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_it_prints_where_the_board_is_and_the_first_administrators_link(
    empty: Path, port: int
) -> None:
    url = f"http://127.0.0.1:{port}/"
    with board(empty, port) as process:
        assert process.line() == f"Opsboard: {url}"
        assert status(url) == 200
        words, link = process.line().rsplit(" ", 1)
        assert words == "First administrator:"
        assert link.startswith(f"{url}first/")
        assert status(link) == 200
        process.end()
        assert process.lines_left() == []


def test_it_leaves_nothing_where_it_was_started(data: Path, port: int) -> None:
    with board(data, port) as process:
        process.line()
        process.end()
        assert {p.name for p in data.parent.iterdir()} == {"data", process.errors_file.name}


def test_a_later_start_shows_the_page_and_makes_no_table_anew(empty: Path, port: int) -> None:
    made = "SELECT count(*), min(applied), max(applied) FROM django_migrations"
    with board(empty, port) as process:
        process.line()
        process.end()
    first = ask(empty, made)
    with board(empty, port) as process:
        assert process.line() == f"Opsboard: http://127.0.0.1:{port}/"
        assert status(f"http://127.0.0.1:{port}/sign-in") == 200
    assert ask(empty, made) == first


def test_the_keys_are_for_their_owner_only(data: Path, port: int) -> None:
    with board(data, port) as process:
        process.line()
    for name in ("secret_key", "field_keys", "lock"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600, name


def test_keys_of_the_environment_are_not_written_down(data: Path, port: int) -> None:
    keys = {"SECRET_KEY": "k" * 60, "OPSBOARD_FIELD_KEYS": Fernet.generate_key().decode()}
    with board(data, port, **keys) as process:
        process.line()
    assert not (data / "secret_key").exists()
    assert not (data / "field_keys").exists()


def test_it_watches_itself_within_ten_seconds_of_its_start(data: Path, port: int) -> None:
    with board(data, port) as process:
        process.line()
        measured = "SELECT DISTINCT probe_id FROM probes_observation"
        assert until(lambda: len(ask(data, measured)) == BUILT_IN_PATHS, seconds=10)


def test_a_second_start_on_the_same_data_names_the_process_that_has_it(
    data: Path, port: int
) -> None:
    with board(data, port) as process:
        process.line()
        second = refused(data, free_port())
        assert second.returncode == 2
        assert is_one_sentence(second.stderr)
        assert f"process {process.process.pid} at http://127.0.0.1:{port}" in second.stderr
        assert status(f"http://127.0.0.1:{port}/healthz") == 200


def test_a_taken_port_is_refused_in_one_sentence(data: Path, taken_port: int) -> None:
    start = refused(data, taken_port)
    assert start.returncode == 2
    assert is_one_sentence(start.stderr)
    assert f"Port {taken_port} on 127.0.0.1 is taken" in start.stderr


def test_data_of_a_newer_version_is_refused_in_one_sentence(data: Path, port: int) -> None:
    with board(data, port) as process:
        process.line()
        process.end()
    write(
        data,
        "INSERT INTO django_migrations (app, name, applied) "
        "VALUES ('probes', '9999_from_the_future', '2030-01-01')",
    )
    start = refused(data, port)
    assert start.returncode == 2
    assert is_one_sentence(start.stderr)
    assert "newer Opsboard" in start.stderr
    assert "probes.9999_from_the_future" in start.stderr


def test_a_file_that_is_no_database_is_refused_in_one_sentence(data: Path, port: int) -> None:
    (data / "opsboard.sqlite3").write_text("a shopping list, not a database" * 100)
    start = refused(data, port)
    assert start.returncode == 2
    assert is_one_sentence(start.stderr)
    assert "opsboard.sqlite3" in start.stderr


def test_a_database_that_does_not_answer_is_refused_in_one_sentence(data: Path, port: int) -> None:
    start = refused(data, port, DATABASE_URL=f"postgres://nobody@127.0.0.1:{free_port()}/opsboard")
    assert start.returncode == 2
    assert is_one_sentence(start.stderr)
    assert "DATABASE_URL" in start.stderr


def test_a_data_directory_that_cannot_be_written_is_refused_in_one_sentence(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").touch()
    start = script_up("--data", str(tmp_path / "file" / "data"))
    assert start.returncode == 2
    assert start.stdout == ""
    assert is_one_sentence(start.stderr)
    assert f"{tmp_path}/file/data cannot be written" in start.stderr


def test_a_directory_that_takes_no_file_is_refused_even_to_root() -> None:
    start = script_up("--data", "/proc")
    assert start.returncode == 2
    assert is_one_sentence(start.stderr)
    assert "/proc cannot be written" in start.stderr


@pytest.mark.parametrize(
    "arguments",
    [["--port"], ["--port", "http"], ["--port=0"], ["--port", "65536"], ["--prot", "1"], ["now"]],
    ids=" ".join,
)
def test_a_mistyped_argument_is_refused_in_one_sentence(arguments: list[str]) -> None:
    start = script_up(*arguments)
    assert start.returncode == 2
    assert start.stdout == ""
    assert is_one_sentence(start.stderr)


def test_help_is_no_mistake() -> None:
    asked = script_up("--help")
    assert asked.returncode == 0
    assert asked.stdout.startswith("Usage: script/up [--port 8000] [--host 127.0.0.1]")


def test_without_a_data_directory_it_says_how_to_start(tmp_path: Path) -> None:
    production = clean_environment() | {
        "SECRET_KEY": "k" * 60,
        "OPSBOARD_FIELD_KEYS": Fernet.generate_key().decode(),
        "ALLOWED_HOSTS": "board.example",
        "OPSBOARD_URL": "https://board.example",
        "OPSBOARD_EGRESS_ALLOW": "",
        "DATABASE_URL": "postgres://127.0.0.1:9/none",
        "REDIS_URL": "redis://127.0.0.1:9/0",
    }
    with running([sys.executable, MANAGE, "up"], production, tmp_path) as process:
        assert process.process.wait(30) == 2
        assert is_one_sentence(process.errors)
        assert "script/up" in process.errors
