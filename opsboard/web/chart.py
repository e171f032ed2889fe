"""The numbers of a path's chart: four rows on one clock. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from opsboard.web.chart_marks import marks_words
from opsboard.web.measurements import Limit, Measured
from opsboard.web.series import Series
from opsboard.web.words import DAY, HOUR, duration, share

# Stacked in this order, from the bottom.
PHASES = ("database", "application", "connect", "download")

type Values = list[float | None]
type Lines = dict[str, Values]


@dataclass(frozen=True, slots=True)
class Scale:
    """From 0 to `top`, with round numbers to write beside it."""

    top: float
    ticks: tuple[float, ...]


def scale_for(most: float, *, parts: int) -> Scale:
    """The smallest round scale that holds `most` in at most `parts` parts."""
    rough = max(most, 1e-9) / parts
    power = 10 ** math.floor(math.log10(rough))
    part = next(one * power for one in (1, 2, 5, 10) if one * power >= rough * 0.999_999)
    count = max(1, math.ceil(most / part - 1e-6))
    return Scale(part * count, tuple(round(part * number, 9) for number in range(count + 1)))


def lines_of(series: Series) -> Lines:
    """Every line of the chart, one value a step; None is a gap. Times in milliseconds."""
    phases = [point.phases for point in series.points]
    lines: Lines = {
        name: [None if each is None else each[number] for each in phases]
        for number, name in enumerate(PHASES)
    }
    for name in ("p50", "p95", "p99"):
        times = [getattr(point, name) for point in series.points]
        lines[name] = [None if time is None else time / 1000 for time in times]
    lines["hits"] = [_rounded(point.hit_percent) for point in series.points]
    lines["calls"] = [_rounded(_mean_calls(point)) for point in series.points]
    lines["errors"] = [_rounded(point.error_percent) for point in series.points]
    return lines


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def _mean_calls(point: Measured) -> float | None:
    return point.db_calls_sum / point.db_calls_reported if point.db_calls_reported else None


def scales_of(series: Series, lines: Lines) -> dict[str, Scale]:
    stacked = [sum(part or 0 for part in parts) for parts in stacks(lines)]
    limits = series.limits
    time = max([*stacked, *_known(lines["p95"]), 1.2 * _value(limits.time) / 1000, 1])
    calls = max([*_known(lines["calls"]), 1.2 * _value(limits.calls), 2])
    errors = max([*_known(lines["errors"]), min(4 * _value(limits.errors), 100), 5])
    return {
        "time": scale_for(time, parts=4),
        "cache": Scale(100, (0, 50, 100)),
        "calls": scale_for(calls, parts=2),
        "errors": scale_for(errors, parts=2) if errors <= 50 else Scale(100, (0, 50, 100)),
    }


def stacks(lines: Lines) -> Iterable[tuple[float | None, ...]]:
    """The phases of each step."""
    return zip(*(lines[name] for name in PHASES), strict=True)


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _value(limit: Limit | None) -> float:
    return float(limit.value) if limit else 0


def data_of(series: Series) -> dict[str, Any]:
    """What the script draws, ready for JSON. Moments in seconds since 1970."""
    lines = lines_of(series)
    return {
        "t": [at // 1_000_000 for at in series.times],
        "step": series.step // 1_000_000,
        **lines,
        "probes": [point.probes for point in series.points],
        "wrong": [point.wrong for point in series.points],
        # Few are said as counts: the share alone would claim more.
        "cached": [[p.cache_hits, p.cache_known] if p.cache_known else None for p in series.points],
        "scales": {
            row: {"top": scale.top, "ticks": scale.ticks}
            for row, scale in scales_of(series, lines).items()
        },
        "limits": limits_of(series),
        "failing": [[begin / 1e6, end / 1e6] for begin, end in series.failing],
        "marks": [
            {"at": mark.at / 1e6, "kind": mark.kind.value, "words": mark.words}
            for mark in series.marks
        ],
        "hasDatabase": series.has_database,
    }


def limits_of(series: Series) -> dict[str, dict[str, Any]]:
    limits = series.limits
    drawn = {
        "time": (limits.time, 1000),
        "cache": (limits.hits, 1),
        "calls": (limits.calls, 1),
        "errors": (limits.errors, 1),
    }
    return {
        row: {"value": float(limit.value) / unit, "words": f"expected {limit.words}"}
        for row, (limit, unit) in drawn.items()
        if limit is not None
    }


def finding(series: Series, span: str) -> str:
    """What the chart shows, in a sentence for those who do not see it."""
    if not series.probes:
        return f"Nothing was measured in the last {span}."
    slowest = max((point.p95 for point in series.points if point.p95), default=None)
    parts = [f"{series.probes:,} probes in {span}, {share(series.wrong, series.probes)} wrong"]
    if slowest is not None:
        parts.append(f"slowest p95 {duration(slowest)}")
    said = [f"{'; '.join(parts)}.", _failing_words(series), marks_words(series.marks)]
    said.append(examples_words(series))
    return " ".join(filter(None, said))


def examples_words(series: Series) -> str:
    if series.examples_until is None:
        return ""
    until = datetime.fromtimestamp(series.examples_until / 1e6, tz=UTC)
    clock = "" if until.hour == 0 else f" {until:%H:%M}"
    return f"Hours before {until.day} {until:%b}{clock} are examples."


def _failing_words(series: Series) -> str:
    if not series.failing:
        return "It was not failing."
    minutes = sum(end - begin for begin, end in series.failing) // 60_000_000
    first = datetime.fromtimestamp(series.failing[-1][0] / 1e6, tz=UTC)
    pattern = "%H:%M" if series.end - series.start <= DAY else "%-d %b %H:%M"
    lasted = f"{minutes} min" if minutes < 120 else f"{minutes * 60_000_000 // HOUR} h"
    return f"It was failing for {lasted} in all, last from {first:{pattern}}."
