"""Times, spans and commits as the reasons of gates say them. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

# As many digits as a commit is told by.
COMMIT_DIGITS = 12
MOST_NAMED = 3
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_UNITS = ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min"))


def clock(at: datetime, now: datetime) -> str:
    """ "14:12" on the same day, else "8 Nov 14:12", in UTC."""
    at, now = at.astimezone(UTC), now.astimezone(UTC)
    time = f"{at.hour:02}:{at.minute:02}"
    if at.date() == now.date():
        return time
    year = "" if at.year == now.year else f" {at.year}"
    return f"{at.day} {_MONTHS[at.month - 1]}{year} {time}"


def span(length: timedelta) -> str:
    """In the largest unit that gives a whole number: "10 min", "24 h", "90 days"."""
    if length >= timedelta(days=2) and length % timedelta(days=1) == timedelta():
        return f"{length // timedelta(days=1)} days"
    for unit, word in _UNITS[1:]:
        if length >= unit and length % unit == timedelta():
            return f"{length // unit} {word}"
    return f"{length.total_seconds():g} s"


def short(commit: str, other: str = "") -> str:
    """Its first digits; more of them where those of `other` are the same."""
    is_same = other and commit[:COMMIT_DIGITS] == other[:COMMIT_DIGITS]
    return commit if is_same else commit[:COMMIT_DIGITS]


def named(names: Sequence[str]) -> str:
    """ "a", "a and b", "a, b, c and 4 more"."""
    more = len(names) - MOST_NAMED
    parts = [*names[:MOST_NAMED], *([f"{more} more"] if more > 0 else [])]
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def counted(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
