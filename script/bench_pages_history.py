"""What a board of 5,000 probes has seen, written in a few statements of PostgreSQL.

The busy probes were seen for a whole day, so that their chart is full; the others as far back as
the number of observations reaches.
"""

from datetime import datetime

from django.db import connection

from opsboard.expectations.histogram import Histogram
from opsboard.probes.history import make_partitions, make_partitions_of
from opsboard.probes.models import Observation, Probe, microseconds
from opsboard.probes.narrow import flags_of
from opsboard.probes.rules import Verdict
from opsboard.services.models import SECOND
from script.bench_pages_board import BUSY, INTERVAL

HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND
DAYS = 90
TURNS_A_DAY = DAY // INTERVAL
CHANGES = 20

OBSERVE = """
INSERT INTO probes_observation (slot_at, probe_id, total, dns, connect, tls, first_byte, transfer,
    lateness, size, db_time, db_calls, status, flags, failure, told)
SELECT %(at)s - turn::bigint * %(interval)s - id %% 60 * 1000000, id, 40000 + took, 400, 900, 2100,
    36000 + took, 600, 3000, 1800, 9000, 4 + took %% 3,
    CASE WHEN is_bad THEN 503 ELSE 200 END,
    CASE WHEN is_bad THEN %(failing)s WHEN took %% 4 = 0 THEN %(miss)s ELSE %(hit)s END,
    '', CASE WHEN is_bad THEN 'status is 503, expected 200' ELSE '' END
FROM (
    SELECT id, turn, (id * 7919 + turn * 104729) %% 60000 AS took,
        state = 'failing' AND turn < 40 OR (id * 31 + turn * 17) %% 997 = 0 AS is_bad
    FROM probes_probe, generate_series(%(first)s, %(last)s) AS turn
    WHERE id BETWEEN %(from)s AND %(to)s
) AS seen
"""
ROLL_UP = """
INSERT INTO probes_hourlyrollup (probe_id, hour_at, observations, wrong, passing, warning, failing,
    errors_of_ours, missed, cache_hits, cache_known, db_calls_sum, db_calls_reported, db_time_sum,
    dns_sum, connect_sum, tls_sum, first_byte_sum, transfer_sum, answered, times, is_example)
SELECT id, hour, 60, 0, 60, 0, 0, 0, 0, 45, 60, 300, 60, 540000, 24000, 54000, 126000, 3000000,
    36000, 60, %(times)s, false
FROM probes_probe,
    generate_series(%(newest)s - %(span)s, %(newest)s, %(hour)s) AS hour
WHERE id BETWEEN %(from)s AND %(to)s
"""
COUNT_DAYS = """
INSERT INTO probes_serviceday (environment_id, day, passing, warning, failing, no_data, paused,
    maintenance, worst, is_example)
SELECT id, day, 86400 - bad, 0, bad, 0, 0, 0,
    CASE WHEN bad > 0 THEN 'failing' ELSE 'passing' END, false
FROM (
    SELECT id, (%(today)s::date - back) AS day,
        CASE WHEN (id * 13 + back * 7) %% 41 = 0 THEN 900 ELSE 0 END AS bad
    FROM services_environment, generate_series(1, %(days)s) AS back
    UNION ALL
    SELECT id, %(today)s::date, 0 FROM services_environment
) AS counted
"""
CHANGE = """
INSERT INTO probes_statechange (probe_id, at, before, after, reason)
SELECT id, %(at)s - number::bigint * %(apart)s - id %% 3600 * 1000000 + half * 600000000,
    CASE half WHEN 0 THEN 'passing' ELSE 'failing' END,
    CASE half WHEN 0 THEN 'failing' ELSE 'passing' END, 'status is 503, expected 200'
FROM probes_probe, generate_series(1, %(times)s) AS number, generate_series(0, 1) AS half
"""


def seed_history(*, now: datetime, observations: int) -> None:
    at = microseconds(now)
    make_partitions(now=now)
    observe(at=at, observations=observations)
    first, last, busy = _probes()
    rolled = {"newest": at // HOUR * HOUR - HOUR, "hour": HOUR, "times": _times()}
    _say(ROLL_UP, **rolled, span=DAYS * DAY, **{"from": first, "to": busy})
    _say(ROLL_UP, **rolled, span=DAY, **{"from": busy + 1, "to": last})
    _say(COUNT_DAYS, today=now.date().isoformat(), days=DAYS - 1)
    _say(CHANGE, at=at - HOUR, apart=DAYS * DAY // CHANGES, times=CHANGES)
    analyze()


def observe(*, at: int, observations: int) -> None:
    """So many in all, the newest at `at`. Those that are there stay: more go farther back."""
    first, last, busy = _probes()
    fresh = not Observation.objects.exists()
    others = last - busy
    turns = (observations - (busy - first + 1) * TURNS_A_DAY) // others
    behind = 0 if fresh else _turns_seen(last, at)
    make_partitions_of(range((at - (turns + 2) * INTERVAL) // DAY, at // DAY + 1))
    if fresh:
        make_partitions_of([at // DAY - 1])
        _observe(at, 0, TURNS_A_DAY - 1, first, busy)
    _observe(at, behind, turns - 1, busy + 1, last)


def _turns_seen(probe: int, at: int) -> int:
    return Observation.objects.filter(probe_id=probe, slot_at__lte=at).count()


def _observe(at: int, first: int, last: int, begin: int, end: int) -> None:
    _say(
        OBSERVE, at=at, interval=INTERVAL, first=first, last=last, hit=_flags(cache=1),
        miss=_flags(cache=2), failing=_flags(Verdict.FAILING, is_wrong=True),
        **{"from": begin, "to": end},
    )  # fmt: skip


def _flags(verdict: Verdict = Verdict.PASSING, *, cache: int = 0, is_wrong: bool = False) -> int:
    return flags_of(kind=0, verdict=verdict, cache=cache, is_wrong=is_wrong, is_delayed=False)


def _probes() -> tuple[int, int, int]:
    """Their first key, their last, and the last one of a busy service: they follow each other."""
    keys = Probe.objects.order_by("pk").values_list("pk", flat=True)
    busy = Probe.objects.filter(environment__service__environments__slug="staging")
    assert busy.count() == BUSY * 10
    return keys[0], keys.reverse()[0], busy.order_by("-pk").values_list("pk", flat=True)[0]


def _times() -> bytes:
    times = Histogram()
    for number in range(60):
        times.add(40_000 + 1_000 * number)
    return times.to_bytes()


def analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _say(statement: str, **values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
