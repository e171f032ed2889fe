"""The figures, computed in a process of their own: it may take long, and be large, beside nobody.

It reads one JSON document and writes one: see opsboard.changes.rules.__main__. It knows no secret
of ours, and no database.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from django.conf import settings

from opsboard.changes.models import Comparison
from opsboard.changes.rules.judged import Judged

COMMAND = (sys.executable, "-m", "opsboard.changes.rules")
WITHIN_SECONDS = 120.0
MOST_BYTES = 4 << 30
# Behind all else of this machine.
NICE = 10
LOOK_EVERY_SECONDS = 0.2
# What a library may open in threads of its own would be taken from probes.
ENVIRONMENT = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
LONGEST_TOLD = 2_000


class NotComputed(Exception):
    """Trouble of our own; the message is for the log."""


class Stopped(Exception):
    """This worker was told to stop: another one computes it."""


def compute(
    question: Mapping[str, Any],
    *,
    is_stopping: Callable[[], bool] = lambda: False,
    command: Sequence[str] = COMMAND,
    within: float = WITHIN_SECONDS,
) -> Judged:
    """Raises NotComputed, and Stopped."""
    with (
        TemporaryFile() as told,
        subprocess.Popen(
            command,
            stdin=_written(told, question),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=settings.BASE_DIR,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **ENVIRONMENT},
        ) as child,
    ):
        _bound(child.pid)
        try:
            said, trouble = _listen(child, within=within, is_stopping=is_stopping)
        finally:
            child.kill()
    if child.returncode:
        end = trouble.decode(errors="replace")[-LONGEST_TOLD:]
        raise NotComputed(f"It ended with {child.returncode}: {end}")
    return _read(said)


def _bound(pid: int) -> None:
    # It may be over already.
    with suppress(ProcessLookupError, PermissionError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
        # Only Linux has it.
        if hasattr(resource, "prlimit"):
            resource.prlimit(pid, resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
            # For one whose worker was killed, and that nobody ends in time.
            seconds = round(WITHIN_SECONDS)
            resource.prlimit(pid, resource.RLIMIT_CPU, (seconds, seconds))


def _written(told: BinaryIO, question: Mapping[str, Any]) -> BinaryIO:
    """A file and no pipe: Popen.communicate does not go on telling after a timeout."""
    told.write(json.dumps(question).encode())
    told.seek(0)
    return told


def _listen(
    child: subprocess.Popen[bytes], *, within: float, is_stopping: Callable[[], bool]
) -> tuple[bytes, bytes]:
    until = time.monotonic() + within
    while True:
        with suppress(subprocess.TimeoutExpired):
            return child.communicate(timeout=LOOK_EVERY_SECONDS)
        if is_stopping():
            raise Stopped
        if time.monotonic() > until:
            raise NotComputed(f"It took longer than {within:g} s.")


def _read(said: bytes) -> Judged:
    try:
        judged = json.loads(said)
    except ValueError:
        raise NotComputed(f"It said no JSON: {said[:200]!r}") from None
    is_whole = (
        isinstance(judged, dict)
        and judged.get("verdict") in Comparison.Verdict.values
        and isinstance(judged.get("reason"), str)
        and len(judged["reason"]) <= 60
        and isinstance(judged.get("n"), list)
        and isinstance(judged.get("changed"), list)
    )
    if not is_whole:
        raise NotComputed(f"It said no verdict: {said[:200]!r}")
    return cast("Judged", judged)
