"""When a maintenance window is open: local times of its zone, read as moments of UTC.

A window that begins in the hour that a change of clocks leaves out begins when that hour would have
ended; in the hour that comes twice it begins the first time. So it exists once on every day, and
it lasts its minutes as they pass, whatever the clocks show.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from operator import attrgetter
from typing import Protocol
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from opsboard.services.models import Environment, MaintenanceWindow
from opsboard.services.together import Given, Moment

type Span = tuple[datetime, datetime]

SHORTEST = timedelta(minutes=5)
LONGEST = timedelta(days=7)
# Zones are at most fourteen hours from UTC: a local day lies within a day of the one in UTC.
A_DAY = timedelta(days=1)


def occurrences(window: MaintenanceWindow, start: datetime, end: datetime) -> list[Span]:
    """The times it is open that touch [start, end), whole and in order, in UTC.

    None before it was planned, and none after it was called off; the one that was open then ended
    at that moment.
    """
    found = (_span(window, day) for day in _days(window, start, end))
    return [
        (begin, finish)
        for begin, finish in found
        if begin < finish and _touch(begin, finish, start, end)
    ]


def open_at(window: MaintenanceWindow, at: datetime) -> Span | None:
    """The time around `at` in which it is open; None: it is closed then."""
    around = occurrences(window, at, at + timedelta(microseconds=1))
    # Of two that overlap the one that is open longer.
    return max(around, key=lambda span: span[1], default=None)


def next_occurrences(window: MaintenanceWindow, after: datetime, *, count: int = 1) -> list[Span]:
    """The next ones that begin after a moment, at most `count`."""
    last = window.starts_on if window.until is None else window.until
    found: list[Span] = []
    for day in _each_day(max(window.starts_on, (after - A_DAY).date()), last, window):
        begin, finish = _span(window, day)
        if begin > after and begin < finish:
            found.append((begin, finish))
            if len(found) == count:
                break
    return found


def is_over(window: MaintenanceWindow, now: datetime) -> bool:
    """Neither open now nor ever again."""
    return open_at(window, now) is None and not next_occurrences(window, now)


def has_begun(window: MaintenanceWindow, now: datetime) -> bool:
    """Whether it was open once, or is: then it is not changed any more, only ended."""
    first = first_begin(window)
    return first is not None and first <= now


def first_begin(window: MaintenanceWindow) -> datetime | None:
    """When it is open the first time; None: on no day at all."""
    last = window.starts_on if window.until is None else window.until
    day = next(_each_day(window.starts_on, last, window), None)
    return None if day is None else begin_of(window, day)


def begin_of(window: MaintenanceWindow, day: date) -> datetime:
    """The moment at which it begins on a local day."""
    local = datetime.combine(day, window.starts_at, ZoneInfo(window.zone))
    return local.astimezone(UTC)


def _span(window: MaintenanceWindow, day: date) -> Span:
    begin = begin_of(window, day)
    finish = begin + timedelta(minutes=window.minutes)
    # One that begins in the very minute in which it is planned begins as it is planned.
    begin = max(begin, window.planned_at)
    if window.removed_at is not None:
        finish = min(finish, window.removed_at)
    return begin, finish


def _touch(begin: datetime, finish: datetime, start: datetime, end: datetime) -> bool:
    return begin < end and finish > start


def _days(window: MaintenanceWindow, start: datetime, end: datetime) -> Iterator[date]:
    """The local days on which it begins, of those that could touch [start, end)."""
    length = timedelta(minutes=window.minutes)
    first = max(window.starts_on, (start - length - A_DAY).date())
    last = min(window.until or window.starts_on, (end + A_DAY).date())
    return _each_day(first, last, window)


def _each_day(first: date, last: date, window: MaintenanceWindow) -> Iterator[date]:
    is_weekly = window.repeats == MaintenanceWindow.Repeats.WEEKLY
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if not is_weekly or day.weekday() in window.weekdays:
            yield day


# What it is about ----------------------------------------------------------------------------


class OfTeam(Protocol):
    """A service, or what was read of one: all that tells whether something is about it."""

    @property
    def pk(self) -> int: ...
    @property
    def team_id(self) -> int: ...


def matches(window: MaintenanceWindow, service: OfTeam, environment_slug: str) -> bool:
    """Whether a service in an environment is within what the window is about."""
    return (
        window.team_id in (None, service.team_id)
        and window.service_id in (None, service.pk)
        and window.environment_slug in ("", environment_slug)
    )


def touching(start: datetime, end: datetime) -> QuerySet[MaintenanceWindow]:
    """The windows that could be open in [start, end), called off or not."""
    return of_days(*days_around(start, end), start)


def days_around(start: datetime, end: datetime) -> tuple[date, date]:
    """The first and the last day that a window has which could be open in [start, end)."""
    return (start - LONGEST - A_DAY).date(), (end + A_DAY).date()


def of_days(first: date | Given, last: date | Given, start: Moment) -> QuerySet[MaintenanceWindow]:
    """Those of some days, but for those called off by `start`."""
    return MaintenanceWindow.objects.filter(
        Q(until=None, starts_on__gte=first) | Q(until__gte=first),
        Q(removed_at=None) | Q(removed_at__gt=start),
        starts_on__lte=last,
    ).order_by("pk")


def perhaps_open(day: date) -> QuerySet[MaintenanceWindow]:
    """Those that could be open at some time of that day, in UTC."""
    start = datetime.combine(day, time(), UTC)
    return touching(start, start + A_DAY)


def open_of(
    windows: Iterable[MaintenanceWindow], at: datetime
) -> list[tuple[MaintenanceWindow, datetime]]:
    """Those open at a moment, each with its end, the one that ends last first."""
    found = [
        (window, span[1])
        for window in sorted(windows, key=attrgetter("pk"))
        if (span := open_at(window, at)) is not None
    ]
    return sorted(found, key=lambda pair: pair[1], reverse=True)


def spans_of(
    windows: Iterable[MaintenanceWindow],
    environments: Iterable[Environment],
    start: datetime,
    end: datetime,
) -> dict[int, list[Span]]:
    """By environment: the times in [start, end) in which it is in maintenance, none twice.

    `windows`: those `touching` that time; others do no harm. Environments come with their service.
    """
    known = [(window, occurrences(window, start, end)) for window in windows]
    found = {}
    for environment in environments:
        spans = [
            (max(begin, start), min(finish, end))
            for window, times in known
            if matches(window, environment.service, environment.slug)
            for begin, finish in times
        ]
        if spans:
            found[environment.pk] = joined(spans)
    return found


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same times in order, with those that overlap or touch as one."""
    merged: list[Span] = []
    for begin, finish in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], finish))
        else:
            merged.append((begin, finish))
    return merged
