"""When the typical time of a path moved in the last days, and what was put into service then.

By whole hours, from their roll-ups: the p50 of each, and where a new level of them begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from itertools import pairwise
from operator import or_
from statistics import median

from django.db.models import Q

from opsboard.changes.rules.change_points import change_points
from opsboard.expectations.histogram import Histogram
from opsboard.probes.history import HOUR
from opsboard.probes.models import HourlyRollup, Probe, microseconds, moment
from opsboard.releases.before_after import FEWEST
from opsboard.services.models import Deploy, Environment

# Two weeks of one probe: so many are read and split in less than 50 ms.
MOST_READ, SHOWN = 14 * 24, 3
# Less is within what a bucket of the histogram rounds away, and what nobody looks into.
LEAST = 0.1
# So close to the first hour of a new level something may be why.
NEAR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Move:
    """From one level to the next, in microseconds, and what was put into service close to it."""

    at: datetime
    before: int
    after: int
    deploys: Sequence[Deploy]


def read_moves(environment: Environment, probes: Sequence[Probe], *, now: datetime) -> list[Move]:
    """Newest first. Two queries at most. `probes`: of one path."""
    moved = _moves(_typical([one.pk for one in probes], now=now))[-SHOWN:]
    deploys = _deploys(environment, [at for at, _, _ in moved])
    return [
        Move(at, before, after, [one for one in deploys if abs(one.at - at) <= NEAR])
        for at, before, after in reversed(moved)
    ]


def _typical(probes: Sequence[int], *, now: datetime) -> list[tuple[int, int]]:
    """Each hour with enough answers, oldest first: its beginning and its p50, of all probes.

    At most MOST_READ roll-ups: of fewer days where a path is asked from many places.
    """
    if not probes:
        return []
    since = (microseconds(now) // HOUR - MOST_READ // len(probes)) * HOUR
    read = HourlyRollup.objects.filter(
        probe_id__in=probes, hour_at__gte=since, is_example=False
    ).order_by("hour_at")
    hours: dict[int, Histogram] = {}
    for hour, times in read.values_list("hour_at", "times")[:MOST_READ]:
        found = Histogram.from_bytes(bytes(times))
        hours[hour] = hours[hour].merge(found) if hour in hours else found
    told = ((hour, one.percentile(50)) for hour, one in hours.items() if one.total >= FEWEST)
    return [(hour, p50) for hour, p50 in told if p50 is not None]


def _moves(hours: Sequence[tuple[int, int]]) -> list[tuple[datetime, int, int]]:
    times = [p50 for _, p50 in hours]
    bounds = [0, *change_points(times), len(times)]
    levels = [round(median(times[begin:end])) for begin, end in pairwise(bounds) if begin < end]
    return [
        (moment(hours[place][0]), before, after)
        for place, (before, after) in zip(bounds[1:-1], pairwise(levels), strict=True)
        if abs(after - before) >= LEAST * before
    ]


def _deploys(environment: Environment, moved: Sequence[datetime]) -> list[Deploy]:
    if not moved:
        return []
    near = reduce(or_, (Q(at__gte=at - NEAR, at__lte=at + NEAR) for at in moved))
    return list(environment.deploys.filter(near).order_by("at", "pk")[:MOST_READ])
