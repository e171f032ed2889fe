"""90 days and 24 hours of every row of a page of the board, ready to be drawn: one query.

The database joins the rows of each service to one text. What is made of a text is kept: most of it
is of days and hours that are over.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from django.db import connection
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from opsboard.expectations.histogram import Histogram
from opsboard.probes.models import microseconds
from opsboard.web import strips, words
from opsboard.web.service_days import Day, availability_of, first_day

SPARK_HOURS = 24
# A few boards of a thousand rows.
KEPT = 4096
_JOINED = {"postgresql": "string_agg", "sqlite": "group_concat"}
_IN_HEX = {"postgresql": "encode(times, 'hex')", "sqlite": "hex(times)"}


@dataclass(frozen=True, slots=True)
class Strip:
    """90 days as a strip, its words, and the availability of the very same days."""

    codes: str
    drawn: SafeString
    width: int
    last: date
    # "90 days to 17 Nov. 84 days passing, 3 warning, 3 failing."
    words: str
    availability: str
    has_examples: bool
    # "Days before 28 Nov are examples."; "".
    examples: str


@dataclass(frozen=True, slots=True)
class History:
    days: dict[int, str]
    hours: dict[int, str]
    today: date

    def strip(self, environment_id: int | None) -> Strip:
        return _strip(self.days.get(environment_id or 0, ""), self.today)

    def p95_by_hour(self, probe_ids: Sequence[int]) -> dict[int, int | None]:
        """Microseconds, by the number of the hour since 1970, of all the probes of a path."""
        return _p95_by_hour(tuple(self.hours.get(pk, "") for pk in probe_ids))


def read_history(
    environment_ids: Sequence[int], probe_ids: Sequence[int], *, now: datetime
) -> History:
    """The hours are those that are rolled up of the last 24."""
    join, in_hex = _JOINED[connection.vendor], _IN_HEX[connection.vendor]
    statement = f"""
        SELECT 'day', environment_id, {join}(day || '|' || worst || '|' || passing || '|' || warning
            || '|' || failing || '|' || no_data || '|' || paused || '|' || maintenance || '|' ||
            CASE WHEN is_example THEN 'e' ELSE '' END, ',')
        FROM probes_serviceday
        WHERE environment_id IN ({_marks(environment_ids)}) AND day >= %s GROUP BY environment_id
        UNION ALL
        SELECT 'hour', probe_id, {join}(hour_at || '|' || {in_hex}, ',')
        FROM probes_hourlyrollup
        WHERE probe_id IN ({_marks(probe_ids)}) AND hour_at >= %s GROUP BY probe_id"""  # noqa: S608 - only marks and names of this module
    since = microseconds(now) - SPARK_HOURS * words.HOUR
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            [*(environment_ids or [0]), first_day(now), *(probe_ids or [0]), since],
        )
        rows = cursor.fetchall()
    return History(
        days={key: text for kind, key, text in rows if kind == "day"},
        hours={key: text for kind, key, text in rows if kind == "hour"},
        today=now.date(),
    )


def _marks(ids: Sequence[int]) -> str:
    return ", ".join(["%s"] * max(1, len(ids)))


@lru_cache(maxsize=KEPT)
def _strip(text: str, today: date) -> Strip:
    days = sorted(_days(text))
    bars = strips.bars(days, today=today)
    return Strip(
        codes=",".join(bar.code for bar in bars),
        drawn=format_html_join("", '<path class="k-{}" d="{}"/>', strips.strip_paths(bars)),
        width=strips.STEP * len(bars),
        last=today,
        words=f"{len(bars)} days to {today.day} {today:%b}. {strips.strip_words(bars)}",
        availability=availability_of(days),
        has_examples=any(bar.is_example for bar in bars),
        examples=strips.examples_words(bars),
    )


def _days(text: str) -> Iterator[Day]:
    for row in filter(None, text.split(",")):
        day, worst, *seconds, example = row.split("|")
        yield Day(date.fromisoformat(day), worst, *_six(seconds), is_example=bool(example))


def _six(seconds: Sequence[str]) -> tuple[int, int, int, int, int, int]:
    passing, warning, failing, no_data, paused, maintenance = map(int, seconds)
    return passing, warning, failing, no_data, paused, maintenance


@lru_cache(maxsize=KEPT)
def _p95_by_hour(texts: tuple[str, ...]) -> dict[int, int | None]:
    hours: dict[int, Histogram] = {}
    for hour, times in _hours(texts):
        hours[hour] = hours[hour].merge(times) if hour in hours else times
    return {hour: times.percentile(95) for hour, times in hours.items()}


def _hours(texts: Iterable[str]) -> Iterator[tuple[int, Histogram]]:
    for text in texts:
        for row in filter(None, text.split(",")):
            hour_at, times = row.split("|")
            yield int(hour_at) // words.HOUR, Histogram.from_bytes(bytes.fromhex(times))
