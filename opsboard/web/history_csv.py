"""What a chart and a 90-day strip show, as rows for a spreadsheet. Pure.

What was not measured, or not reported, is an empty cell and never a 0. Shares are left as the two
counts that they are of.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from opsboard.probes.models import moment
from opsboard.services.models import CriticalPath
from opsboard.web.measurements import Measured
from opsboard.web.series import Series
from opsboard.web.strips import DAYS, DayRow

_TIMES = ("p50 (ms)", "p95 (ms)", "p99 (ms)")
_PHASES = ("mean application (ms)", "mean connect (ms)", "mean download (ms)")
# Told by HTTP only.
_TOLD = (
    *("mean database (ms)", "mean database calls"),
    *("cache hits (requests)", "cache reported (requests)"),
)
_SECONDS = ("passing", "warning", "failing", "no_data", "paused", "maintenance")


def chart_columns(kind: str) -> list[str]:
    told = _TOLD if kind == CriticalPath.Kind.HTTP else ()
    return ["from (UTC)", "probes", "wrong (probes)", *_TIMES, *_PHASES, *told, "example"]


def chart_rows(series: Series, kind: str) -> Iterator[list[str]]:
    """One for each step of the chart, those in which nothing was measured too."""
    columns = chart_columns(kind)
    for at, point in zip(series.times, series.points, strict=True):
        cells = _cells(point) if point.probes else {}
        is_example = bool(cells) and at < (series.examples_until or 0)
        cells |= {"from (UTC)": f"{moment(at):%Y-%m-%dT%H:%M:%SZ}"}
        cells |= {"example": "yes" if is_example else ""}
        yield [_text(cells.get(column)) for column in columns]


def _cells(point: Measured) -> dict[str, Any]:
    database, *phases = point.phases or [None] * 4
    times = (None if t is None else t / 1000 for t in (point.p50, point.p95, point.p99))
    calls = point.db_calls_reported and round(point.db_calls_sum / point.db_calls_reported, 2)
    return {
        "probes": point.probes,
        "wrong (probes)": point.wrong,
        **dict(zip(_TIMES, times, strict=True)),
        **dict(zip(_PHASES, phases, strict=True)),
        "mean database (ms)": database if point.db_time_sum else None,
        "mean database calls": calls if point.db_calls_reported else None,
        "cache hits (requests)": point.cache_hits if point.cache_known else None,
        "cache reported (requests)": point.cache_known or None,
    }


def day_columns() -> list[str]:
    names = (name.replace("_", " ") for name in _SECONDS)
    return ["day (UTC)", "worst", *(f"{name} (s)" for name in names), "example"]


def day_rows(days: Iterable[DayRow], *, today: date) -> Iterator[Sequence[str]]:
    """One for each day of the strip, oldest first."""
    known: Mapping[date, DayRow] = {row.day: row for row in days}
    for back in range(DAYS - 1, -1, -1):
        day = today - timedelta(days=back)
        row = known.get(day)
        if row is None:
            yield [day.isoformat(), *[""] * (len(_SECONDS) + 2)]
            continue
        seconds = [str(getattr(row, name)) for name in _SECONDS]
        worst = row.worst.replace("_", " ")
        yield [day.isoformat(), worst, *seconds, "yes" if row.is_example else ""]


def _text(value: float | str | None) -> str:
    return "" if value is None else str(value)
