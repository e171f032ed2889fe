"""The measurements of one path over a range, step by step, as its chart and its table show them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from opsboard.probes.models import HourlyRollup, StateChange, microseconds
from opsboard.probes.path_states import PathNow
from opsboard.probes.rules import State
from opsboard.web import measuring
from opsboard.web.chart_marks import Mark
from opsboard.web.measurements import NOTHING, Limits, Measured
from opsboard.web.words import DAY, HOUR, MINUTE

# An hour is counted a few minutes after it ended; longer behind, the gap is shown as one.
NEWEST_HOURS = 3
# A path that flaps for weeks changes more often than a chart can show.
MOST_CHANGES = 1000


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
        Range("90d", "90 d", 90 * DAY, 6 * HOUR, 3 * DAY, "3 days"),
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
    # Stretches in which the path was failing.
    failing: list[tuple[int, int]]
    # Before this moment it is an example, made up for a demonstration. None: all was measured.
    examples_until: int | None = None
    # What happened meanwhile, the oldest first.
    marks: tuple[Mark, ...] = ()

    @property
    def end(self) -> int:
        return self.start + self.step * len(self.points)

    @property
    def times(self) -> list[int]:
        return [self.start + number * self.step for number in range(len(self.points))]

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


def read_series(
    path: PathNow, chosen: Range, limits: Limits, *, now: datetime, step: int | None = None
) -> Series:
    """Two queries, or four for ranges of hours. `step` is another than the range's own."""
    at, wanted = microseconds(now), step or chosen.step
    # Probes further apart than a step would look like gaps.
    interval = max((probe.interval for probe in path.probes), default=0)
    step = -(-interval // wanted) * wanted if interval > wanted else wanted
    last = at // step
    first = last - chosen.span // step + 1
    read = _rolled if chosen.is_rolled else _raw
    probe_ids = [probe.pk for probe in path.probes]
    found = read(probe_ids, first * step, at, step)
    return Series(
        start=first * step,
        step=step,
        points=[found.get(number, NOTHING) for number in range(first, last + 1)],
        limits=limits,
        failing=_failing(path, first * step, at),
        examples_until=_examples_until(probe_ids, first * step) if chosen.is_rolled else None,
    )


def _raw(probe_ids: Sequence[int], start: int, now: int, step: int) -> dict[int, Measured]:
    return measuring.by_step(probe_ids, since=start, until=now + step, step=step)


def _rolled(probe_ids: Sequence[int], start: int, now: int, step: int) -> dict[int, Measured]:
    rollups: dict[int, list[HourlyRollup]] = defaultdict(list)
    newest = start - HOUR
    for rollup in HourlyRollup.objects.filter(probe_id__in=probe_ids, hour_at__gte=start):
        rollups[rollup.hour_at // step].append(rollup)
        newest = max(newest, rollup.hour_at)
    counted = {number: measuring.of_hours(hours) for number, hours in rollups.items()}
    if step > HOUR:
        return counted
    since = max(newest + HOUR, (now // HOUR - NEWEST_HOURS) * HOUR)
    return counted | measuring.by_step(probe_ids, since=since, until=now + HOUR, step=step)


def _examples_until(probe_ids: Sequence[int], start: int) -> int | None:
    examples = HourlyRollup.objects.filter(
        probe_id__in=probe_ids, hour_at__gte=start, is_example=True
    )
    newest = examples.aggregate(at=Max("hour_at"))["at"]
    return None if newest is None else newest + HOUR


def _failing(path: PathNow, start: int, end: int) -> list[tuple[int, int]]:
    stretches: list[tuple[int, int]] = []
    for probe in path.probes:
        newest = StateChange.objects.filter(probe=probe, at__gte=start).order_by("-at", "-pk")
        changes = list(newest.values_list("at", "before", "after")[:MOST_CHANGES])[::-1]
        # What was before the oldest of so many is not known, and not drawn.
        begin = changes[0][0] if len(changes) == MOST_CHANGES else start
        stretches += failing_stretches(changes, probe.state, begin, end)
    return stretches


def failing_stretches(
    changes: Sequence[tuple[int, str, str]], state: str, start: int, end: int
) -> list[tuple[int, int]]:
    """The parts of [start, end) spent failing. `changes` are (at, before, after), oldest first.

    Without any change the whole of it was spent in `state`.
    """
    current, since = (changes[0][1] if changes else state), start
    stretches = []
    for at, _, after in [*changes, (end, "", "")]:
        if current == State.FAILING and at > since:
            stretches.append((since, at))
        current, since = after, at
    return stretches
