"""How the embedded board stops: soon when asked, and without loss when it is not asked."""

import signal
import socket
import time
from pathlib import Path

import pytest

from tests.running.processes import ask, board, status, until

OBSERVATIONS = "SELECT count(*) FROM probes_observation"


def recorded(data: Path) -> int:
    return int(str(ask(data, OBSERVATIONS)[0][0]))


def starts_records_and_dies(data: Path, port: int, *, lives_on_for: float) -> int:
    """How much was recorded when the board was killed, some time after it had recorded more."""
    with board(data, port) as process:
        process.line()
        before = recorded(data)
        assert until(lambda: recorded(data) > before)
        time.sleep(lives_on_for)  # chooses the moment of death, waits for nothing
        found = recorded(data)
        process.end(signal.SIGKILL)
    return found


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_it_stops_within_five_seconds_without_a_word(
    data: Path, port: int, number: signal.Signals
) -> None:
    with board(data, port) as process:
        process.line()
        assert until(lambda: status(f"http://127.0.0.1:{port}/healthz") == 200)
        assert process.end(number) < 5
        assert process.process.returncode == 0
        assert process.errors == ""


def test_signals_that_come_all_at_once_do_not_keep_it_from_stopping(data: Path, port: int) -> None:
    with board(data, port) as process:
        process.line()
        # A handler that took a lock deadlocked with itself when one signal interrupted another.
        for _ in range(20_000):
            process.process.send_signal(signal.SIGTERM)
        assert process.end() < 5
        assert process.process.returncode == 0


def test_it_stops_within_five_seconds_while_a_request_is_in_flight(data: Path, port: int) -> None:
    with board(data, port) as process:
        process.line()
        with socket.create_connection(("127.0.0.1", port), timeout=5) as unfinished:
            unfinished.sendall(
                b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n"
            )
            assert process.end() < 5


def test_after_kill_9_the_next_start_has_all_that_was_recorded(data: Path, port: int) -> None:
    for moment in (0.1, 0.6, 1.3):
        found = starts_records_and_dies(data, port, lives_on_for=moment)
        assert recorded(data) >= found
    assert ask(data, "PRAGMA integrity_check") == [("ok",)]
