"""A board for the pictures, with the ferry company on it: it ends with whoever started it."""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from script.screenshots_asking import NotStaged
from tests.running.processes import PROJECT, Running, clean_environment, free_port, running

START_SECONDS = 300.0

# What takes minutes on a board of one's own, in seconds: nobody waits for pictures.
HURRIED = {
    "OPSBOARD_SEE_VERSIONS_SECONDS": "2",
    "OPSBOARD_GREEN_FOR_SECONDS": "3",
    "OPSBOARD_TOKEN_REQUESTS_A_MINUTE": "600",
}


@dataclass(frozen=True)
class Board:
    url: str
    # Makes the first administrator, once.
    first: str
    # Where the switches are that break the sample services; "": no demo is there.
    switches: str = ""
    flask: str = ""
    # What the board has written to stderr: a page that failed tells there why.
    errors: Callable[[], str] = str


@contextmanager
def own_board(directory: Path, *, demo: bool) -> Iterator[Board]:
    """Started on a free port, with its data in `directory`; ended by its id, whatever happens."""
    up = [str(PROJECT / "script/up"), "--port", str(free_port()), "--data", str(directory / "data")]
    command = [*up, "--demo"] if demo else up
    with running(command, clean_environment() | HURRIED, directory) as process:
        try:
            yield _read(process, directory, demo=demo)
        finally:
            # Asked first: it then ends its sample services itself. Else it is killed.
            with suppress(Exception):
                process.end()


def _read(process: Running, directory: Path, *, demo: bool) -> Board:
    """What it prints once it answers. Raises NotStaged when it does not come to that."""
    try:
        url = process.line(START_SECONDS).removeprefix("Opsboard: ").rstrip("/")
        first = process.line().removeprefix("First administrator: ")
        switches = process.line().removeprefix("Sample services: ") if demo else ""
    except (queue.Empty, AssertionError):
        raise NotStaged(f"The board did not start: {process.errors or 'it says nothing'}") from None
    flask = _flask(directory) if demo else ""
    return Board(url, first, switches, flask, errors=lambda: process.errors)


def _flask(directory: Path) -> str:
    """Of the processes only the first is told by the board; their ports lie with its data."""
    ports = json.loads((directory / "data/demo/ports.json").read_text())
    return f"http://127.0.0.1:{ports['flask']}/__switch/"


@contextmanager
def a_far_side() -> Iterator[str]:
    """Takes alerts at /taken and refuses them at /away: one channel of the scene does not work."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _FarSide)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class _FarSide(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(503 if self.path.startswith("/away") else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
