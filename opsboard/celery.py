"""The Celery app and the timetable: read it to know what runs by itself.

A bell that no worker answers in time expires: the next one is as good. Bells carry nothing but the
location; what is due is read from the database.
"""

import multiprocessing
import os
from datetime import timedelta
from typing import Any

from celery import Celery
from celery.beat import Scheduler
from celery.signals import worker_shutting_down
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsboard.settings")


class Timetable(Scheduler):
    """Beat's timetable over a clock that may be set. Nothing is kept: each start begins anew.

    When the clock is set back by an hour, the last bells lie an hour ahead: beat would ring none
    until then, and no alert would go out.
    """

    def tick(self, *arguments: Any, **options: Any) -> Any:
        entries = self.schedule.values()
        if any(entry.last_run_at > entry.default_now() + A_MOMENT for entry in entries):
            for entry in entries:
                entry.last_run_at = entry.default_now()
            self._heap = None
        return super().tick(*arguments, **options)


app = Celery("opsboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.imports = ["opsboard.tasks"]


def probes_of(location: str) -> str:
    """The queue on which a location's drains are rung for."""
    return f"probes.{location}"


# Of the one process that does everything.
QUEUES = [probes_of(settings.LOCATION), "alerts", "housekeeping"]
A_MOMENT = timedelta(seconds=1)
# Seconds. Bells that nobody answers must not pile up; but beat's clock and a worker's may differ,
# and with two seconds a beat that is three behind rings bells that are all dead on arrival.
BELL_LASTS = 300.0


def every(seconds: float, task: str, queue: str = "housekeeping", **kwargs: Any) -> dict[str, Any]:
    return {
        "task": f"opsboard.tasks.{task}",
        "schedule": seconds,
        "kwargs": kwargs,
        "options": {"queue": queue, "expires": max(BELL_LASTS, seconds)},
    }


app.conf.beat_scheduler = "opsboard.celery:Timetable"
app.conf.beat_schedule = {
    **{
        f"drain probes from {location}": every(1, "drain", probes_of(location), location=location)
        for location in settings.LOCATIONS
    },
    # Beside the drains, whose workers alone reach what is asked from there. A drain that waits for
    # such a turn is not missed: the one before it goes on until it is relieved.
    **{
        f"ask bursts from {location}": every(
            1, "ask_bursts", probes_of(location), location=location
        )
        for location in settings.LOCATIONS
    },
    "deliver alerts": every(1, "deliver", "alerts"),
    "reconcile incidents": every(10, "reconcile"),
    "compare changes": every(5, "compare_changes"),
    "do errands": every(2, "do_errands"),
    "count service days": every(30, "count_days"),
    "roll up hours": every(60, "roll_up"),
    "see which versions run": every(settings.SEE_VERSIONS_SECONDS, "see_versions"),
    "say alive": every(settings.ALIVE_SECONDS, "say_alive"),
    "mail sign-in links": every(5, "mail_links"),
    "tell weekly lists": every(60, "tell_weekly"),
    "prune history": every(600, "prune"),
}

# Made before the pool forks, so that the parent's word reaches every child.
# A bare value, not an event: it is set in signal handlers, which may interrupt one another.
_stopping = multiprocessing.get_context("fork").RawValue("b", 0)


def is_stopping() -> bool:
    return bool(_stopping.value)


def stop_drains() -> None:
    """Tell every drain and delivery of this worker to stop claiming and hand back what it holds."""
    _stopping.value = 1


@worker_shutting_down.connect
def _stop_drains(**_: Any) -> None:
    stop_drains()
