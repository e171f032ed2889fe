"""Counts of durations in buckets that grow by 4.4 %, from which percentiles are read.

A percentile is the upper edge of its bucket: up to 4.4 % worse than what was measured, never
better.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import accumulate, compress

_PER_DOUBLING = 16
# The last edge is 2**44 microseconds, which is 203 days.
EDGES = tuple(math.ceil(2 ** (step / _PER_DOUBLING)) for step in range(44 * _PER_DOUBLING + 1))

_FORMAT = 1
_MOST_COUNT = 1 << 53


def bucket_of(us: int) -> int:
    """The first bucket whose upper edge is not below `us`; the last one for all above it."""
    return min(bisect_left(EDGES, us), len(EDGES) - 1)


def upper_edge(us: int) -> int:
    """Of the bucket `us` falls into; never below `us`."""
    return max(us, EDGES[bucket_of(us)])


def nearest_rank(counts: Iterable[tuple[int, int]], percent: int) -> int | None:
    """The smallest value that `percent` % of the counted values do not exceed; None when empty.

    `counts` are (value, count) in ascending order of the values.
    """
    ascending = list(counts)
    # Rounded up: half an observation is one that has to be there.
    rank = -(-sum(count for _, count in ascending) * percent // 100)
    for value, count in ascending:
        rank -= count
        if rank <= 0:
            return value
    return None


class Histogram:
    """Grows in place by `add`; everything else leaves it as it is."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, us: int) -> None:
        bucket = bucket_of(us)
        self._counts[bucket] = self._counts.get(bucket, 0) + 1

    def merge(self, other: "Histogram") -> "Histogram":
        """A new histogram with the counts of both."""
        both = Histogram()
        both._counts = dict(self._counts)
        for bucket, count in other._counts.items():
            both._counts[bucket] = both._counts.get(bucket, 0) + count
        return both

    @property
    def total(self) -> int:
        return sum(self._counts.values())

    def percentile(self, percent: int) -> int | None:
        """Microseconds, 1 <= percent <= 100. None when nothing was added."""
        bucket = nearest_rank(sorted(self._counts.items()), percent)
        return None if bucket is None else EDGES[bucket]

    def percentiles(self, *percents: int) -> list[int | None]:
        """As `percentile`, several at once."""
        if not self._counts:
            return [None] * len(percents)
        buckets, counts = zip(*self.to_pairs(), strict=True)
        ranks = list(accumulate(counts))
        return [EDGES[buckets[bisect_left(ranks, -(-ranks[-1] * p // 100))]] for p in percents]

    def to_pairs(self) -> list[tuple[int, int]]:
        """(bucket, count), ascending."""
        return sorted(self._counts.items())

    @classmethod
    def from_pairs(cls, pairs: Iterable[tuple[int, int]]) -> "Histogram":
        """Raises ValueError when `pairs` cannot have come from `to_pairs`."""
        made, before = cls(), -1
        for bucket, count in pairs:
            if not before < bucket < len(EDGES) or not 0 < count <= _MOST_COUNT:
                raise ValueError("A stored histogram has a bucket or a count out of bounds.")
            made._counts[bucket] = count
            before = bucket
        return made

    def to_bytes(self) -> bytes:
        """A byte of format, then for each bucket its distance to the one before and its count."""
        data, before = bytearray([_FORMAT]), 0
        for bucket, count in self.to_pairs():
            data += _varint(bucket - before) + _varint(count)
            before = bucket
        return bytes(data)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Histogram":
        """Raises ValueError when `data` cannot have come from `to_bytes`."""
        if data[:1] != bytes([_FORMAT]):
            raise ValueError("A stored histogram is of an unknown format.")
        if short := _short_pairs(data):
            made = cls()
            made._counts = dict(short)
            return made
        return cls.from_pairs(_pairs(_numbers(data[1:])))

    @classmethod
    def merged(cls, stored: Iterable[bytes]) -> "Histogram":
        """All of what `to_bytes` wrote in one. Raises ValueError as `from_bytes` does."""
        counts = [0] * len(EDGES)
        for data in stored:
            for bucket, count in cls.from_bytes(data)._counts.items():
                counts[bucket] += count
        made = cls()
        made._counts = dict(compress(enumerate(counts), counts))
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and self._counts == other._counts

    __hash__ = None  # type: ignore[assignment]


def _short_pairs(data: bytes) -> Iterable[tuple[int, int]] | None:
    """Those of an hour of probes, in which every number but the first bucket is one byte.

    None for all that is otherwise, or wrong. A year has thousands of hours: this is several times
    faster than reading byte by byte.
    """
    if len(data) < 3 or data[0] != _FORMAT:
        return None
    is_two = data[1] >= 0x80
    first = data[1] & 0x7F | (data[2] << 7 if is_two else 0)
    rest = data[3:] if is_two else data[2:]
    counts, distances = rest[::2], rest[1::2]
    is_short = len(rest) % 2 == 1 and rest.isascii() and 0 not in rest
    if not is_short or first + sum(distances) >= len(EDGES):
        return None
    return zip(accumulate(distances, initial=first), counts, strict=True)


def _pairs(numbers: Iterator[int]) -> Iterator[tuple[int, int]]:
    bucket = 0
    for distance in numbers:
        count = next(numbers, None)
        if count is None:
            raise ValueError("A stored histogram ends in the middle.")
        bucket += distance
        yield bucket, count


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; a set high bit says that more follow."""
    data = bytearray()
    while number > 0x7F:
        data.append(number & 0x7F | 0x80)
        number >>= 7
    data.append(number)
    return bytes(data)


def _numbers(data: bytes) -> Iterator[int]:
    number, shift = 0, 0
    for byte in data:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            yield number
            number, shift = 0, 0
    if shift:
        raise ValueError("A stored histogram ends in the middle.")
