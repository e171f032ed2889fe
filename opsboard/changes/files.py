"""Samples in files: CSV text into rows. What is wrong is one sentence that names the row.

The columns are side, i, latency_us, cache, ok and db_calls; others are left alone, but for `at`.
Rows are counted as an editor counts lines: the header is row 1.
"""

import csv
import math
from collections.abc import Iterable, Iterator
from typing import NamedTuple

COLUMNS = ("side", "i", "latency_us", "cache", "ok", "db_calls")
SIDES = ("before", "after")
CACHE_WORDS = ("unknown", "hit", "miss", "stale", "bypass")
MOST_ROWS = 1_000_000
# Characters of a row; ours are shorter than 80.
LONGEST_ROW = 10_000
# A nanosecond, and a day.
_LEAST_US, _A_DAY_US = 0.001, 86_400_000_000
MOST_CALLS = 1_000_000


class UnreadableFileError(Exception):
    """The message is one sentence that says which row, what is wrong and what is right."""


class Row(NamedTuple):
    side: str
    # Above zero.
    latency_us: float
    # Of CACHE_WORDS.
    cache: str
    is_ok: bool
    # None: not reported.
    db_calls: int | None
    # ISO 8601 as it stands in the file; "": not said.
    at: str


def rows_of(text: Iterable[str]) -> Iterator[Row]:
    """Of the lines of a file: before, then after, each in order of time."""
    lines = csv.reader(_bounded(text), strict=True)
    try:
        header = next((line for line in lines if line), None)
        if header is None:
            raise UnreadableFileError("It is empty: the first row names the columns.")
        order = _Order(header)
        for line in lines:
            if line:
                yield order.row(lines.line_num, line)
    except csv.Error as wrong:
        raise UnreadableFileError(f"Row {lines.line_num} is not CSV: {wrong}.") from None


def _bounded(text: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(text, start=1):
        if len(line) > LONGEST_ROW:
            raise UnreadableFileError(f"Row {number} is longer than {LONGEST_ROW:,} characters.")
        yield line


class _Order:
    """Which field is which, and what has to follow what."""

    def __init__(self, header: list[str]) -> None:
        self._places = _places(header)
        self._at = header.index("at") if "at" in header else None
        self._width = len(header)
        # None: there was no row yet.
        self._side: str | None = None
        self._last, self._count = -1, 0

    def row(self, number: int, fields: list[str]) -> Row:
        if len(fields) != self._width:
            raise UnreadableFileError(
                f"Row {number} has {_fields(len(fields))}, and the header has {self._width}."
            )
        self._count += 1
        if self._count > MOST_ROWS:
            raise UnreadableFileError(
                f"Row {number} is one too many: at most {MOST_ROWS:,} samples a file. "
                "Keep every second one, or fewer."
            )
        side, i, latency, cache, ok, calls = [fields[place] for place in self._places]
        if side != self._side:
            _check_side(number, side, self._side)
            self._side, self._last = side, -1
        self._last = _in_order(number, i, self._last)
        return Row(
            side,
            _latency(number, latency),
            _cache(number, cache),
            _ok(number, ok),
            _calls(number, calls),
            "" if self._at is None else fields[self._at],
        )


def _places(header: list[str]) -> list[int]:
    header[0] = header[0].removeprefix("\ufeff")
    twice = [name for name in (*COLUMNS, "at") if header.count(name) > 1]
    if twice:
        raise UnreadableFileError(f"Row 1 names the column {twice[0]} twice.")
    missing = [name for name in COLUMNS if name not in header]
    if missing:
        raise UnreadableFileError(
            f"Row 1 lacks {'the column' if len(missing) == 1 else 'the columns'} "
            f"{', '.join(missing)}: it must name {', '.join(COLUMNS)}."
        )
    return [header.index(name) for name in COLUMNS]


def _fields(count: int) -> str:
    return "1 field" if count == 1 else f"{count} fields"


def _check_side(number: int, side: str, earlier: str | None) -> None:
    if side not in SIDES:
        raise UnreadableFileError(f"Row {number}: side is {_shown(side)}, not before or after.")
    if side == "before" and earlier == "after":
        raise UnreadableFileError(
            f"Row {number}: before comes after after. Write all samples before the change first, "
            "then all after it, each in order of time."
        )


def _in_order(number: int, text: str, last: int) -> int:
    i = _whole(text)
    if i is None:
        raise UnreadableFileError(f"Row {number}: i is {_shown(text)}, not a whole number from 0.")
    if i <= last:
        raise UnreadableFileError(
            f"Row {number}: i is {i} and follows {last}. It counts up within a side, "
            "in order of time."
        )
    return i


def _latency(number: int, text: str) -> float:
    if len(text) < 11 and text.isascii() and text.isdecimal():
        latency = float(text)
    else:
        latency = _number(text)
    if _LEAST_US <= latency <= _A_DAY_US:
        return latency
    must = "It must be a time in microseconds, above 0"
    if latency > _A_DAY_US and math.isfinite(latency):
        must = "It must be at most a day, in microseconds"
    if 0 < latency < _LEAST_US:
        must = "It must be at least a nanosecond, in microseconds"
    raise UnreadableFileError(f"Row {number}: latency_us is {_shown(text)}. {must}.")


def _number(text: str) -> float:
    """NaN: it is none, or none that is plainly written."""
    try:
        return float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        return math.nan


def _cache(number: int, text: str) -> str:
    if text not in CACHE_WORDS:
        raise UnreadableFileError(
            f"Row {number}: cache is {_shown(text)}, not one of {', '.join(CACHE_WORDS)}."
        )
    return text


def _ok(number: int, text: str) -> bool:
    if text not in ("0", "1"):
        raise UnreadableFileError(f"Row {number}: ok is {_shown(text)}, not 0 or 1.")
    return text == "1"


def _calls(number: int, text: str) -> int | None:
    if not text:
        return None
    calls = _whole(text)
    if calls is None or calls > MOST_CALLS:
        raise UnreadableFileError(
            f"Row {number}: db_calls is {_shown(text)}, not a whole number from 0 "
            f"to {MOST_CALLS:,}, or nothing."
        )
    return calls


def _whole(text: str) -> int | None:
    return int(text) if len(text) < 16 and text.isascii() and text.isdecimal() else None


def _shown(text: str) -> str:
    """Safe to print: short, and without what a terminal obeys."""
    if not text:
        return "empty"
    plain = "".join(one if one.isprintable() else "?" for one in text[:40])
    return f'"{plain}{"..." if len(text) > 40 else ""}"'
