"""Real processes of Opsboard, which end with the test that started them, whatever happens."""

import atexit
import os
import queue
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).parents[2]
MANAGE = str(PROJECT / "manage.py")
PATIENCE_SECONDS = 60.0


def free_port() -> int:
    """A port of loopback that nobody else is given for a minute; servers can listen on it at once.

    One connection is made to it and ended, which leaves it in TIME_WAIT: the system gives such a
    port to nobody that asks for any, while a server (SO_REUSEADDR) may ask for it by its number.
    """
    with socket.create_server(("127.0.0.1", 0)) as trial:
        port: int = trial.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            # The side that ends a connection first is the one that keeps its port.
            trial.accept()[0].close()
    return port


def clean_environment() -> dict[str, str]:
    """This test run's own database, data directory and keys are not for the processes it starts."""
    names = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "ALLOWED_HOSTS", "EMAIL_URL", "DEBUG"}
    kept = {k: v for k, v in os.environ.items() if k not in names and not k.startswith("OPSBOARD_")}
    return kept | {"DJANGO_SETTINGS_MODULE": "opsboard.settings", "PYTHONUNBUFFERED": "1"}


class Running:
    """A process whose lines on stdout are read as they come, and stderr into a file."""

    def __init__(self, process: subprocess.Popen[str], errors: Path) -> None:
        self.process = process
        self.errors_file = errors
        self._lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def line(self, seconds: float = PATIENCE_SECONDS) -> str:
        line = self._lines.get(timeout=seconds)
        assert line is not None, f"ended without another line: {self.errors}"
        return line

    def lines_left(self) -> list[str]:
        """What else it printed, once it has ended."""
        return list(iter(lambda: self._lines.get(timeout=PATIENCE_SECONDS), None))

    @property
    def errors(self) -> str:
        return self.errors_file.read_text()

    def end(self, number: int = signal.SIGTERM) -> float:
        """Send a signal and wait for the end; the seconds it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(PATIENCE_SECONDS)
        return time.monotonic() - started


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], directory: Path
) -> Iterator[Running]:
    """Start a command in `directory`, with stderr in a file there."""
    errors = directory / f"errors-{time.monotonic_ns()}"
    with errors.open("w") as stderr:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
            preexec_fn=_hears_ctrl_c,
        )
    try:
        yield Running(process, errors)
    finally:
        _end_with_children(process)


def _hears_ctrl_c() -> None:
    """As in a terminal: what was begun in the background, the tests too, may ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _end_with_children(process: subprocess.Popen[str]) -> None:
    """Its session is its own, so that children it forked go with it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(PATIENCE_SECONDS)
    if process.stdout is not None:
        process.stdout.close()


def board_command() -> list[str]:
    return [sys.executable, MANAGE, "up"]


def board_environment(data: Path, port: int, **extra: str) -> dict[str, str]:
    ours = {"OPSBOARD_DATA": str(data), "OPSBOARD_HOST": "127.0.0.1", "OPSBOARD_PORT": str(port)}
    return clean_environment() | ours | extra


def with_tables(data: Path) -> Path:
    """A data directory, made if need be, whose database has all its tables and nothing else.

    Making them takes longer than most of what is tested on them.
    """
    data.mkdir(exist_ok=True)
    shutil.copy(_database_with_tables(), data)
    return data


@cache
def _database_with_tables() -> Path:
    data = Path(tempfile.mkdtemp(prefix="opsboard-tests-"))
    atexit.register(shutil.rmtree, data, ignore_errors=True)
    make_tables(data)
    return data / "opsboard.sqlite3"


def make_tables(data: Path, **extra: str) -> None:
    """In the database of a board on `data`: its SQLite file, or what DATABASE_URL names."""
    migrate = [sys.executable, MANAGE, "migrate", "--verbosity=0"]
    subprocess.run(migrate, env=board_environment(data, 1, **extra), check=True, timeout=120)


@contextmanager
def board(data: Path, port: int, **extra: str) -> Iterator[Running]:
    """An embedded board on `data`, as script/up starts it."""
    environment = board_environment(data, port, **extra)
    with running(board_command(), environment, data.parent) as process:
        yield process


def refused(data: Path, port: int, **extra: str) -> subprocess.CompletedProcess[str]:
    """Start a board that is expected to end by itself."""
    return subprocess.run(
        board_command(),
        env=board_environment(data, port, **extra),
        cwd=data.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


def status(url: str) -> int:
    """The HTTP status of a page, redirects followed; 0 while nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310 - a loopback address
            code: int = reply.status
            return code
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def until[T](look: Callable[[], T], *, seconds: float = PATIENCE_SECONDS) -> T:
    """Look again until there is something to see, or the time is up; what was seen last."""
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return seen


def ask(data: Path, question: str) -> list[tuple[object, ...]]:
    """What an SQL question finds in the database of an embedded board."""
    with closing(sqlite3.connect(data / "opsboard.sqlite3", timeout=20)) as database:
        return database.execute(question).fetchall()


def write(data: Path, statement: str) -> None:
    with closing(sqlite3.connect(data / "opsboard.sqlite3", timeout=20)) as database, database:
        database.execute(statement)
