"""The chart of a path as shapes, for a page without scripts. Pure: a series in, points out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from opsboard.web.chart import PHASES, Lines, Scale, Values, limits_of, lines_of, scales_of, stacks
from opsboard.web.chart_marks import Kind
from opsboard.web.reporting import Untold, untold
from opsboard.web.series import Series
from opsboard.web.words import DAY, duration

WIDTH, LEFT = 860, 46
# The height of each row, the room above it for its label, and that below them all for the clock.
HEIGHTS = {"time": 190, "cache": 56, "calls": 56, "errors": 44}
FIRST_TOP, ABOVE, BELOW = 26, 34, 22
TOLD = ("cache", "calls")
CLOCK_PARTS = 6
# Room that the words of a mark take.
NAME_WIDTH = 100

ROLLBACK, STEP = Kind.ROLLBACK, Kind.STEP

type Y = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class DrawnRow:
    label: str
    top: int
    height: int
    # (y, text) of each tick.
    grid: list[tuple[float, str]]
    # (class, points) of each unbroken run.
    areas: list[tuple[str, str]]
    lines: list[str]
    # (y, words); None: the sheet sets no limit.
    limit: tuple[float, str] | None

    @property
    def label_y(self) -> int:
        return self.top - 10

    @property
    def limit_dy(self) -> int:
        """The words stand above their line, or below it where there is no room."""
        return -4 if self.limit and self.limit[0] - self.top > 14 else 13


@dataclass(frozen=True, slots=True)
class Drawing:
    rows: list[DrawnRow]
    # (x, width) of the stretches in which the path was failing.
    failing: list[tuple[float, float]]
    # (x, kind, words; "" where another's words stand already).
    marks: list[tuple[float, str, str]]
    # (x, text).
    clock: list[tuple[float, str]]
    width: int = WIDTH
    left: int = LEFT

    @property
    def bottom(self) -> int:
        return self.rows[-1].top + self.rows[-1].height

    @property
    def height(self) -> int:
        return self.bottom + BELOW


def draw(series: Series) -> Drawing:
    lines = lines_of(series)
    scales = scales_of(series, lines)
    return Drawing(
        rows=[_row(name, top, series, lines, scales[name]) for name, top in _tops(series)],
        failing=_washes(series),
        marks=_marks(series),
        clock=_clock(series),
    )


def _tops(series: Series) -> Iterator[tuple[str, int]]:
    """The rows from above, without those that a path of this kind cannot have."""
    top = FIRST_TOP
    for name, height in HEIGHTS.items():
        if series.can_tell or name not in TOLD:
            yield name, top
            top += height + ABOVE


def _row(name: str, top: int, series: Series, lines: Lines, scale: Scale) -> DrawnRow:
    height = HEIGHTS[name]
    x, y = _x(len(series.points)), _y(top, height, scale)
    limit = limits_of(series).get(name)
    return DrawnRow(
        label=_label(name, series),
        top=top,
        height=height,
        grid=[(y(value), _tick(name, value)) for value in scale.ticks],
        areas=[(css, run) for css, values in _areas(name, lines) for run in _area(x, values, y)],
        lines=_line(x, lines[{"time": "p95", "cache": "hits"}.get(name, name)], y),
        limit=(y(limit["value"]), limit["words"]) if limit else None,
    )


def _label(name: str, series: Series) -> str:
    first = "database darkest, then application" if series.has_database else "waiting darkest"
    label = {
        "time": "Response time: the line is p95 of right answers, the areas are means: "
        f"{first}, connect, download",
        "cache": "Cache hits",
        "calls": "Database calls in one request",
        "errors": "Errors",
    }[name]
    missing = untold_row(name, series)
    return f"{label}: not reported. Answer with {missing.line}" if missing else label


def untold_row(name: str, series: Series) -> Untold | None:
    """How to tell what a row would show; None: it is told, or nothing was measured."""
    if not series.probes:
        return None
    return untold(
        cache=name == "cache" and not series.has_cache,
        database=name == "calls" and not series.has_calls,
    )


def _areas(name: str, lines: Lines) -> list[tuple[str, Values]]:
    if name == "cache":
        return [("d-4", lines["hits"])]
    return _stacked(lines) if name == "time" else []


def _stacked(lines: Lines) -> list[tuple[str, Values]]:
    """The highest first: each later area covers the lower part of it."""
    return [
        (f"d-{count}", [_sum(parts[:count]) for parts in stacks(lines)])
        for count in range(len(PHASES), 0, -1)
    ]


def _sum(parts: Sequence[float | None]) -> float | None:
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def _x(count: int) -> list[float]:
    return [LEFT + (WIDTH - LEFT) * number / max(count - 1, 1) for number in range(count)]


def _y(top: int, height: int, scale: Scale) -> Y:
    return lambda value: round(top + height - height * min(value, scale.top) / scale.top, 1)


def _runs(x: Sequence[float], values: Values) -> list[list[tuple[float, float]]]:
    """The unbroken parts of a line: a gap stays a gap."""
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in zip(x, values, strict=True):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((at, value))
    return [run for run in runs if run]


def _line(x: Sequence[float], values: Values, y: Y) -> list[str]:
    # A point alone is drawn twice: a line of one point is not seen.
    return [
        " ".join(f"{at:.1f},{y(value)}" for at, value in (run if len(run) > 1 else run * 2))
        for run in _runs(x, values)
    ]


def _area(x: Sequence[float], values: Values, y: Y) -> list[str]:
    return [
        f"{run[0][0]:.1f},{y(0)} {points} {run[-1][0]:.1f},{y(0)}"
        for run, points in zip(_runs(x, values), _line(x, values, y), strict=True)
    ]


def _tick(row: str, value: float) -> str:
    if row == "time":
        return duration(round(value * 1000)) if value else "0"
    return f"{value:g}" if row == "calls" else f"{value:g}%"


def _washes(series: Series) -> list[tuple[float, float]]:
    x = _x_of(series)
    return [(round(x(begin), 1), round(x(end) - x(begin), 1)) for begin, end in series.failing]


def _x_of(series: Series) -> Callable[[int], float]:
    whole = max(series.end - series.step - series.start, 1)
    return lambda at: LEFT + (WIDTH - LEFT) * min(max((at - series.start) / whole, 0), 1)


def _marks(series: Series) -> list[tuple[float, str, str]]:
    """A rollback is named before a release, and each where there is room."""
    x, marks = _x_of(series), series.marks
    named: list[float] = []
    words: dict[int, str] = {}
    for number in sorted(range(len(marks)), key=lambda number: marks[number].kind != ROLLBACK):
        at = x(marks[number].at)
        if marks[number].kind != STEP and all(abs(at - other) > NAME_WIDTH for other in named):
            named.append(at)
            words[number] = marks[number].words
    return [
        (round(x(mark.at), 1), mark.kind.value, words.get(number, ""))
        for number, mark in enumerate(marks)
    ]


def _clock(series: Series) -> list[tuple[float, str]]:
    whole = series.end - series.start
    pattern = "%H:%M" if whole <= DAY else "%-d %b"
    marks = []
    for part in range(CLOCK_PARTS):
        at = datetime.fromtimestamp((series.start + whole * part // CLOCK_PARTS) / 1e6, tz=UTC)
        marks.append((round(LEFT + (WIDTH - LEFT) * part / CLOCK_PARTS, 1), f"{at:{pattern}}"))
    return marks
