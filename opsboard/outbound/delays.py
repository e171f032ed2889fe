"""How long our own loop kept a request waiting, at worst: told when asked, for any of many.

Writing each delay down at every open request took more time than asking, with a thousand of them.
"""

from bisect import bisect_right

# Seconds; no request lasts longer.
_REMEMBERED = 300.0


class Delays:
    """`happened` in the order of time. `worst_since` costs little, however many happened."""

    def __init__(self) -> None:
        # When each ended, and how long it was. A delay is forgotten once a longer one has come:
        # whoever sat through the first has sat through the second, so the lengths only fall.
        self._ends: list[float] = []
        self._lengths: list[float] = []

    def happened(self, length: float, end: float) -> None:
        while self._lengths and self._lengths[-1] <= length:
            self._ends.pop()
            self._lengths.pop()
        self._ends.append(end)
        self._lengths.append(length)
        if self._ends[0] < end - _REMEMBERED:
            del self._ends[0], self._lengths[0]

    def worst_since(self, start: float) -> float:
        """Nobody can have waited longer than since it began."""
        first = bisect_right(self._ends, start)
        pairs = zip(self._lengths[first:], self._ends[first:], strict=True)
        return max((min(length, end - start) for length, end in pairs), default=0.0)
