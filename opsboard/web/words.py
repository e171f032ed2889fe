"""Numbers and times in the words of the pages. Pure: the same value reads the same everywhere.

Durations are whole microseconds. A no-break space stands before every unit.
"""

import re
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from opsboard.services.zones import zone_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from opsboard.incidents.models import Incident

NBSP = "\u00a0"
MINUS = "\u2212"
SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
# Fewer probes than this are counted, not turned into a percentage.
ENOUGH_FOR_PERCENT = 20
# Facts whose names in clauses are no words. A reason has several clauses, one after another.
_FACTS = {
    "db.calls": "the number of database calls",
    "db.time": "the time in the database",
    "certificate.days": "the number of days the certificate is valid",
}
_FACT = re.compile(rf"(^|; )(?:(p\d\d) )?({'|'.join(map(re.escape, _FACTS))})(?= is )")
_BEFORE_A_UNIT = re.compile(r"(?<=\d) (?=(?:ms|s|min|h)\b)")


def duration(microseconds: int) -> str:
    """ "400 ms", "2.84 s", "12.4 s", "1 min 5 s", "3 h 5 min", "2 days 4 h"."""
    if microseconds < 0:
        return MINUS + duration(-microseconds)
    if microseconds < SECOND:
        text = _short(microseconds)
        if text is not None:
            return text
    if (tenths := _rounded(microseconds, SECOND // 10)) < 600:
        return _seconds(microseconds, tenths)
    return span(_rounded(microseconds, SECOND) * SECOND)


def milliseconds(microseconds: int) -> str:
    """A number for a column in ms: "2,841", and below ten with one decimal: "0.4"."""
    if microseconds < 9_950:
        return _trim(f"{_rounded(microseconds, 100) / 10:.1f}")
    return number(_rounded(microseconds, 1000))


def span(microseconds: int) -> str:
    """Time gone by, in its two largest units, rounded down: "45 s", "23 min", "3 h 5 min"."""
    seconds = max(microseconds, 0) // SECOND
    if seconds < 60:
        return _unit(seconds, "s")
    if seconds < 3600:
        return _two(seconds, 60, "min", "s")
    if seconds < 86400:
        return _two(seconds // 60, 60, "h", "min")
    return _two(seconds // 3600, 24, "day", "h")


def ago(then: datetime, now: datetime) -> str:
    """How long ago, without seconds once it is minutes: "12 s", "23 min", "3 h 5 min"."""
    gone = max(now - then, timedelta()) // timedelta(microseconds=1)
    return span(gone - gone % MINUTE if gone >= MINUTE else gone)


def clock(then: datetime, now: datetime) -> str:
    """ "14:09" today, "Mon 11:20" within six days, "8 Nov" before, "8 Nov 2025" in another year."""
    days = abs((now.date() - then.date()).days)
    if days == 0:
        return f"{then:%H:%M}"
    if days <= 6:
        return f"{then:%a %H:%M}"
    return day(then, now)


def when(then: datetime, now: datetime) -> str:
    """As `clock`, but "today 14:09": for lists in which most rows are of other days."""
    return f"today {then:%H:%M}" if then.date() == now.date() else clock(then, now)


def from_to(start: datetime, end: datetime, now: datetime) -> tuple[str, str]:
    """Both ends of a stretch: of one day its name is said once, of one minute the seconds too."""
    began = when(start, now)
    if start.date() != end.date():
        return began, when(end, now)
    if f"{start:%H:%M}" != f"{end:%H:%M}":
        return began, f"{end:%H:%M}"
    return began.replace(f"{start:%H:%M}", f"{start:%H:%M:%S}"), f"{end:%H:%M:%S}"


def day(then: datetime, now: datetime) -> str:
    """ "8 Nov", and "8 Nov 2025" in another year."""
    return f"{then.day} {then:%b}" + ("" if then.year == now.year else f" {then.year}")


def local(then: datetime, zone: str) -> str:
    """ "Mon 26 Oct 09:00", as the clocks of a zone show it."""
    return f"{then.astimezone(zone_of(zone)):%a %-d %b %H:%M}"


def in_zone(then: datetime, zone: str) -> str:
    """ "Mon 26 Oct 09:00 in Europe/Oslo, 08:00 UTC"; the day again where UTC has another."""
    there, utc = local(then, zone), local(then, "UTC")
    if there == utc:
        return f"{utc} UTC"
    is_same_day = there[:-5] == utc[:-5]
    return f"{there} in {zone}, {utc[-5:] if is_same_day else utc} UTC"


def percent_down(percent: float | Decimal) -> str:
    """Two decimals, rounded down: 99.998 is "99.99%". Only all is "100%", and only none "0%"."""
    exact = Decimal(str(percent))
    if exact in (0, 100):
        return f"{exact:.0f}%"
    return f"{exact.quantize(Decimal('0.01'), ROUND_FLOOR)}%"


def availability(up: int, measured: int) -> str:
    """The part of the measured seconds that was up; "no data" when none was measured."""
    return percent_down(Decimal(100) * up / measured) if measured else "no data"


def share(part: int, whole: int) -> str:
    """ "11.8%" of at least 20, "2 of 10" of fewer. A little is "under 0.1%", never "0.0%"."""
    if whole < ENOUGH_FOR_PERCENT:
        return f"{number(part)} of {number(whole)}"
    tenths = 1000 * part // whole
    if part and not tenths:
        return f"under{NBSP}0.1%"
    return f"{tenths // 10}%" if tenths % 10 == 0 else f"{tenths / 10:.1f}%"


def number(value: int) -> str:
    """2,841, with a real minus sign."""
    return f"{value:,}".replace("-", MINUS)


def size(octets: int) -> str:
    """ "812 B", "4.2 kB", "1.3 MB"."""
    if octets < 1000:
        return f"{octets}{NBSP}B"
    if octets < 999_950:
        return f"{octets / 1000:.1f}{NBSP}kB"
    return f"{octets / 1_000_000:.1f}{NBSP}MB"


def counted(count: int, noun: str, plural: str = "") -> str:
    """ "1 path", "2,841 paths"."""
    return f"{number(count)}{NBSP}{noun if count == 1 else plural or noun + 's'}"


def person_name(user: "User | None") -> str:
    """A person's name; one who was removed is said to be unknown, not left out."""
    return user.get_full_name() or user.get_username() if user else "somebody unknown"


def holder(incident: "Incident") -> str:
    """Who has acknowledged an incident: by their account, or as the link in a message named them.

    Call it on one that is acknowledged.
    """
    return incident.acknowledged_as or person_name(incident.acknowledged_by)


def sentence(text: str) -> str:
    """With a capital and a full stop, however a far side or a person began and ended it."""
    stripped = text.strip()
    if not stripped:
        return ""
    # A name such as v2026.11.4 stays as it is.
    is_name = any(sign.isdigit() for sign in stripped.split(maxsplit=1)[0])
    first = stripped[0] if is_name else stripped[0].upper()
    return first + stripped[1:] + ("" if stripped[-1] in ".!?" else ".")


def reason_sentence(text: str) -> str:
    """Why a path is as it is, as a sentence: facts by their words, not as clauses name them."""
    return sentence(_FACT.sub(_spoken, text))


def _spoken(found: re.Match[str]) -> str:
    before, of, name = found.groups()
    return f"{before}{of} of {_FACTS[name]}" if of else f"{before}{_FACTS[name]}"


def kept_together(text: str) -> str:
    """A sentence whose numbers stay on one line with their units."""
    return _BEFORE_A_UNIT.sub(NBSP, text)


def _short(microseconds: int) -> str | None:
    """Under a second; None when rounding makes it one."""
    if microseconds < 10_000 and (tenths := _rounded(microseconds, 100)) < 100:
        return f"{_trim(f'{tenths / 10:.1f}')}{NBSP}ms"
    milliseconds = _rounded(microseconds, 1000)
    return f"{milliseconds}{NBSP}ms" if milliseconds < 1000 else None


def _seconds(microseconds: int, tenths: int) -> str:
    if (hundredths := _rounded(microseconds, SECOND // 100)) < 1000:
        return f"{_trim(f'{hundredths / 100:.2f}')}{NBSP}s"
    return f"{_trim(f'{tenths / 10:.1f}')}{NBSP}s"


def _rounded(value: int, step: int) -> int:
    """Half up, in whole numbers: no float can tip a boundary."""
    return (value + step // 2) // step


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".")


def _two(value: int, base: int, large: str, small: str) -> str:
    more, rest = divmod(value, base)
    first = _unit(more, large)
    return f"{first} {_unit(rest, small)}" if rest else first


def _unit(value: int, unit: str) -> str:
    return f"{value}{NBSP}{unit}{'s' if unit == 'day' and value != 1 else ''}"
