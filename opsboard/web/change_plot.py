"""The drawings of a comparison as shapes: mirrored histograms, and the bridge. Pure: figures in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from opsboard.changes.rules.judged import Bars, Bridge

WIDTH, HEIGHT = 440, 82
# Before grows up from the first, after down from the second; between them lies the line.
UP, DOWN, LINE = 41, 42, 41.5
TALLEST = 40
GAP = 0.8
MOST_TICKS, TICK_ROOM, EDGE = 6, 34, 12
# Percent: a thinner bar is drawn as a line.
THINNEST = 0.4


@dataclass(frozen=True, slots=True)
class Shape:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Axis:
    """One logarithmic axis for all rows, from the first edge to the last, in milliseconds."""

    first: float
    last: float

    def x(self, value: float) -> float:
        part = math.log(value / self.first) / math.log(self.last / self.first)
        return round(WIDTH * min(max(part, 0.0), 1.0), 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """(x, text) of round numbers: 50, 100, 200, 400 where they fit, else tens."""
        fitting = []
        for values in _series(self.first, self.last):
            places = [(self.x(value), f"{value:,g}") for value in values]
            # A text at the very end would be cut.
            places = [(x, text) for x, text in places if EDGE <= x <= WIDTH - EDGE]
            if len(places) <= MOST_TICKS and _has_room(places):
                fitting.append(places)
        # One number alone is no scale, but on a narrow axis better than none.
        return next(
            (places for places in fitting if len(places) > 1), max(fitting, key=len, default=[])
        )


@dataclass(frozen=True, slots=True)
class Plot:
    before: list[Shape]
    after: list[Shape]
    # Where the medians stand; None: there is none.
    median_before: float | None
    median_after: float | None
    grid: list[float]
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Bar:
    """Where it begins and how wide it is, in percent."""

    x: float
    width: float
    # "total", "delta", or "zero" for one too thin to be seen.
    css: str


def axis_of(bars: Bars) -> Axis | None:
    """None: there is nothing to draw."""
    edges = bars["edges"]
    is_axis = len(edges) > 1 and 0 < edges[0] < edges[-1] < math.inf
    return Axis(edges[0], edges[-1]) if is_axis else None


def plot_of(
    bars: Bars, stratum: str, axis: Axis, medians: Sequence[float | None] | None = None
) -> Plot:
    """Heights are shares of the side: the same bar means the same part of its requests."""
    before, after = (_shares(bars[side].get(stratum, [])) for side in ("before", "after"))
    tallest = max([*before, *after, 0.0]) or 1.0
    first, second = medians or (None, None)
    return Plot(
        before=[
            Shape(x, round(UP - height, 1), width, height)
            for x, width, height in _columns(before, bars["edges"], axis, tallest)
        ],
        after=[
            Shape(x, DOWN, width, height)
            for x, width, height in _columns(after, bars["edges"], axis, tallest)
        ],
        median_before=axis.x(first) if first else None,
        median_after=axis.x(second) if second else None,
        grid=[x for x, _ in axis.ticks],
    )


def bridge_of(bridge: Bridge) -> list[Bar]:
    """Before, from the mix, from the change, after: each begins where the one above it ends."""
    before, after = bridge["before"], bridge["after"]
    turn = before + bridge["mix"]
    most = max(before, turn, after, 0.0) or 1.0
    return [
        _bar(0.0, before, most, "total"),
        _bar(before, turn, most, "delta"),
        _bar(turn, after, most, "delta"),
        _bar(0.0, after, most, "total"),
    ]


def progress_width(count: int, of: int) -> float:
    """Percent of the bar, in tenths."""
    return round(100 * min(count / of, 1.0), 1) if of else 0.0


def _bar(begin: float, end: float, most: float, css: str) -> Bar:
    low, high = (min(max(100 * one / most, 0.0), 100.0) for one in sorted((begin, end)))
    width = round(high - low, 2)
    return Bar(round(low, 2), width, css if width >= THINNEST else "zero")


def _shares(counts: Sequence[int]) -> list[float]:
    whole = sum(counts)
    return [count / whole for count in counts] if whole else []


def _columns(
    shares: Sequence[float], edges: Sequence[float], axis: Axis, tallest: float
) -> list[tuple[float, float, float]]:
    columns = []
    for share, left, right in zip(shares, edges[:-1], edges[1:], strict=False):
        if share > 0:
            x, width = axis.x(left), axis.x(right) - axis.x(left) - GAP
            height = max(round(TALLEST * share / tallest, 1), 0.1)
            columns.append((x, max(round(width, 1), 0.4), height))
    return columns


def _series(first: float, last: float) -> list[list[float]]:
    """From the best: doublings around 100 ms, then 1, 2, 5 of every ten, then tens alone."""
    low, high = math.floor(math.log10(first)) - 1, math.ceil(math.log10(last)) + 1
    tens = [10.0**power for power in range(low, high)]
    doublings = [25.0 * 2**power for power in range(8)]
    steps = [ten * step for ten in tens for step in (1, 2, 5)]
    fine = [ten * step for ten in tens for step in range(1, 10)]
    known = doublings if first >= 12.5 and last <= 6400 else []
    return [
        [value for value in values if first <= value <= last]
        for values in (known, steps, tens, tens[::2], fine)
    ]


def _has_room(places: Sequence[tuple[float, str]]) -> bool:
    return all(right[0] - left[0] >= TICK_ROOM for left, right in pairwise(places))
