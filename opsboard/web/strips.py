"""The 90-day strip and the 24-hour spark, as SVG paths. Pure: rows in, shapes out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from opsboard.probes.rules import State
from opsboard.web.words import MINUTE, span

DAYS = 90
STEP, HEIGHT = 3, 22
CODES = {
    State.PASSING: "p",
    State.WARNING: "s",
    State.FAILING: "f",
    State.NO_DATA: "n",
    State.PAUSED: "o",
}
CLASSES = {
    State.PASSING: "pass",
    State.WARNING: "warn",
    State.FAILING: "fail",
    State.NO_DATA: "nodata",
    State.PAUSED: "paused",
}
# A day before the service was watched: no bar, which is not the same as no data.
NOT_WATCHED = "-"
MAINTENANCE = "m"


class DayRow(Protocol):
    """The parts of a ServiceDay that a strip reads: seconds in each state."""

    @property
    def day(self) -> date: ...
    @property
    def worst(self) -> str: ...
    @property
    def passing(self) -> int: ...
    @property
    def warning(self) -> int: ...
    @property
    def failing(self) -> int: ...
    @property
    def no_data(self) -> int: ...
    @property
    def paused(self) -> int: ...
    @property
    def maintenance(self) -> int: ...
    @property
    def is_example(self) -> bool: ...


@dataclass(frozen=True)
class Bar:
    """One day. `state` None: it was not watched yet. `minutes`: how long it was in that state."""

    day: date
    state: State | None
    minutes: int = 0
    # Made up for a demonstration, and never counted as measured.
    is_example: bool = False
    # In maintenance from its first to its last second: drawn as paused, since it claims nothing.
    is_maintenance: bool = False

    @property
    def words(self) -> str:
        """Its state as text names it; "" when it was not watched yet."""
        if self.state is None:
            return ""
        return "in maintenance" if self.is_maintenance else self.state.words

    @property
    def lasted(self) -> str:
        """ "48 min", "2 h 5 min"."""
        return span(self.minutes * MINUTE)

    @property
    def code(self) -> str:
        if self.state is None:
            return NOT_WATCHED
        if self.is_maintenance:
            return f"{MAINTENANCE}{self.minutes}"
        return f"{CODES[self.state]}{self.minutes or ''}{'e' if self.is_example else ''}"

    @property
    def height(self) -> int:
        match self.state:
            case State.FAILING:
                return 15 if self.minutes <= 5 else 19 if self.minutes <= 30 else 22
            case State.WARNING:
                return 12
            case State.NO_DATA:
                return 10
            case State.PASSING:
                return 6
        return 2


def bars(rows: Iterable[DayRow], *, today: date, days: int = DAYS) -> list[Bar]:
    """One bar a day, oldest first, the newest today. A day missing among watched ones: no data."""
    by_day = {row.day: row for row in rows}
    first = min(by_day, default=today)
    return [
        _bar(day, by_day.get(day), is_watched=bool(by_day) and day >= first)
        for day in (today - timedelta(days=back) for back in range(days - 1, -1, -1))
    ]


def _bar(day: date, row: DayRow | None, *, is_watched: bool) -> Bar:
    if row is None:
        return Bar(day, State.NO_DATA if is_watched else None)
    state = State(row.worst)
    if row.maintenance and state is State.PAUSED and not row.paused:
        return Bar(day, state, -(-row.maintenance // 60), row.is_example, is_maintenance=True)
    seconds = 0 if state == State.PASSING else getattr(row, state.value)
    # A failing minute that began is a minute: no trouble reads as "failing for 0 min".
    return Bar(day, state, -(-seconds // 60), row.is_example)


def examples_words(bars: Iterable[Bar]) -> str:
    """ "Days before 28 Nov are examples."; "" when every day was measured."""
    newest = max((bar.day for bar in bars if bar.is_example), default=None)
    if newest is None:
        return ""
    first_measured = newest + timedelta(days=1)
    return f"Days before {first_measured.day} {first_measured:%b} are examples."


def strip_paths(
    bars: Sequence[Bar], *, step: int = STEP, height: int = HEIGHT
) -> list[tuple[str, str]]:
    """(class, path data) for each state that occurs: 90 bars are about 1 KB."""
    drawn: dict[State, list[str]] = {}
    for number, bar in enumerate(bars):
        if bar.state is not None:
            x, tall = number * step + (step - 1) // 2, bar.height * height // HEIGHT
            drawn.setdefault(bar.state, []).append(f"M{x} {height}v-{tall}")
    return [(CLASSES[state], "".join(drawn[state])) for state in State if state in drawn]


def strip_words(bars: Sequence[Bar]) -> str:
    """ "84 days passing, 3 warning, 3 failing." Days not watched yet are said, not hidden."""
    counts = Counter(bar.words for bar in bars)
    order = (*(state.words for state in State), "in maintenance")
    known = [(name, counts[name]) for name in order if counts[name]]
    if not known:
        return "Not watched yet."
    words = [f"{count} {word}" for word, count in known]
    unit = "day" if known[0][1] == 1 else "days"
    words[0] = f"{known[0][1]} {unit} {known[0][0]}"
    before = f" Watched for {len(bars) - counts['']} of them." if counts[""] else ""
    return f"{', '.join(words)}.{before} {examples_words(bars)}".rstrip()


def months(bars: Sequence[Bar]) -> list[tuple[str, str]]:
    """(position in percent, name) of the months that begin under a strip, clear of its two ends."""
    begins = [(number, bar.day) for number, bar in enumerate(bars) if bar.day.day == 1]
    return [
        (f"{100 * number / len(bars):.2f}%", f"{day:%b}")
        for number, day in begins
        if 0.09 < number / len(bars) < 0.91
    ]


@dataclass(frozen=True)
class Spark:
    """A spark in a box of 96 by 22. `over`: the parts above the limit; `end`: the newest point."""

    lines: list[str]
    over: list[str]
    limit_y: float | None
    end: tuple[float, float] | None


def spark(values: Sequence[float | None], *, limit: float | None) -> Spark:
    """None is a gap, and stays one. Y starts at 0 and holds the limit with room above it."""
    known = [value for value in values if value is not None]
    top = 1.15 * max([*known, limit or 0, 1])
    points = [
        None if value is None else (_x(number, len(values)), _y(value, top), value)
        for number, value in enumerate(values)
    ]
    over = [point if point and limit is not None and point[2] > limit else None for point in points]
    last = points[-1] if points else None
    return Spark(
        lines=_runs(points),
        over=_runs(over),
        limit_y=None if limit is None else _y(limit, top),
        end=last[:2] if last else None,
    )


def _x(number: int, count: int) -> float:
    return round(1 + 94 * number / max(count - 1, 1), 1)


def _y(value: float, top: float) -> float:
    return round(21 - 20 * value / top, 1)


def _runs(points: Sequence[tuple[float, float, float] | None]) -> list[str]:
    """The points attribute of one polyline for every unbroken run."""
    runs: list[list[str]] = [[]]
    for point in points:
        if point is None:
            runs.append([])
        else:
            runs[-1].append(f"{point[0]},{point[1]}")
    return [" ".join(run if len(run) > 1 else run * 2) for run in runs if run]
