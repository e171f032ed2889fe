"""Real processes for fault runs, each in a group of its own, ended by id whatever happens."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGKILL, Signals

from tests.running.processes import PROJECT

LONGEST_WAIT_SECONDS = 30


class Program:
    """A program that can be ended, paused and started again. What it says goes into one file."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.command, self.environment, self._log = list(command), dict(environment), log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                env=self.environment,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        assert self._process is not None, "not started"
        return self._process.pid

    @property
    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def children(self) -> list[int]:
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
        return [int(child) for child in listed.split()]

    def signal(self, number: Signals) -> None:
        """To this one process."""
        os.kill(self.pid, number)

    def signal_all(self, number: Signals) -> None:
        """To this process and all it started."""
        os.killpg(self.pid, number)

    def wait(self) -> int:
        assert self._process is not None, "not started"
        return self._process.wait(LONGEST_WAIT_SECONDS)

    def kill(self) -> None:
        """As kill -9 of the whole group. The group of one that has ended may be empty already."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            self.signal_all(SIGKILL)
        self.wait()
        self._process = None


@contextmanager
def running(program: Program) -> Iterator[Program]:
    program.start()
    try:
        yield program
    finally:
        program.kill()
