"""What the page of settings shows: the value of each now, and beside it the default."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from opsboard.probes.models import Shift, microseconds, moment
from opsboard.services.models import SECOND
from opsboard.web.settings_known import GROUPS, Setting
from opsboard.web.words import NBSP, counted, number, when

# How lately a worker has to have taken work to be counted as one: longer than any turn.
SEEN_WITHIN = 60 * SECOND
DATABASES = {"sqlite": "SQLite, one file", "postgresql": "PostgreSQL"}
UNITS = {"_SECONDS": "s", "_DAYS": "days", "_DAYS_TIER_1": "days", "_HOURS": "hours"}


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    words: str
    value: str
    default: str
    differs: bool


@dataclass(frozen=True, slots=True)
class Group:
    words: str
    rows: list[Row]


def read_settings(environ: Mapping[str, str], *, now: datetime) -> dict[str, Any]:
    groups = [Group(words, [_row(one, environ) for one in known]) for words, known in GROUPS]
    differing = [row.name for group in groups for row in group.rows if row.differs]
    return {
        "now": now,
        "head": _head(len(differing)),
        "differing": differing,
        "groups": groups,
        "facts": list(_facts(now)),
    }


def _head(count: int) -> str:
    if not count:
        return "Every setting is at its default"
    return f"{counted(count, 'setting')} differ{'s' if count == 1 else ''} from the default"


def _row(setting: Setting, environ: Mapping[str, str]) -> Row:
    is_given = setting.name in environ or f"{setting.name}_FILE" in environ
    value = None if setting.is_hidden else _value(setting)
    has_default = setting.default is not None
    if has_default:
        differs = value != _plain(setting.default)
    else:
        differs = is_given and not (setting.is_needed and not settings.EMBEDDED)
    return Row(
        name=setting.name,
        words=setting.words,
        value=_words(setting, value) if value is not None else _set_or_not(setting, is_given),
        default=_default(setting),
        differs=differs,
    )


def _value(setting: Setting) -> Any:
    if setting.name == "OPSBOARD_LOG_LEVEL":
        logging: Any = settings.LOGGING
        return logging["root"]["level"]
    return _plain(getattr(settings, setting.attribute))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, (list, tuple)) else value


def _set_or_not(setting: Setting, is_given: bool) -> str:
    if is_given:
        return "set"
    return f"not set: {setting.said}" if setting.is_needed else "not set"


def _default(setting: Setting) -> str:
    if setting.default is not None:
        return _words(setting, _plain(setting.default))
    if setting.is_needed and not settings.EMBEDDED:
        return "none: it is required"
    return setting.said


def _words(setting: Setting, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_masked, map(str, value))) or "none"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        unit = next((words for end, words in UNITS.items() if setting.name.endswith(end)), "")
        figure = number(int(value)) if value == int(value) else f"{value:g}"
        return f"{figure}{NBSP}{unit}" if unit else figure
    return _masked(str(value)) or "none"


def _masked(text: str) -> str:
    """An address that names somebody to sign in as, which no setting shown here should hold."""
    return "set" if "://" in text and "@" in text else text


# This board --------------------------------------------------------------------------------


def _facts(now: datetime) -> Iterator[tuple[str, str]]:
    yield "Version", settings.VERSION
    one = "one process for pages, workers and bell" if settings.EMBEDDED else "separate processes"
    yield "Runs as", one
    yield "Database", DATABASES.get(connection.vendor, connection.vendor)
    is_memory = settings.CELERY_BROKER_URL.startswith("memory:")
    yield "Broker", "in memory" if is_memory else settings.CELERY_BROKER_URL.partition(":")[0]
    yield "Mail", "a server is set" if settings.MAILERS else "none: no mail is sent"
    shifts = list(
        Shift.objects.filter(duty__startswith="drain:") | Shift.objects.filter(duty="bell")
    )
    yield "Workers that probe", _workers(shifts, now)
    yield "The bell", _bell(shifts, now)


def _workers(shifts: list[Shift], now: datetime) -> str:
    since = microseconds(now) - SEEN_WITHIN
    seen = {
        (shift.duty.removeprefix("drain:"), shift.instance.rpartition(":")[0])
        for shift in shifts
        if shift.duty != "bell" and shift.claimed_at > since
    }
    at = Counter(location for location, _ in seen)
    return "; ".join(
        f"{location}: {number(at[location]) if at[location] else 'none in the last minute'}"
        for location in settings.LOCATIONS
    )


def _bell(shifts: list[Shift], now: datetime) -> str:
    bell = next((shift for shift in shifts if shift.duty == "bell"), None)
    return f"rang {when(moment(bell.claimed_at), now)}" if bell else "was never heard"


def environment() -> Mapping[str, str]:
    """Of this process, as opsboard.settings read it."""
    return os.environ
