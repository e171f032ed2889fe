"""A shift: how long one worker process stays on a duty before it leaves it to the next.

After its budget a shift goes on until a younger one on the same duty has taken work, or for as long
as none does: without a broker no bell rings, nobody takes over, and the work must not stop.
"""

import logging
import os
import socket
import time
from collections import Counter
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from opsboard.probes import models

log = logging.getLogger(__name__)

SAY_EVERY = 1.0
# A shift that has not said so for this long (microseconds) does not take work any more.
FRESH = 3_000_000
MINUTES_COUNTED = 5
NOTE_EVERY = 2_000_000
# Before the name of a duty: when anybody last took work on it.
CLAIMED = "claim:"
# After a silence this long (microseconds) the bell begins anew.
BREAK = 15_000_000

# Which start of which machine, and the numbers of its processes as one container sees them.
BOOT = Path("/proc/sys/kernel/random/boot_id")
PROCESS_NUMBERS = Path("/proc/self/ns/pid")
# What Linux calls the states of a process that has ended (proc_pid_stat(5)).
DEAD = {"Z", "X"}

_counted: dict[str, tuple[Counter[int], Counter[int]]] = {}


class Shift:
    def __init__(self, duty: str) -> None:
        self.duty = duty
        self.instance = f"{socket.gethostname()}:{os.getpid()}:{id(self)}@{_where()}"
        self.began = time.monotonic()
        self.began_at = 0
        self.said = 0.0
        self.relieved = False
        # Shared by the shifts of this process: one lasts seconds, overload is told over minutes.
        self.judged, self.delayed = _counted.setdefault(duty, (Counter(), Counter()))

    def claimed(self, now: int) -> None:
        """Say, at most once a second, that this shift takes work. `now` is the database's."""
        self.began_at = self.began_at or now
        if time.monotonic() - self.said < SAY_EVERY:
            return
        self.said = time.monotonic()
        models.Shift.objects.bulk_create(
            [
                models.Shift(
                    duty=self.duty,
                    instance=self.instance,
                    began_at=self.began_at,
                    claimed_at=now,
                    judged=sum(self.judged.values()),
                    delayed=sum(self.delayed.values()),
                ),
                # A shift's own row goes with it; this one stays, and tells when any last claimed.
                models.Shift(
                    duty=f"{CLAIMED}{self.duty}", instance="any", began_at=now, claimed_at=now
                ),
            ],
            update_conflicts=True,
            unique_fields=["duty", "instance"],
            update_fields=["claimed_at", "judged", "delayed"],
        )
        if time.monotonic() - self.began > settings.DRAIN_BUDGET_SECONDS:
            self.relieved = self._is_relieved(now)

    def judged_one(self, *, delayed: bool) -> None:
        """Count a reply, and whether our own loop delayed it, over the newest five minutes."""
        minute = int(time.monotonic() // 60)
        if minute not in self.judged:
            self._forget(minute - MINUTES_COUNTED)
        self.judged[minute] += 1
        self.delayed[minute] += delayed

    def _forget(self, until: int) -> None:
        for counter in (self.judged, self.delayed):
            for old in [known for known in counter if known <= until]:
                del counter[old]

    def _is_relieved(self, now: int) -> bool:
        # A younger shift that was killed says nothing any more, and relieves nobody.
        younger = models.Shift.objects.filter(duty=self.duty, began_at__gt=self.began_at)
        return younger.filter(claimed_at__gt=now - FRESH).exists()

    def goes_on(self) -> bool:
        return not self.relieved

    def end(self) -> None:
        try:
            models.Shift.objects.filter(duty=self.duty, instance=self.instance).delete()
        except (DatabaseError, InterfaceError) as error:
            log.warning("could not sign off %s: %s", self.duty, error)


def note_work(duty: str, now: int) -> None:
    """Note, at most every few seconds, that somebody did this duty. `now` is the database's."""
    noted = models.Shift.objects.filter(duty=duty, instance="any")
    if noted.filter(claimed_at__gt=now - NOTE_EVERY, claimed_at__lte=now).exists():
        return
    models.Shift.objects.bulk_create(
        [models.Shift(duty=duty, instance="any", began_at=now, claimed_at=now)],
        update_conflicts=True,
        unique_fields=["duty", "instance"],
        update_fields=["claimed_at"],
    )


def is_covered(duty: str, now: int) -> bool:
    """Somebody takes work on this duty, and is not yet at the end of its budget."""
    budget = round(settings.DRAIN_BUDGET_SECONDS * 1_000_000)
    shifts = models.Shift.objects.filter(duty=duty, claimed_at__gt=now - FRESH)
    at_work = shifts.filter(began_at__gt=now - budget)
    return any(not _has_ended(one) for one in at_work.values_list("instance", flat=True))


def _has_ended(instance: str) -> bool:
    """The process of this shift ran where this one does, and is gone: killed, for it did not sign
    off. Of processes elsewhere only their silence tells."""
    name, _, where = instance.rpartition("@")
    if not where or where != _where():
        return False
    process = int(name.split(":")[1])
    try:
        os.kill(process, 0)
        # A parent may take seconds to notice; until then the process is there, and dead.
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError as error:
        return isinstance(error, ProcessLookupError)
    return state in DEAD


@cache
def _where() -> str:
    """Where the number of this process means this process; empty where the system does not say."""
    try:
        return f"{BOOT.read_text().strip()[:8]}-{PROCESS_NUMBERS.stat().st_ino}"
    except OSError:
        return ""


def ring(now: int) -> None:
    """Note that beat rang, and since when without a break.

    When it has not for a minute, the board says so.
    """
    bell = models.Shift.objects.filter(duty="bell", instance="beat")
    if bell.filter(claimed_at__gte=now - BREAK).update(claimed_at=now):
        return
    models.Shift.objects.bulk_create(
        [models.Shift(duty="bell", instance="beat", began_at=now, claimed_at=now)],
        update_conflicts=True,
        unique_fields=["duty", "instance"],
        update_fields=["began_at", "claimed_at"],
    )
