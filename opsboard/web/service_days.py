"""The days of a service in one environment, as strips and availability read them."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from opsboard.probes.models import ServiceDay
from opsboard.web import strips, words


class Day(NamedTuple):
    """A ServiceDay: seconds in each state."""

    day: date
    worst: str
    passing: int
    warning: int
    failing: int
    no_data: int
    paused: int
    maintenance: int
    is_example: bool


def first_day(now: datetime) -> date:
    return now.date() - timedelta(days=strips.DAYS - 1)


def days_of(environment_ids: Iterable[int], *, now: datetime) -> dict[int, list[Day]]:
    """The last 90 days of each environment, oldest first, in one query."""
    found = (
        ServiceDay.objects.filter(environment_id__in=set(environment_ids), day__gte=first_day(now))
        .order_by("day")
        .values_list("environment_id", *Day._fields)
    )
    days: dict[int, list[Day]] = defaultdict(list)
    for row in found:
        days[row[0]].append(Day(*row[1:]))
    return days


def availability_of(days: Iterable[Day]) -> str:
    """From the same rows as the strip: the two never contradict each other."""
    kept = list(days)
    up = sum(day.passing + day.warning for day in kept)
    return words.availability(up, up + sum(day.failing for day in kept))


def maintenance_of(days: Iterable[Day]) -> str:
    """ "1 h 30 min"; "" when there was none."""
    seconds = sum(day.maintenance for day in days)
    return words.span(seconds * words.SECOND) if seconds else ""
