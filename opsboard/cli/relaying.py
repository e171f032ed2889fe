"""Running a command as if nothing stood between: its streams, its signals, its exit code.

Standard input is the command's own. What it writes is passed on at once, byte for byte, and the
last of it is kept.
"""

import contextlib
import errno
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import FrameType

_CHUNK = 65536
# A process that the command left behind may hold its streams open for ever.
_AFTER_THE_END = 1.0
_HANDED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1)
_AT_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT)


@dataclass(frozen=True, slots=True)
class Ran:
    started_at: datetime
    finished_at: datetime
    # As a shell says it: 128 and the signal's number for a command that a signal ended.
    exit_code: int
    # It never ran, or a signal ended it: it gave no answer of its own.
    is_broken: bool
    tail: bytes


class Tail:
    """The last bytes of what was written, and whether something was before them."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept = bytearray()
        self.is_cut = False

    def add(self, data: bytes) -> None:
        self._kept += data
        if len(self._kept) > self._most:
            del self._kept[: len(self._kept) - self._most]
            self.is_cut = True

    def bytes(self) -> bytes:
        return bytes(self._kept)


def relay(command: Sequence[str], tail: Tail, *, to_stderr: bool = False) -> Ran:
    """Run it to its end. `to_stderr`: all of its output, so that standard output stays ours."""
    out = sys.stderr.fileno() if to_stderr else sys.stdout.fileno()
    started_at, began = datetime.now(UTC), time.monotonic()
    with _signals() as handing, _bell() as bell:
        try:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except (OSError, ValueError) as wrong:
            return _never_ran(command, wrong, started_at, tail)
        handing.begin(process)
        _pass_on(process, {1: out, 2: sys.stderr.fileno()}, tail, bell)
        code = process.wait()
    # By the monotonic clock: the other one may have been set meanwhile.
    finished_at = started_at + timedelta(seconds=time.monotonic() - began)
    return Ran(started_at, finished_at, code if code >= 0 else 128 - code, code < 0, tail.bytes())


def _never_ran(command: Sequence[str], wrong: Exception, now: datetime, tail: Tail) -> Ran:
    number = getattr(wrong, "errno", None)
    sentence = f"opsboard: {command[0]}: {os.strerror(number) if number else 'cannot be run'}\n"
    sys.stderr.write(sentence)
    tail.add(sentence.encode(errors="replace"))
    return Ran(now, now, 127 if number == errno.ENOENT else 126, True, tail.bytes())


# Signals ---------------------------------------------------------------------------------------


class _Handing:
    """Hands signals on to the command, those that came before it began too."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._early: list[int] = []

    def begin(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        for number in self._early:
            process.send_signal(number)

    def __call__(self, number: int, _: FrameType | None) -> None:
        if number in _AT_THE_TERMINAL and _is_in_front():
            # The terminal has told the command as well: it is of our group.
            return
        if self._process is None:
            self._early.append(number)
        else:
            self._process.send_signal(number)


def _is_in_front() -> bool:
    """Whether a key on a terminal reaches us and the command alike."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return False


@contextlib.contextmanager
def _signals() -> Iterator[_Handing]:
    handing = _Handing()
    # What we were started to ignore (nohup) the command is to ignore too.
    taken = [one for one in _HANDED_ON if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, handing) for one in taken}
    try:
        yield handing
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


@contextlib.contextmanager
def _bell() -> Iterator[int]:
    """A file descriptor that can be read once a signal has come, that of the command's end too."""
    heard, rung = os.pipe()
    os.set_blocking(rung, False)
    before = signal.signal(signal.SIGCHLD, lambda *_: None)
    woken = signal.set_wakeup_fd(rung, warn_on_full_buffer=False)
    try:
        yield heard
    finally:
        signal.set_wakeup_fd(woken)
        signal.signal(signal.SIGCHLD, before)
        os.close(heard)
        os.close(rung)


# Streams ---------------------------------------------------------------------------------------


def _pass_on(
    process: "subprocess.Popen[bytes]", targets: dict[int, int], tail: Tail, bell: int
) -> None:
    """Until both streams have ended, or the command has and nothing more comes."""
    assert process.stdout is not None  # noqa: S101  (for the type checker)
    assert process.stderr is not None  # noqa: S101
    with selectors.DefaultSelector() as waiting, process.stdout, process.stderr:
        waiting.register(process.stdout, selectors.EVENT_READ, targets[1])
        waiting.register(process.stderr, selectors.EVENT_READ, targets[2])
        waiting.register(bell, selectors.EVENT_READ)
        # The bell stays registered to the end.
        while len(waiting.get_map()) > 1:
            ready = waiting.select(_AFTER_THE_END if process.poll() is not None else None)
            if not ready:
                return
            for key, _ in ready:
                _turn(waiting, key, tail)


def _turn(waiting: selectors.BaseSelector, key: selectors.SelectorKey, tail: Tail) -> None:
    data = os.read(key.fd, _CHUNK)
    if key.data is None:
        return
    tail.add(data)
    if not data or not _write(key.data, data):
        # When nobody reads us any more, the command learns it as it would without us.
        waiting.unregister(key.fileobj)
        key.fileobj.close()  # type: ignore[union-attr]


def _write(target: int, data: bytes) -> bool:
    """All of it. False: nobody reads there any more."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(target, rest) :]
        except BlockingIOError:
            _wait_to_write(target)
        except OSError:
            return False
    return True


def _wait_to_write(target: int) -> None:
    with selectors.DefaultSelector() as waiting:
        waiting.register(target, selectors.EVENT_WRITE)
        waiting.select()
