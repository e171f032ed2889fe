"""When a heartbeat is due: its period or cron expression, and how late it may be. Pure."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cronsim import CronSim, CronSimError

from opsboard.expectations.nearest import did_you_mean
from opsboard.expectations.units import DAY, MINUTE, SECOND, exact_duration
from opsboard.services.problems import Problem
from opsboard.services.zones import check_zone

KEYS = ("every", "cron", "zone", "grace", "longest")
SHORTEST_PERIOD, LONGEST_PERIOD = 10 * SECOND, 366 * DAY
SHORTEST_GRACE, LONGEST_GRACE = SECOND, 31 * DAY
SHORTEST_RUN, LONGEST_RUN = SECOND, 31 * DAY
USUAL_GRACE = 5 * MINUTE
LONGEST_CRON = 100

_LIMITS = {
    "every": (SHORTEST_PERIOD, LONGEST_PERIOD),
    "grace": (SHORTEST_GRACE, LONGEST_GRACE),
    "longest": (SHORTEST_RUN, LONGEST_RUN),
}
_FIELDS = {"minute": 0, "hour": 1, "day-of-month": 2, "month": 3, "day-of-week": 4}
_A_LEAP_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
_WRONG_FIELD = re.compile(r"Bad (\S+)")


def check_heartbeat(heartbeat: Mapping[str, Any]) -> Iterator[Problem]:
    for key, value in heartbeat.items():
        if key not in KEYS:
            hint = did_you_mean(key, KEYS, {"period": "every", "schedule": "cron", "tz": "zone"})
            yield Problem((key,), f"Unknown key `{key[:60]}` of a heartbeat; {hint}")
        elif key in _LIMITS:
            low, high = _LIMITS[key]
            if not low <= value <= high:
                between = f"from {exact_duration(low)} to {exact_duration(high)}"
                yield Problem((key,), f"This may be {between}.")
    yield from _check_schedule(heartbeat)


def _check_schedule(heartbeat: Mapping[str, Any]) -> Iterator[Problem]:
    every, cron = heartbeat.get("every"), heartbeat.get("cron", "")
    zone = heartbeat.get("zone", "")
    if not every and not cron:
        yield Problem(
            (), "Say when the job reports in: every, as in 1 h, or cron, as in 0 2 * * *."
        )
    if every and cron:
        yield Problem(("cron",), "Write every or cron: both at once may say different things.")
    if wrong := check_cron(cron) if cron else "":
        yield Problem(("cron",), wrong, column_of(cron))
    if zone and not cron:
        yield Problem(("zone",), "A zone goes with cron only: a period has none. Take it out.")
    if wrong := check_zone(zone) if zone else "":
        yield Problem(("zone",), wrong)


def check_cron(cron: str) -> str:
    """Why no time can be read from it, as one sentence, or ""."""
    words = cron.split()
    if len(cron) > LONGEST_CRON:
        return f"A cron expression has at most {LONGEST_CRON} characters."
    if len(words) != 5:
        return (
            f"A cron expression has five words: minute, hour, day, month and weekday, as in "
            f"0 2 * * * for two at night. This has {len(words)}."
        )
    try:
        next(CronSim(cron, _A_LEAP_YEAR))
    except CronSimError as error:
        field = _field(str(error))
        never = ", or names a day that no month has" if field == "day of month" else ""
        return f"The {field} of this cron expression cannot be read{never}."
    except StopIteration:
        return "This cron expression names a day that never comes."
    return ""


def _field(error: str) -> str:
    found = _WRONG_FIELD.search(error)
    return found[1].replace("-", " ") if found else "text"


def column_of(cron: str) -> int:
    """Where the word of a cron expression stands that cannot be read, from 1; 0: not one alone."""
    try:
        next(CronSim(cron, _A_LEAP_YEAR))
    except CronSimError as error:
        found = _WRONG_FIELD.search(str(error))
        words = list(re.finditer(r"\S+", cron))
        at = _FIELDS.get(found[1]) if found else None
        return words[at].start() + 1 if at is not None and len(words) == 5 else 0
    except StopIteration:
        pass
    return 0
