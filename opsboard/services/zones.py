"""Time zones by name. Pure."""

from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones


@cache
def zone_of(name: str) -> ZoneInfo:
    """The zone of that name; UTC for one that this machine's list does not hold.

    Names are checked when they are saved; a list of zones can change under them, and an alert must
    not be lost for it.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def check_zone(name: str) -> str:
    known = name in _zones()
    return "" if known else "Write the zone as the IANA names it, such as Europe/Oslo or UTC."


@cache
def _zones() -> frozenset[str]:
    """Read from the disk: once is enough."""
    return frozenset(available_timezones())
