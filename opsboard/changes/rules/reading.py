"""Samples as arrays, from rows of files."""

from array import array
from collections.abc import Iterable, Iterator

import numpy as np

from opsboard.changes.files import SIDES, Row, UnreadableFileError, rows_of
from opsboard.changes.rules.samples import CACHE_WORDS, Samples

_PLACES = {word: place for place, word in enumerate(CACHE_WORDS)}


def both_sides(lines: Iterable[str]) -> tuple[Samples, Samples]:
    """Of a file with both. A side without samples is refused: it can only be a mistake."""
    before, after = _split(rows_of(lines))
    for name, side in zip(SIDES, (before, after), strict=True):
        if not len(side):
            raise UnreadableFileError(f"There are no samples of the {name} side.")
    return before, after


def one_side(text: str, side: str) -> Samples:
    """Of a window's own text, which may be empty of samples but not of another side."""
    found = dict(zip(SIDES, _split(rows_of(text.splitlines(keepends=True))), strict=True))
    for name, samples in found.items():
        if name != side and len(samples):
            raise UnreadableFileError(f"There are samples of the {name} side in the {side} window.")
    return found[side]


class _Columns:
    """Plain arrays: a million samples fit where a million rows do not."""

    def __init__(self) -> None:
        self.latency, self.cache, self.ok, self.calls = (
            array("d"),
            array("b"),
            array("b"),
            array("d"),
        )

    def add(self, row: Row) -> None:
        self.latency.append(row.latency_us)
        self.cache.append(_PLACES[row.cache])
        self.ok.append(row.is_ok)
        self.calls.append(np.nan if row.db_calls is None else row.db_calls)

    def samples(self) -> Samples:
        return Samples(
            latency=np.array(self.latency, dtype=np.float64),
            cache=np.array(self.cache, dtype=np.int8),
            ok=np.array(self.ok, dtype=np.bool_),
            db_calls=np.array(self.calls, dtype=np.float64),
        )


def _split(rows: Iterator[Row]) -> tuple[Samples, Samples]:
    sides = {side: _Columns() for side in SIDES}
    for row in rows:
        sides[row.side].add(row)
    return sides["before"].samples(), sides["after"].samples()
