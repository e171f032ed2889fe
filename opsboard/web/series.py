"""The measurements of one path over a range, step by step, as its chart and its table show them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import QuerySet

from opsboard.probes.models import StateChange, microseconds
from opsboard.probes.path_states import PathNow
from opsboard.services.models import CriticalPath
from opsboard.web import measuring
from opsboard.web.chart_marks import Mark
from opsboard.web.measurements import NOTHING, Limits, Measured
from opsboard.web.rolled import Hours, read_hours
from opsboard.web.uptime import Standing, changes_since, known_since, standing_of
from opsboard.web.words import DAY, HOUR, MINUTE

# An hour is counted a few minutes after it ended; longer behind, the gap is shown as one.
NEWEST_HOURS = 3


@dataclass(frozen=True, slots=True)
class Range:
    """How far back a chart looks. Of `is_rolled` ones only hourly counts are kept that long."""

    slug: str
    words: str
    span: int
    step: int
    # The step of the table below the chart.
    table_step: int
    table_words: str

    @property
    def is_rolled(self) -> bool:
        return self.step >= HOUR


RANGES = {
    one.slug: one
    for one in (
        Range("1h", "1 h", HOUR, MINUTE, 5 * MINUTE, "5 minutes"),
        Range("3h", "3 h", 3 * HOUR, 2 * MINUTE, 10 * MINUTE, "10 minutes"),
        Range("24h", "24 h", DAY, 10 * MINUTE, HOUR, "hour"),
        Range("7d", "7 d", 7 * DAY, HOUR, 6 * HOUR, "6 hours"),
        Range("30d", "30 d", 30 * DAY, 2 * HOUR, DAY, "day"),
        Range("90d", "90 d", 90 * DAY, 6 * HOUR, 3 * DAY, "3 days"),
        Range("1y", "1 year", 365 * DAY, DAY, 7 * DAY, "7 days"),
    )
}
USUAL = "3h"


@dataclass(frozen=True, slots=True)
class Series:
    """One `Measured` for each step of [start, end), oldest first; nothing measured is a gap."""

    # Microseconds since 1970.
    start: int
    step: int
    points: list[Measured]
    limits: Limits
    # How the path stood meanwhile.
    standing: Standing
    # What it was read from; None: from single probes.
    hours: Hours | None = None
    # What happened meanwhile, the oldest first.
    marks: tuple[Mark, ...] = ()
    # Caches and databases are told by HTTP only.
    can_tell: bool = True

    @property
    def end(self) -> int:
        return self.start + self.step * len(self.points)

    @property
    def times(self) -> list[int]:
        return [self.start + number * self.step for number in range(len(self.points))]

    @property
    def failing(self) -> list[tuple[int, int]]:
        """The stretches in which the path was failing."""
        return self.standing.failing

    @property
    def examples_until(self) -> int | None:
        """Before this moment it is made up for a demonstration. None: all was measured."""
        return self.hours.examples_until if self.hours else None

    @property
    def probes(self) -> int:
        return sum(point.probes for point in self.points)

    @property
    def wrong(self) -> int:
        return sum(point.wrong for point in self.points)

    @property
    def has_database(self) -> bool:
        return any(point.db_time_sum for point in self.points)

    @property
    def has_calls(self) -> bool:
        return any(point.db_calls_reported for point in self.points)

    @property
    def has_cache(self) -> bool:
        return any(point.cache_known for point in self.points)


def span_of(path: PathNow, chosen: Range, *, now: datetime) -> tuple[int, int]:
    """Where a range begins and ends, in microseconds: at whole steps."""
    step = _step(path, chosen.step)
    numbers = _numbers(chosen, step, microseconds(now))
    return numbers.start * step, numbers.stop * step


def changes_in(path: PathNow, chosen: Range, *, now: datetime) -> QuerySet[StateChange]:
    since = known_since(span_of(path, chosen, now=now)[0], now=now)
    return changes_since([probe.pk for probe in path.probes], since)


def read_series(
    path: PathNow,
    chosen: Range,
    limits: Limits,
    changes: Iterable[StateChange],
    *,
    now: datetime,
) -> Series:
    """One query, or three for ranges of hours. `changes`: those of `changes_in`."""
    return _read(path, chosen, limits, changes, [_step(path, chosen.step)], now=now)[0]


def read_with_table(
    path: PathNow,
    chosen: Range,
    limits: Limits,
    changes: Iterable[StateChange],
    *,
    now: datetime,
) -> tuple[Series, Series]:
    """As `read_series`, and the same in the longer steps of its table. No query more."""
    step = _step(path, chosen.step)
    # Whole steps of the chart: their parts are put together.
    steps = [step, -(-chosen.table_step // step) * step]
    series, table = _read(path, chosen, limits, changes, steps, now=now)
    return series, table


def _read(
    path: PathNow,
    chosen: Range,
    limits: Limits,
    changes: Iterable[StateChange],
    steps: Sequence[int],
    *,
    now: datetime,
) -> list[Series]:
    """One for each step, the shortest first: the others are whole multiples of it."""
    at, ids = microseconds(now), [probe.pk for probe in path.probes]
    parts = [_numbers(chosen, step, at) for step in steps]
    start = parts[0].start * steps[0]
    hours = read_hours(ids, since=start, step=steps[0]) if chosen.is_rolled else None
    if hours:
        found = [_counted(hours, ids, at), *(hours.by_step(step) for step in steps[1:])]
    else:
        found = _raw(ids, parts, steps, at)
    series = Series(
        start=start,
        step=steps[0],
        points=[],
        limits=limits,
        standing=standing_of(path.probes, changes, since=start, now=now),
        hours=hours,
        can_tell=path.path.kind == CriticalPath.Kind.HTTP,
    )
    return [
        replace(
            series,
            start=numbers.start * step,
            step=step,
            points=[measured.get(number, NOTHING) for number in numbers],
        )
        for step, numbers, measured in zip(steps, parts, found, strict=True)
    ]


def _step(path: PathNow, wanted: int) -> int:
    """Probes further apart than a step would look like gaps."""
    interval = max((probe.interval for probe in path.probes), default=0)
    return -(-interval // wanted) * wanted if interval > wanted else wanted


def _numbers(chosen: Range, step: int, at: int) -> range:
    """Of the steps since 1970. The range is kept, whether there is data in it or not."""
    last = at // step
    return range(last - chosen.span // step + 1, last + 1)


def _raw(
    probe_ids: Sequence[int], parts: Sequence[range], steps: Sequence[int], now: int
) -> list[dict[int, Measured]]:
    stretches = [
        measuring.Stretch(since=numbers.start * step, until=now + step, step=step)
        for numbers, step in zip(parts, steps, strict=True)
    ]
    return measuring.by_steps(probe_ids, stretches)


def _counted(hours: Hours, probe_ids: Sequence[int], now: int) -> dict[int, Measured]:
    """With the newest hours, which are not counted yet, where a step is an hour."""
    counted = hours.by_step(hours.step)
    if hours.step > HOUR:
        return counted
    since = max(hours.until or 0, (now // HOUR - NEWEST_HOURS) * HOUR)
    return counted | measuring.by_step(probe_ids, since=since, until=now + HOUR, step=HOUR)
