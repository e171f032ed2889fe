"""A tally as one short text: `format;first minute;counters;samples`, the last only when kept."""

import binascii
import json
import sys
import zlib
from array import array
from collections.abc import Iterable
from typing import NamedTuple

WIDTH = 6
MOST_MINUTES = 7 * 24 * 60 + 1

# (minute, key, count)
type Sample = tuple[int, int, int]

_PLAIN, _PACKED = "1", "2"
# Counters of half an hour are quicker to write than to pack.
_PACK_ABOVE = 1_024
_MOST_BYTES = MOST_MINUTES * WIDTH * 2
_AS_JSON = json.JSONEncoder(separators=(",", ":"))


class Stored(NamedTuple):
    first: int
    cells: "array[int]"
    times: tuple[Sample, ...]
    calls: tuple[Sample, ...]


def write(stored: Stored) -> str:
    """Empty when nothing was counted."""
    raw = _little_endian(stored.cells).tobytes()
    if not raw:
        return ""
    form = _PACKED if len(raw) > _PACK_ABOVE else _PLAIN
    packed = zlib.compress(raw, 1) if form == _PACKED else raw
    cells = binascii.b2a_base64(packed, newline=False).decode()
    text = f"{form};{stored.first};{cells}"
    if stored.times or stored.calls:
        samples = [_flat(each, stored.first) for each in (stored.times, stored.calls)]
        text += f";{_AS_JSON.encode(samples)}"
    return text


def read(text: str) -> Stored | None:
    """None when `text` is not what `write` wrote."""
    try:
        return _read(text)
    except (ValueError, TypeError, zlib.error, RecursionError):
        return None


def _read(text: str) -> Stored:
    form, first, cells, *samples = text.split(";", 3)
    raw = binascii.a2b_base64(cells, strict_mode=True)
    counters = array("H", _unpacked(raw) if form == _PACKED else raw)
    minutes = len(counters) // WIDTH
    if form not in (_PLAIN, _PACKED) or len(counters) % WIDTH or not 0 < minutes <= MOST_MINUTES:
        raise ValueError
    start = int(first)
    flat: list[list[int]] = json.loads(samples[0]) if samples else []
    times, calls = (_samples(each, start, minutes) for each in flat) if flat else ((), ())
    return Stored(start, _little_endian(counters), times, calls)


def _unpacked(raw: bytes) -> bytes:
    reader = zlib.decompressobj()
    data = reader.decompress(raw, _MOST_BYTES)
    if reader.unconsumed_tail:
        raise ValueError
    return data


def _little_endian(cells: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        cells = cells[:]
        cells.byteswap()
    return cells


def _flat(samples: Iterable[Sample], first: int) -> list[int]:
    return [number for at, key, count in samples for number in (at - first, key, count)]


def _samples(flat: list[int], first: int, minutes: int) -> tuple[Sample, ...]:
    if not flat:
        return ()
    ats, keys, counts = flat[0::3], flat[1::3], flat[2::3]
    if set(map(type, flat)) != {int} or ats != sorted(ats):
        raise ValueError
    if not (ats[0] >= 0 and ats[-1] < minutes and min(keys) >= -1 and min(counts) > 0):
        raise ValueError
    return tuple(zip((first + at for at in ats), keys, counts, strict=True))
