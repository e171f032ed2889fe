"""Samples as rows, and as the CSV text that is hashed and that `manage.py compare` reads."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from opsboard.probes.models import microseconds, moment

COLUMNS = "side,i,latency_us,cache,ok,db_calls,at"


class Row(NamedTuple):
    """One sample. `at` and `latency` are microseconds, `cache` a word of opsboard.probes.stored."""

    at: int
    latency: int
    cache: str
    is_ok: bool
    # None: not reported.
    db_calls: int | None


def csv_of(rows: Sequence[Row], side: str) -> str:
    lines = [COLUMNS]
    for i, row in enumerate(rows):
        calls = "" if row.db_calls is None else row.db_calls
        at = moment(row.at).isoformat(timespec="microseconds").replace("+00:00", "Z")
        lines.append(f"{side},{i},{row.latency},{row.cache},{row.is_ok:d},{calls},{at}")
    return "\n".join(lines) + "\n"


def rows_in(text: str) -> list[Row]:
    """Of a text that `csv_of` wrote."""
    rows = []
    for line in text.splitlines()[1:]:
        _, _, latency, cache, ok, calls, at = line.split(",")
        when = microseconds(datetime.fromisoformat(at))
        rows.append(Row(when, int(latency), cache, ok == "1", int(calls) if calls else None))
    return rows
