"""Numbers as sentences say them: with a unit, a base, and no more figures than mean something."""

import math
from collections.abc import Callable, Sequence
from typing import TypeGuard

# Fewer than these are said as a count, not as a share.
FEW = 20
# Beyond a ratio of e to the 20 nobody needs the figure.
_STEEPEST = 20.0
_MOST_PERCENT = 99_999


def is_number(value: object) -> TypeGuard[float]:
    """A number that can be said: neither missing, nor NaN, nor without end."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def milliseconds(ms: float) -> str:
    """ "0.4 ms", "78 ms", "232 ms", "2.38 s": without its sign."""
    ms = abs(ms)
    if ms >= 99_950:
        return f"{ms / 1000:,.0f} s"
    if ms >= 999.5:
        return f"{ms / 1000:.3g} s"
    if ms >= 9.95:
        return f"{ms:.0f} ms"
    return "less than 0.1 ms" if 0 < ms < 0.05 else f"{_short(ms)} ms"


def percent(share: float) -> str:
    """ "34%" of 0.34: without its sign. What is not nothing is never said to be 0%."""
    value = min(abs(share) * 100, _MOST_PERCENT)
    if 0 < value < 0.5:
        return "less than 1%"
    return "more than 99%" if 99.5 <= value < 100 else f"{value:,.0f}%"


def points(share: float) -> str:
    """ "4.5 percentage points": a difference of shares, without its sign."""
    value = _short(abs(share) * 100)
    return f"{value} percentage point{'' if value == '1' else 's'}"


def count(value: float) -> str:
    """ "12", "2.4": of calls, which may be an average."""
    return f"{value:,.0f}" if value >= 100 else _short(abs(value))


def part_of(share: float, whole: int | None) -> str:
    """ "91%", and "12 of 200" where that is a handful."""
    if whole and round(share * whole) < FEW:
        return f"{round(share * whole)} of {whole:,}"
    return percent(share)


def fall(ratio: float) -> float:
    """The share by which something fell, of a log ratio; below zero it rose."""
    return -math.expm1(max(-_STEEPEST, min(_STEEPEST, ratio)))


def anything(low: float, high: float, say: Callable[[float], str], better: str, worse: str) -> str:
    """ "anything from 11 ms faster to 6 ms slower". Below zero is better."""
    if low > high:
        low, high = high, low
    if low < 0 < high:
        return f"anything from {say(low)} {better} to {say(high)} {worse}"
    word = worse if high > 0 else better
    near, far = (say(low), say(high)) if high > 0 else (say(high), say(low))
    return f"about {far} {word}" if near == far else f"anything from {near} to {far} {word}"


def listed(names: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), *names[-1:]])


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _short(value: float) -> str:
    """At most one figure behind the point."""
    return f"{value:.1f}".removesuffix(".0")
