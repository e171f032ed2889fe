"""Measuring one worker process from outside: what it used, and what it recorded, between marks."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from django.db import connection

from opsboard.probes.models import Observation, Probe
from opsboard.probes.narrow import IS_DELAYED
from opsboard.probes.schedule import SECOND, database_now
from script.bench_processes import NotMeasuredError, cpu_seconds, end, family, peak_kilobytes

SCRIPT = Path(__file__).resolve().parent
# How long an observation may take from its slot to the database before it is missed, in seconds.
TAIL = 1.5


@dataclass(frozen=True)
class Mark:
    at: int
    recorded: int
    cpu: float


class Worker:
    """A worker and what it started."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process

    def mark(self) -> Mark:
        if self.process.poll() is not None:
            raise NotMeasuredError("The worker ended by itself: see what it printed.")
        return Mark(at=database_now(), recorded=recorded(), cpu=cpu_seconds(self.process.pid))

    def memory_mb(self) -> int:
        """The most that it, and what it started, ever held at once; summed where several run."""
        return sum(peak_kilobytes(pid) for pid in family(self.process.pid)) // 1024


@contextlib.contextmanager
def worker(**settings: str) -> Iterator[Worker]:
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT / "bench_worker.py")],
        env=os.environ | settings,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
    )
    try:
        yield Worker(process)
    finally:
        end(process)


def recorded() -> int:
    """Observations ever recorded, by the counters of their probes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT COALESCE(sum(counted_passing + counted_warning + counted_failing"
            " + counted_errors), 0) FROM probes_probe"
        )
        return int(cursor.fetchone()[0])


def until(happened: Callable[[], bool], *, seconds: float, what: str) -> None:
    end_at = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > end_at:
            raise NotMeasuredError(f"After {seconds:.0f} s {what}.")
        time.sleep(0.25)


def all_asked(seconds: float) -> None:
    """Wait until each probe has been asked once from now on: then each order is compiled.

    A worker that cannot do that in time is measured all the same: its figures tell.
    """
    began = database_now()
    end_at = time.monotonic() + seconds
    while left := Probe.objects.filter(observed_at__lt=began).count():
        if time.monotonic() > end_at:
            print(f"After {seconds:.0f} s {left} probes had not been asked once.", file=sys.stderr)
            return
        time.sleep(0.25)


@dataclass(frozen=True)
class Span:
    """What happened between two marks."""

    first: Mark
    last: Mark

    @property
    def seconds(self) -> float:
        return (self.last.at - self.first.at) / SECOND

    @property
    def observations(self) -> int:
        return self.last.recorded - self.first.recorded

    @property
    def rate(self) -> float:
        return self.observations / self.seconds

    @property
    def cpu_a_thousand(self) -> float:
        if not self.observations:
            raise NotMeasuredError("The worker recorded nothing.")
        return 1000 * (self.last.cpu - self.first.cpu) / self.observations

    def by_slots(self) -> "Span":
        """With the observations of its slots: at a steady pace a wave more or less in it, by where
        the marks fell, would change the price by some percent. To be asked for after `TAIL`."""
        counted = self.first.recorded + len(self.column("slot_at"))
        return Span(self.first, replace(self.last, recorded=counted))

    def detail(self) -> dict[str, object]:
        return {
            "probes_a_second": round(self.rate),
            "observations": self.observations,
            "seconds": round(self.seconds, 1),
            "worker_cpu_percent": round(100 * (self.last.cpu - self.first.cpu) / self.seconds),
        }

    def column(self, name: str, *, delayed: bool = True, **only: object) -> list[int]:
        """The values of a column of the observations whose slots lie in the span, ascending.

        Without `delayed` those are left out that our own loop delayed.
        """
        rows = Observation.objects.filter(
            slot_at__gte=self.first.at, slot_at__lt=self.last.at, **only
        )
        values = rows.values_list(name, "flags")
        return sorted(value for value, flags in values if delayed or not IS_DELAYED.read(flags))


def span(worker: Worker, seconds: float) -> Span:
    first = worker.mark()
    time.sleep(seconds)
    return Span(first, worker.mark())


def percentile(ascending: list[int], share: float, *, of: int | None = None) -> float:
    """In seconds, of microseconds. Of `of` values those that are missing are longer than all."""
    whole = max(of or 0, len(ascending))
    if not whole:
        raise NotMeasuredError("There are no observations to measure.")
    at = int(share * whole)
    return ascending[at] / SECOND if at < len(ascending) else float("inf")
