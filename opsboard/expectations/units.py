"""Durations and sizes as people write them. Durations are whole microseconds, sizes whole bytes."""

import re
from decimal import Decimal

from opsboard.expectations.nearest import did_you_mean, listed

MILLISECOND = 1_000
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

DURATIONS = {"ms": MILLISECOND, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
SIZES = {"B": 1, "kB": 1_000, "MB": 1_000_000}

LONGEST = 366 * DAY
_UNITS_ELSEWHERE = {
    "msec": "ms",
    "millis": "ms",
    "milliseconds": "ms",
    "sec": "s",
    "seconds": "s",
    "min": "m",
    "minutes": "m",
    "hr": "h",
    "hours": "h",
    "days": "d",
    "bytes": "B",
    "k": "kB",
    "kilobytes": "kB",
    "kib": "kB",
    "megabytes": "MB",
    "mib": "MB",
}
# The spaces a person types, and those that pages put before a unit.
SPACE = " \t\u00a0\u2009\u202f"

_WRITTEN = re.compile(rf"([0-9]{{1,20}}(?:\.[0-9]{{1,9}})?)[{SPACE}]*([A-Za-z]{{0,20}})")


def parse_duration(text: str) -> int:
    """Microseconds of "30 s", "1500 ms", "2 m", "1 h". ValueError carries a sentence for people."""
    found = _WRITTEN.fullmatch(text.strip(SPACE + "\r\n"))
    if found is None:
        raise ValueError("Write a duration as a number and a unit, such as 30 s or 1500 ms.")
    return microseconds(Decimal(found[1]), found[2])


def parse_size(text: str) -> int:
    """Bytes of "4 MB", "200 kB". ValueError carries a sentence for people."""
    found = _WRITTEN.fullmatch(text.strip(SPACE + "\r\n"))
    if found is None:
        raise ValueError("Write a size as a number and a unit, such as 4 MB or 200 kB.")
    return size_in_bytes(Decimal(found[1]), found[2])


def microseconds(number: Decimal, unit: str) -> int:
    """Raises ValueError with a sentence for people."""
    exact = number * _scale(unit, DURATIONS, "A duration")
    if exact > LONGEST:
        raise ValueError("A duration is at most 366 d.")
    if exact != int(exact):
        raise ValueError("A duration is a whole number of microseconds.")
    return int(exact)


def size_in_bytes(number: Decimal, unit: str) -> int:
    """Raises ValueError with a sentence for people."""
    exact = number * _scale(unit, SIZES, "A size")
    if exact != int(exact):
        raise ValueError("A size is a whole number of bytes.")
    return int(exact)


def _scale(unit: str, known: dict[str, int], what: str) -> int:
    if not unit:
        raise ValueError(f"{what} needs a unit: {listed(tuple(known), 'or')}.")
    if unit not in known:
        hint = did_you_mean(unit, tuple(known), _UNITS_ELSEWHERE)
        raise ValueError(f"Unknown unit `{unit[:40]}`; {hint}")
    return known[unit]


def format_duration(us: int) -> str:
    """ "30 s", "400 ms", "2.84 s", "15 m": one unit, at most three figures of a fraction.

    Whole seconds are exact; everything it writes can be read again.
    """
    return exact_duration(_rounded(us, finest=SECOND))


def exact_duration(us: int) -> str:
    """Like `format_duration`, with every figure."""
    if us >= SECOND and us % SECOND == 0:
        unit = next(name for name in ("d", "h", "m", "s") if us % DURATIONS[name] == 0)
        return f"{us // DURATIONS[unit]} {unit}"
    return _in_unit(us, SECOND, "s") if us >= SECOND else _in_unit(us, MILLISECOND, "ms")


def format_size(size: int) -> str:
    """ "512 B", "200 kB", "1.25 MB": at most three figures of a fraction."""
    return exact_size(_rounded(size, finest=SIZES["MB"]))


def exact_size(size: int) -> str:
    """Like `format_size`, with every figure."""
    unit = "MB" if size >= SIZES["MB"] else "kB" if size >= SIZES["kB"] else "B"
    return _in_unit(size, SIZES[unit], unit)


def format_share(part: int, whole: int) -> str:
    """ "11.8 %": at most three figures. `whole` is above zero."""
    return f"{Decimal(f'{100 * part / whole:.3g}'):f} %" if part else "0 %"


def _in_unit(number: int, scale: int, unit: str) -> str:
    """Every figure; `scale` is a power of ten."""
    text = f"{number / scale:.{len(str(scale)) - 1}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {unit}"


def _rounded(number: int, *, finest: int) -> int:
    """To three figures; never coarser than `finest`, and exact when it is a multiple of it."""
    quantum = min(int(10 ** max(0, len(str(number)) - 3)), finest)
    return (number + quantum // 2) // quantum * quantum
