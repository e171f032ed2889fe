"""Numbers as the page of a change writes them, each with its unit. Pure."""

import math

from opsboard.changes.rules.judged import VARIABLES, Interval, Judged, Times
from opsboard.web.words import ENOUGH_FOR_PERCENT, MINUS, NBSP, duration, number

NONE = "none"


def share_words(part: float, count: int, whole: int) -> str:
    """ "58%"; of fewer than 20 "2 of 10"."""
    if whole < ENOUGH_FOR_PERCENT:
        return f"{number(count)} of {number(whole)}"
    if count and part < 0.001:
        return f"under{NBSP}0.1%"
    # What is not all of them never reads as all.
    percent = 100 * part if count == whole else min(100 * part, 99.9)
    return f"{_trim(f'{percent:.1f}')}%"


def difference_words(interval: Interval | None) -> tuple[str, str]:
    """ "-2 ms" and "-11 to +6" from milliseconds; "" and "" where nothing can be said."""
    if interval is None:
        return "", ""
    most = max(abs(value) for value in interval)
    unit, by = ("s", 1000.0) if most >= 1000 else ("ms", 1.0)
    places = 2 if by > 1 else (0 if most >= 10 else 1)
    estimate, low, high = (signed(value / by, places) for value in interval)
    return f"{estimate}{NBSP}{unit}", f"{low} to {high}"


def effect_on_misses(judged: Judged) -> str:
    """What it did to cache misses; "": that cannot be told, or not which of two changes did it."""
    is_of_many = judged["reason"].startswith(VARIABLES)
    return "" if is_of_many else effect_words(judged.get("times", {}).get("miss"))


def effect_words(times: Times | None) -> str:
    """ "-88 ms", "-9 to +31 ms", "±3 ms": as sure as what is said of it."""
    if times is None or times["difference"] is None:
        return ""
    estimate, around = difference_words(times["difference"])
    unit = estimate.rsplit(NBSP, 1)[1]
    if times["call"] in ("improved", "regressed"):
        return estimate
    if times["call"] == "no_change":
        most = max(abs(value) for value in times["difference"])
        return f"±{duration(round(most * 1000))}"
    return f"{around}{NBSP}{unit}"


def signed(value: float, places: int = 0) -> str:
    """ "+6", "-11", "0"."""
    text = _trim(f"{abs(value):,.{places}f}") if places else f"{abs(value):,.0f}"
    return text if float(text.replace(",", "")) == 0 else f"{'+' if value > 0 else MINUS}{text}"


def percent_of(ratio: float) -> str:
    """A log ratio as percent more or less: "-34%"."""
    # What is a thousand times slower needs no exact figure, and must not overflow.
    return f"{signed(100 * math.expm1(min(ratio, 10.0)))}%"


def average_words(value: float) -> str:
    """ "135.8 ms"; from a second on "2.84 s"."""
    return f"{value:.1f}{NBSP}ms" if abs(value) < 1000 else duration(round(value * 1000))


def part_words(value: float) -> str:
    """What came or went, with its sign: "-57.1 ms", "0.0 ms"."""
    text = average_words(abs(value))
    if text.startswith("0.0"):
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


def time_words(value: float | None) -> str:
    return NONE if value is None else duration(round(value * 1000))


def count_words(value: float) -> str:
    return number(int(value)) if value == int(value) else f"{value:,.1f}"


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
