"""The rows of the board's table: what each service of one page measures now, and its 90 days."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from opsboard.alerts.holding import Hold, Overlays
from opsboard.expectations.histogram import Histogram
from opsboard.probes.models import HourlyRollup, ServiceDay, microseconds
from opsboard.probes.path_states import PathNow
from opsboard.probes.rules import State
from opsboard.web import measuring, strips, words
from opsboard.web.expected import limits_for
from opsboard.web.measurements import NO_DATA, NOT_REPORTED, NOTHING, Limit, Measured, severity
from opsboard.web.overview import ServiceNow
from opsboard.web.sentences import paths_words

MINUTE = 60 * words.SECOND
# All numbers "now" are of this stretch, on every page.
NOW_SPAN = 15 * MINUTE
SPARK_HOURS = 24


@dataclass(frozen=True, slots=True)
class Cell:
    """A number beside its limit. `css` is "fail" or "warn" when it is over, else ""."""

    text: str
    css: str = ""

    @property
    def is_missing(self) -> bool:
        return self.text in (NO_DATA, NOT_REPORTED)


@dataclass(frozen=True, slots=True)
class Numbers:
    """One path's measurements as cells of a table."""

    p95: Cell
    expected: str
    errors: Cell
    hits: Cell
    calls: Cell
    spark: list[float | None]
    spark_limit: float | None
    # Whether anything was measured in the stretch.
    is_known: bool


@dataclass(frozen=True, slots=True)
class Row:
    now: ServiceNow
    # How many pass, and the rest: ("3", " of 4").
    paths: tuple[str, str]
    # None: no path is probed.
    numbers: Numbers | None
    # When it was last heard of; None: never.
    observed_at: int | None
    since: int | None
    bars: list[strips.Bar]
    availability: str
    # What holds back the alerts of the whole service, and how many of its paths alone are silenced.
    holds: list[Hold]
    silenced: int

    @property
    def has_examples(self) -> bool:
        return any(bar.is_example for bar in self.bars)

    @property
    def is_quiet(self) -> bool:
        """Paused or unknown: there is nothing measured now that could be shown."""
        return self.now.state in (State.PAUSED, State.NO_DATA)


def rows_of(services: Sequence[ServiceNow], *, now: datetime) -> list[Row]:
    """Five queries, however many rows."""
    chosen = {row.service.pk: telling_path(row.paths) for row in services}
    numbers = numbers_of([path for path in chosen.values() if path], now=now)
    days = days_of((row.environment.pk for row in services if row.environment), now=now)
    overlays = Overlays.load(now=now)
    return [
        _row(
            row,
            chosen[row.service.pk],
            numbers,
            days[row.environment.pk if row.environment else 0],
            overlays,
            now=now,
        )
        for row in services
    ]


def _row(
    row: ServiceNow,
    path: PathNow | None,
    numbers: Mapping[int, Numbers],
    days: Sequence["Day"],
    overlays: Overlays,
    *,
    now: datetime,
) -> Row:
    slug = row.environment.slug if row.environment else ""
    holds = overlays.of_place(row.service, None, slug)
    alone = [] if any(hold.by == "silence" for hold in holds) else row.paths
    return Row(
        now=row,
        paths=paths_words(each.state for each in row.paths),
        numbers=numbers[path.path.pk] if path else None,
        observed_at=max((each.observed_at for each in row.paths if each.observed_at), default=None),
        since=path.since if path else None,
        bars=strips.bars(days, today=now.date()),
        availability=availability_of(days),
        holds=holds,
        silenced=sum(bool(overlays.silence_of(row.service, each.path, slug)) for each in alone),
    )


def telling_path(paths: Iterable[PathNow]) -> PathNow | None:
    """The path whose numbers stand for the service: the worst, then one with a limit on its time.

    Chosen without its numbers, so that it stays the same from one look to the next.
    """
    return min(
        paths,
        key=lambda path: (
            path.rank[0],
            "time" not in path.path.expected_result,
            path.path.slug == "health",
            path.path.pk,
        ),
        default=None,
    )


def numbers_of(paths: Sequence[PathNow], *, now: datetime) -> dict[int, Numbers]:
    """What each path measures now, by its id. Two queries."""
    probe_ids = [probe.pk for path in paths for probe in path.probes]
    at = microseconds(now)
    measured = measuring.by_path(probe_ids, since=at - NOW_SPAN, until=at + MINUTE)
    hours = _hours({probe.pk: path.path.pk for path in paths for probe in path.probes}, at)
    return {
        path.path.pk: _numbers(
            path, measured.get(path.path.pk, NOTHING), hours[path.path.pk], now=at
        )
        for path in paths
    }


def _numbers(
    path: PathNow, measured: Measured, hours: Mapping[int, int | None], *, now: int
) -> Numbers:
    limits = limits_for(path.path)
    last = now // words.HOUR
    spark = [hours.get(hour) for hour in range(last - SPARK_HOURS + 1, last)] + [measured.p95]
    return Numbers(
        p95=_cell(_p95(measured), limits.time, measured.p95, path.state),
        expected=words.milliseconds(int(limits.time.value)) if limits.time else "no limit",
        errors=_cell(measured.errors_words, limits.errors, measured.error_percent, path.state),
        hits=_cell(measured.hits_words, limits.hits, measured.hit_percent, path.state),
        calls=_cell(measured.calls_words, limits.calls, measured.calls, path.state),
        spark=[None if value is None else value / 1000 for value in spark],
        spark_limit=float(limits.time.value) / 1000 if limits.time else None,
        is_known=measured.probes > 0,
    )


def _cell(text: str, limit: Limit | None, value: float | None, state: State) -> Cell:
    return Cell(text, severity(limit, value, is_failing=state is State.FAILING))


def _p95(measured: Measured) -> str:
    return NO_DATA if measured.p95 is None else words.milliseconds(measured.p95)


def _hours(paths_of_probes: Mapping[int, int], now: int) -> dict[int, dict[int, int | None]]:
    """p95 of each rolled-up hour of the last 24, by path and number of the hour."""
    rolled = HourlyRollup.objects.filter(
        probe_id__in=list(paths_of_probes), hour_at__gte=now - SPARK_HOURS * words.HOUR
    ).values_list("probe_id", "hour_at", "times")
    times: dict[int, dict[int, Histogram]] = defaultdict(dict)
    for probe_id, hour_at, stored in rolled:
        of_path, hour = times[paths_of_probes[probe_id]], hour_at // words.HOUR
        histogram = Histogram.from_bytes(bytes(stored))
        of_path[hour] = of_path[hour].merge(histogram) if hour in of_path else histogram
    p95 = {
        path: {hour: histogram.percentile(95) for hour, histogram in hours.items()}
        for path, hours in times.items()
    }
    return defaultdict(dict, p95)


@dataclass(frozen=True, slots=True)
class Day:
    """A ServiceDay as strips and availability read it: seconds in each state."""

    day: date
    worst: str
    passing: int
    warning: int
    failing: int
    no_data: int
    paused: int
    maintenance: int
    is_example: bool


def days_of(environment_ids: Iterable[int], *, now: datetime) -> dict[int, list[Day]]:
    """The last 90 days of each environment, oldest first, in one query."""
    since = now.date() - timedelta(days=strips.DAYS - 1)
    found = (
        ServiceDay.objects.filter(environment_id__in=set(environment_ids), day__gte=since)
        .order_by("day")
        .values_list(
            "environment_id",
            "day",
            "worst",
            "passing",
            "warning",
            "failing",
            "no_data",
            "paused",
            "maintenance",
            "is_example",
        )
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
