"""What a path showed before and after whatever was put into service: at most a day on each side.

Whole hours are read from roll-ups, which outlive the observations; the hours in which something
happened, and those not rolled up yet, from observations. Scheduled ones only: a path is asked more
often while something is wrong.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import attrgetter, or_

from django.db.models import Q, QuerySet

from opsboard.expectations.histogram import Histogram
from opsboard.probes import narrow
from opsboard.probes.history import HOUR, count_hour
from opsboard.probes.models import (
    HourlyRollup,
    Kind,
    Observation,
    Probe,
    microseconds,
)
from opsboard.services.models import Deploy
from opsboard.services.together import Moment, Number

SHOWN = 10
# Of each side, in microseconds.
LONGEST = 24 * HOUR
# What was told of one thing that happened: a release, and then its commit that was seen.
TOGETHER = timedelta(minutes=10)
# So many hours may be waiting for their roll-up: then their observations are read.
MOST_HOURS_AHEAD = 48
# A release with its commit and its changes may be several deploys.
_READ = 4 * (SHOWN + 1)
# Below these no percentile is said.
FEWEST, FEWEST_FOR_P95 = 20, 60


@dataclass(frozen=True, slots=True)
class Span:
    """[start, end), in microseconds."""

    start: int
    end: int

    def hours(self) -> range:
        """The beginnings of the hours that lie in it, wholly or in part."""
        return range(self.start // HOUR * HOUR, self.end, HOUR)

    def holds(self, hour: int) -> bool:
        return self.start <= hour and hour + HOUR <= self.end


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one side. None: too few, or nobody told."""

    # How many requests were asked, without errors of our own.
    asked: int
    wrong: int
    # Of answers that were right, and whose time our own loop did not delay.
    timed: int
    p50: int | None
    p95: int | None
    cache_known: int
    cache_hits: int
    calls_reported: int
    calls_mean: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was put into service, or several things at once."""

    deploys: Sequence[Deploy]
    before: Figures
    after: Figures
    # Whether the after side still grows.
    is_growing: bool

    @property
    def at(self) -> datetime:
        return self.deploys[0].at


def deploys_of(environment: Number, *, now: Moment) -> QuerySet[Deploy]:
    """The newest of what was put into service there."""
    told = Deploy.objects.filter(environment=environment, at__lte=now).order_by("-at", "-pk")
    return Deploy.objects.filter(pk__in=told.values("pk")[:_READ])


def read_before_after(
    deploys: Iterable[Deploy], probes: Sequence[Probe], *, now: datetime
) -> list[Step]:
    """Newest first. Two queries, however many there are.

    `deploys`: those of `deploys_of`; `probes`: of one path there.
    """
    groups = together(sorted(deploys, key=attrgetter("at", "pk")))
    shown = [(group, *_spans(place, groups, now=now)) for place, group in enumerate(groups)]
    shown = shown[-SHOWN:]
    spans = [span for _, *both in shown for span in both]
    if not spans or not probes:
        return []
    counted = _Counted.read([one.pk for one in probes], spans)
    until = microseconds(now)
    return [
        Step(group, counted.of(before), counted.of(after), is_growing=after.end == until)
        for group, before, after in reversed(shown)
    ]


def together(deploys: Iterable[Deploy]) -> list[list[Deploy]]:
    """Oldest first; those close to each other are one."""
    groups: list[list[Deploy]] = []
    for one in deploys:
        if groups and one.at - groups[-1][-1].at < TOGETHER:
            groups[-1].append(one)
        else:
            groups.append([one])
    return groups


def _spans(place: int, groups: Sequence[Sequence[Deploy]], *, now: datetime) -> tuple[Span, Span]:
    """Up to the neighbours. Where none is within a day, whole hours of that day."""
    begin, end = microseconds(groups[place][0].at), microseconds(groups[place][-1].at)
    earliest, latest = -(-(begin - LONGEST) // HOUR) * HOUR, (end + LONGEST) // HOUR * HOUR
    if place:
        earliest = max(earliest, microseconds(groups[place - 1][-1].at))
    if place + 1 < len(groups):
        latest = min(latest, microseconds(groups[place + 1][0].at))
    return Span(earliest, begin), Span(end, min(latest, microseconds(now)))


@dataclass(frozen=True, slots=True)
class _Counted:
    # By the hour.
    rollups: dict[int, list[HourlyRollup]]
    observations: dict[int, list[Observation]]

    @classmethod
    def read(cls, probes: Sequence[int], spans: Sequence[Span]) -> "_Counted":
        hours = {hour for span in spans for hour in span.hours()}
        cut = {hour for span in spans for hour in span.hours() if not span.holds(hour)}
        rollups: dict[int, list[HourlyRollup]] = defaultdict(list)
        for row in HourlyRollup.objects.filter(
            probe_id__in=probes, hour_at__in=hours, is_example=False
        ):
            rollups[row.hour_at].append(row)
        newest = max(rollups, default=0)
        ahead = sorted(hour for hour in hours if hour > newest)[-MOST_HOURS_AHEAD:]
        return cls(rollups, _observations(probes, cut.union(ahead)))

    def of(self, span: Span) -> Figures:
        return figures_of(self._parts(span))

    def _parts(self, span: Span) -> Iterator[HourlyRollup]:
        for hour in span.hours():
            if span.holds(hour) and hour in self.rollups:
                yield from self.rollups[hour]
                continue
            seen = self.observations.get(hour, [])
            inside = [one for one in seen if span.start <= one.slot_at < span.end]
            if inside:
                yield count_hour(inside[0].probe_id, hour, inside, 0)


def _observations(probes: Sequence[int], hours: set[int]) -> dict[int, list[Observation]]:
    found: dict[int, list[Observation]] = defaultdict(list)
    if not hours:
        return found
    within = reduce(or_, (Q(slot_at__gte=one, slot_at__lt=one + HOUR) for one in sorted(hours)))
    seen = Observation.objects.alias(why=narrow.KIND.value).filter(
        within, probe_id__in=probes, why=Kind.SCHEDULED
    )
    seen = seen.defer("told")
    for one in seen:
        found[one.slot_at // HOUR * HOUR].append(one)
    return found


def figures_of(parts: Iterable[HourlyRollup]) -> Figures:
    """Of hours, or parts of them, together."""
    rows = list(parts)
    times = Histogram.merged(bytes(one.times) for one in rows)
    timed, reported = times.total, sum(one.db_calls_reported for one in rows)
    return Figures(
        asked=sum(one.observations - one.errors_of_ours for one in rows),
        wrong=sum(one.wrong for one in rows),
        timed=timed,
        p50=times.percentile(50) if timed >= FEWEST else None,
        p95=times.percentile(95) if timed >= FEWEST_FOR_P95 else None,
        cache_known=sum(one.cache_known for one in rows),
        cache_hits=sum(one.cache_hits for one in rows),
        calls_reported=reported,
        calls_mean=sum(one.db_calls_sum for one in rows) / reported if reported else None,
    )
