"""The processes that the bench starts: what they use, and how they end. Knows no Django."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")


class NotMeasuredError(Exception):
    """The row could not be measured; the message says why, in one sentence."""


def end(process: "subprocess.Popen[bytes]", seconds: float = 8) -> None:
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()


def family(pid: int) -> list[int]:
    """A process and all that it and its children started."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                parents[int(entry.name)] = int(fields_of(int(entry.name))[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def fields_of(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on: the name before it may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and of all it started, ended ones included."""
    ticks = 0
    for one in family(pid):
        with contextlib.suppress(OSError):
            ticks += sum(map(int, fields_of(one)[11:15]))
    return ticks / TICK


def peak_kilobytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    return 0
