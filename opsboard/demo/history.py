"""Example history for the days before the demo was loaded, marked as such. Never for today.

The same seed makes the same days: where a service hurt is written down below, the rest passes.
"""

import random
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from opsboard.expectations.histogram import Histogram
from opsboard.probes.history import day_start
from opsboard.probes.models import HourlyRollup, Probe, ServiceDay
from opsboard.probes.rules import State
from opsboard.services.models import Environment

DAYS = 89
ROLLED_DAYS = 30
SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY_SECONDS = 86_400
# How many different hours a path has: enough to look like one that people use.
KINDS_OF_HOUR = 8
ROWS_AT_ONCE = 5_000

# Days before the demo was loaded, and for how many minutes the service was (f)ailing, had a
# warning (s, for slow) or had (n)o data. In production; staging had quiet months.
TROUBLE = {
    "fares-api": "67f48 66s35 32s16 19f9 5s12",
    "booking-web": "72f12 60f3 29s8 19s70",
    "partner-api": "86s7 73s28 55s16 36s68 35f12 19s76 9s25",
    "customs-declare": "81s23 65s53 35f48 34s19 9s81 8s14",
    "crew-rota": "35s68 34n58 33s31",
    "boarding-gates": "44f3 43s6 22s49",
    "freight-desk": "59s78 58f3 32f3 6s18 5s15",
    "identity": "40s33 39s26",
    "loyalty": "32f48 31s25",
    "media": "63f25",
    "notify": "61s20 58f48",
    "payments": "57n56 22s27 21s37",
    "refunds-worker": "84f25 83s9 67f25 66s15 47s11 46s59 45s8",
    "sailings-api": "78n72 56f25 55s39",
    "search": "66f6 39s35 38s36",
    "ticket-pdf": "77s80 76s75 75s66 74s12 45s64 36f48 35s22 33s67 6s76",
    "tide-feed": "62f3 61s11 54s12 53s8 48n610 47n1440 46n233 32s6 4s58",
    "vehicle-lookup": "61f6 47n75 46s19 23f64 22f18 17f25 15s56",
}
_STATES = {"f": State.FAILING, "s": State.WARNING, "n": State.NO_DATA}


@dataclass(frozen=True, slots=True)
class Trouble:
    state: State
    minutes: int


def trouble_of(service: str, environment: str) -> dict[int, Trouble]:
    """By days before the loading."""
    if environment != "production":
        return {}
    found = {}
    for word in TROUBLE.get(service, "").split():
        letter = next(sign for sign in word if sign in _STATES)
        back, minutes = word.split(letter)
        found[int(back)] = Trouble(_STATES[letter], int(minutes))
    return found


@transaction.atomic
def fill_examples(services: Collection[str], *, now: datetime) -> None:
    """For environments of these services that have no example day yet. What was measured stays."""
    wanted = Environment.objects.filter(service__slug__in=services)
    environments = wanted.exclude(days__is_example=True).select_related("service")
    days, rollups = [], []
    for environment in environments:
        days += list(_days(environment, now))
        rollups += list(_hours(environment, now))
    ServiceDay.objects.bulk_create(days, batch_size=1_000, ignore_conflicts=True)
    _insert_rollups(rollups)


def _days(environment: Environment, now: datetime) -> Iterator[ServiceDay]:
    trouble = trouble_of(environment.service.slug, environment.slug)
    for back in range(DAYS, 0, -1):
        hurt = trouble.get(back)
        seconds = 60 * hurt.minutes if hurt else 0
        states = {hurt.state.value: seconds} if hurt else {}
        yield ServiceDay(
            environment=environment,
            day=now.date() - timedelta(days=back),
            passing=DAY_SECONDS - seconds,
            worst=hurt.state if hurt else State.PASSING,
            is_example=True,
            **states,
        )


@dataclass(frozen=True, slots=True)
class _Hour:
    """What an hour of a path looks like when nothing is wrong."""

    times: bytes
    total: int
    hits: int


def _hours(environment: Environment, now: datetime) -> Iterator[list[Any]]:
    trouble = trouble_of(environment.service.slug, environment.slug)
    first = day_start(now.date() - timedelta(days=ROLLED_DAYS))
    for probe in Probe.objects.filter(environment=environment).select_related(
        "path", "environment__service"
    ):
        usual = _usual_hours(probe)
        dice = _dice(probe, "order")
        # What hurts a service is one of its paths, not all of them.
        is_hurt = "time" in probe.path.expected_result
        for number in range(ROLLED_DAYS * 24):
            back = ROLLED_DAYS - number // 24
            hurt = trouble.get(back) if is_hurt and number % 24 == 9 + back % 9 else None
            yield _row(probe, first + number * HOUR, dice.choice(usual), hurt)


def _dice(probe: Probe, of: str) -> random.Random:
    # Nothing is kept secret by it.
    return random.Random(f"{probe.environment} {probe.path.slug} {of}")  # noqa: S311


def _usual_hours(probe: Probe) -> list[_Hour]:
    dice = _dice(probe, "hours")
    usual = dice.randint(5_000, 24_000)
    count = HOUR // probe.interval
    return [_usual_hour(dice, usual, count) for _ in range(KINDS_OF_HOUR)]


def _usual_hour(dice: random.Random, usual: int, count: int) -> _Hour:
    times, total = Histogram(), 0
    for _ in range(count):
        took = round(usual * dice.lognormvariate(0, 0.35))
        times.add(took)
        total += took
    return _Hour(times.to_bytes(), total, round(count * dice.uniform(0.86, 0.97)))


def _row(probe: Probe, hour: int, usual: _Hour, hurt: Trouble | None) -> list[Any]:
    count = HOUR // probe.interval
    away = _probes_in(hurt, State.NO_DATA, count)
    wrong = _probes_in(hurt, State.FAILING, count)
    warning = _probes_in(hurt, State.WARNING, count)
    seen = count - away
    is_kept = "cache" in probe.path.expected_result
    calls = 0 if is_kept else 2
    answered = max(seen - wrong, 0)
    total = usual.total * answered // count
    return [
        probe.pk, hour, seen, wrong, seen - wrong - warning, warning, wrong, 0, away,
        usual.hits * seen // count if is_kept else 0, seen if is_kept else 0,
        seen * calls, seen, total // 4, 0, total // 10, 0, total * 9 // 10, total // 50, answered,
        usual.times if answered == count else _shortened(usual, answered), True,
    ]  # fmt: skip


_COLUMNS = (
    "probe_id", "hour_at", "observations", "wrong", "passing", "warning", "failing",
    "errors_of_ours", "missed", "cache_hits", "cache_known", "db_calls_sum", "db_calls_reported",
    "db_time_sum", "dns_sum", "connect_sum", "tls_sum", "first_byte_sum", "transfer_sum",
    "answered", "times", "is_example",
)  # fmt: skip


def _probes_in(hurt: Trouble | None, state: State, count: int) -> int:
    """How many of an hour's probes met the trouble, if it was of that kind."""
    if hurt is None or hurt.state is not state:
        return 0
    return min(count, -(-count * hurt.minutes // 60))


def _shortened(usual: _Hour, answered: int) -> bytes:
    """The histogram of an hour in which not all probes were answered."""
    times, mean = Histogram(), usual.total
    for number in range(answered):
        times.add(mean // max(answered, 1) + number)
    return times.to_bytes()


def _insert_rollups(rows: list[list[Any]]) -> None:
    """Tens of thousands of rows: as models they would take most of the demo's start."""
    quoted = ", ".join(_COLUMNS)
    places = ", ".join(["%s"] * len(_COLUMNS))
    table = HourlyRollup._meta.db_table
    # Only names of our own stand in the statement.
    insert = f"INSERT INTO {table} ({quoted}) VALUES ({places}) ON CONFLICT DO NOTHING"  # noqa: S608
    with connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            cursor.executemany(insert, rows[start : start + ROWS_AT_ONCE])
