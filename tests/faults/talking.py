"""Processes that do one thing each time they are told to: for races that need an exact start."""

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from signal import SIGKILL

from tests.running.processes import PROJECT

LONGEST_SECONDS = 60


class Talker:
    """A line in, lines out, the last of which is "done"."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def hear(self) -> list[str]:
        return list(iter(self._next_line, "done"))

    def _next_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process ended, or said nothing for too long: see above"
        return line.rstrip("\n")

    def tell(self, word: str) -> list[str]:
        self.say(word)
        return self.hear()

    def dies(self, word: str) -> None:
        """Say a word of which it kills itself."""
        self.say(word)
        assert self._process.wait(LONGEST_SECONDS) == -SIGKILL


@contextmanager
def talker(module: str, environment: Mapping[str, str]) -> Iterator[Talker]:
    with subprocess.Popen(
        [sys.executable, "-m", module],
        env=dict(environment),
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        limit = threading.Timer(LONGEST_SECONDS, process.kill)
        limit.start()
        try:
            yield Talker(process)
        finally:
            limit.cancel()
            process.kill()
