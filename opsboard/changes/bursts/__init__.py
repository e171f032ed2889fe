"""Bursts: requests that somebody asks for, to fill a window sooner than the probes would.

They are no observations: they count for no availability, no patience and no roll-up. A worker of
the location asks one burst at a time there, for some seconds, and hands it to the next bell.
"""

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from opsboard.changes.bursts.claims import claim
from opsboard.changes.bursts.orders import questions_of, why_not_asked
from opsboard.changes.bursts.turn import take_turn
from opsboard.changes.collecting import location_of, progress
from opsboard.changes.holding import hold, hold_open
from opsboard.changes.models import Burst, Change, Comparison, Window
from opsboard.changes.refusing import Refused
from opsboard.changes.sealing import why_not_the_same
from opsboard.changes.sides import collecting_window
from opsboard.people import audit
from opsboard.people.audit import Actor
from opsboard.probes.schedule import database_now
from opsboard.probes.writing import wait_for_database

__all__ = ["ask_due", "missing_of", "start", "stop", "stop_of"]


@transaction.atomic
def start(
    comparison: Comparison,
    *,
    by: Actor,
    now: datetime,
    count: int | None = None,
    rate: float | None = None,
) -> Burst:
    """Have `count` samples asked, or all that are missing. Raises Refused.

    The rate is the change's: both sides are asked alike.
    """
    held = hold_open(comparison)
    change = held.change
    if change.sampling != Change.Sampling.BURST:
        how = change.get_sampling_display().lower()
        raise Refused(f"{change} is measured by {how}: declare one that is measured by bursts.")
    window = collecting_window(held, now=now)
    if running := window.bursts.filter(finished_at=None).first():
        raise Refused(
            f"A burst is under way, {running.asked} of {running.wanted}: "
            "let it end, or stop it first."
        )
    wanted = _count(window, count, now=now)
    if rate is not None and rate != change.rate:
        raise Refused(
            f"{change} asks {change.rate:g} times a second on both sides: leave the rate out."
        )
    location = location_of(change, change.path)
    if location not in settings.LOCATIONS:
        raise Refused(f"Nobody asks from {location}: it is none of this board's locations.")
    if why := why_not_asked(change) or why_not_the_same(held):
        raise Refused(why)
    questions = questions_of(change, location)
    for question in filter(None, (questions.path, questions.control)):
        if problem := question.orders[0].problem:
            raise Refused(problem)
    burst = Burst.objects.create(
        window=window,
        location=location,
        wanted=wanted,
        started_at=now,
        started_by=by.person,
        started_as="" if by.person else by.who[:120],
    )
    after = {"burst": f"{wanted} samples, {window.side}"}
    audit.record(by, "started a burst for", "change", str(change), now=now, after=after)
    return burst


@transaction.atomic
def stop(burst: Burst, *, by: Actor, now: datetime) -> None:
    """End it after the request in flight. Of one that has ended nothing is said."""
    change = hold(burst.window.comparison.change)
    running = Burst.objects.filter(pk=burst.pk, finished_at=None, stopped_at=None)
    if running.update(stopped_at=now):
        # Nobody is at it who would end it.
        nobodys = Q(claim_id=None) | Q(leased_until__lte=database_now())
        Burst.objects.filter(nobodys, pk=burst.pk, finished_at=None).update(
            finished_at=now, claim_id=None, leased_until=None
        )
        audit.record(by, "stopped a burst for", "change", str(change), now=now)
    burst.refresh_from_db()


@transaction.atomic
def stop_of(change: Change, *, by: Actor, now: datetime) -> None:
    """End the burst of a change that is under way. Raises Refused when none is."""
    going = Burst.objects.filter(window__comparison__change=hold(change), finished_at=None)
    burst = going.select_related("window__comparison__change").order_by("pk").last()
    if burst is None:
        raise Refused("No burst is going on: there is nothing to stop.")
    stop(burst, by=by, now=now)


def ask_due(location: str, *, is_stopping: Callable[[], bool]) -> None:
    """Ask one burst of a location for some seconds, if one is due and nobody else asks one there.

    Told to stop, it gives up the request in flight and hands the burst back.
    """
    try:
        claimed = claim(location)
        if claimed is not None:
            take_turn(claimed, is_stopping=is_stopping)
    except (OperationalError, InterfaceError) as error:
        # The lease runs out, and another goes on.
        wait_for_database(error)


def missing_of(window: Window, *, now: datetime) -> int:
    """How many samples of the path it lacks: what came in the warm-up is none."""
    found = progress(window, now=now)
    return max(0, found.of - found.count)


def _count(window: Window, count: int | None, *, now: datetime) -> int:
    missing = missing_of(window, now=now)
    if not missing:
        raise Refused(f"The {window.side} window has its samples: nothing is missing.")
    if count is None:
        return missing
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= missing:
        raise Refused(f"A burst asks for 1 to {missing} samples: that many are missing.")
    return count
