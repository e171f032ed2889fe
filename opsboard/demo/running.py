"""The sample services as child processes of the board, on loopback ports that stay the same."""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

KINDS = ("fastapi", "django", "flask")
START_SECONDS = 60.0
STOP_SECONDS = 2.0
# Nothing of the board's own environment is theirs: no key, no database.
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
CHECKOUT = Path(__file__).resolve().parents[2]


class DidNotStart(Exception):
    """The message says which process, and what to do."""


class SampleServices:
    """The three processes. They end with this one, also when it is killed: their pipe ends."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, exist_ok=True)
        self.directory = directory
        self._ports = _ports(directory / "ports.json")
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def sites(self) -> dict[str, str]:
        return {kind: f"http://127.0.0.1:{port}" for kind, port in self._ports.items()}

    def start(self) -> None:
        """Returns at once; `wait` says when they answer."""
        for kind in KINDS:
            self._processes[kind] = self._start(kind)

    def _start(self, kind: str) -> subprocess.Popen[bytes]:
        sites = [f"--site={name}={site}" for name, site in self.sites.items()]
        where = ["--port", str(self._ports[kind]), "--directory", str(self.directory)]
        return subprocess.Popen(
            [sys.executable, "-m", "opsboard.demo.serve", kind, *where, *sites],
            cwd=CHECKOUT,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # Ctrl-C is for the board, which then lets them end.
            start_new_session=True,
        )

    def wait(self) -> None:
        """Until all of them answer. Raises DidNotStart."""
        deadline = time.monotonic() + START_SECONDS
        waiting = set(KINDS)
        while waiting:
            if ended := self.ended():
                raise DidNotStart(f"The sample services in {ended} ended as they were started.")
            if time.monotonic() > deadline:
                late = ", ".join(sorted(waiting))
                raise DidNotStart(f"The sample services in {late} did not answer within 60 s.")
            waiting = {kind for kind in waiting if not _answers(self._ports[kind])}
            time.sleep(0.05)

    def ended(self) -> str | None:
        """A process that has ended by itself, or None."""
        dead = (kind for kind, one in self._processes.items() if one.poll() is not None)
        return next(dead, None)

    def stop(self) -> None:
        for process in self._processes.values():
            if process.stdin is not None:
                process.stdin.close()
        for process in self._processes.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _ports(file: Path) -> dict[str, int]:
    """The remembered ports where they are still free, else others."""
    known = _remembered(file)
    ports: dict[str, int] = {}
    for kind in KINDS:
        port = known.get(kind, 0)
        ports[kind] = port if port and _is_free(port) else _free_port()
    file.write_text(json.dumps(ports))
    return ports


def _remembered(file: Path) -> dict[str, int]:
    try:
        ports = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    is_whole = isinstance(ports, dict) and all(type(port) is int for port in ports.values())
    return ports if is_whole else {}


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
        return True


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
    return port


def _answers(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0
