"""Reading what was measured: one statement, however many paths or points there are."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from opsboard.expectations.histogram import Histogram
from opsboard.probes import narrow
from opsboard.probes.models import HourlyRollup, Kind
from opsboard.probes.rules import Verdict
from opsboard.probes.stored import CACHE
from opsboard.web.measurements import Measured

SUMMED = ("db_time", "dns", "connect", "tls", "first_byte", "transfer")
_IS_HIT = narrow.CACHED.sql("flags", CACHE.index("hit"), CACHE.index("stale"))
_IS_UNKNOWN = narrow.CACHED.sql("flags", CACHE.index("unknown"))
_IS_OURS = narrow.VERDICT.sql("flags", Verdict.ERROR)
_IS_WRONG = narrow.IS_WRONG.sql("flags", True)
_IS_DELAYED = narrow.IS_DELAYED.sql("flags", True)


def by_path(probe_ids: Sequence[int], *, since: int, until: int) -> dict[int, Measured]:
    """What was measured of each path in [since, until), by the path's id."""
    return _measure("p.path_id", probe_ids, since, until)


def by_probe(probe_ids: Sequence[int], *, since: int, until: int) -> dict[int, Measured]:
    """As `by_path`, of each probe: a path has one in every location."""
    return _measure("o.probe_id", probe_ids, since, until)


def by_step(probe_ids: Sequence[int], *, since: int, until: int, step: int) -> dict[int, Measured]:
    """As `by_path`, of all the probes together, by the number of the step since 1970."""
    return _measure(f"o.slot_at / {int(step)}", probe_ids, since, until)


def whole(probe_ids: Sequence[int], *, since: int, until: int) -> Measured:
    """All the probes and the whole stretch as one."""
    return _measure("0", probe_ids, since, until).get(0, Measured())


def _measure(key: str, probe_ids: Sequence[int], since: int, until: int) -> dict[int, Measured]:
    if not probe_ids:
        return {}
    marks = ", ".join(["%s"] * len(probe_ids))
    # The nearest rank: the first of the ordered times that 95 of 100 do not exceed.
    statement = f"""
        WITH seen AS (
            SELECT {key} AS key, o.*,
                CASE WHEN {_IS_WRONG} OR {_IS_OURS} THEN 0 ELSE 1 END AS answered,
                CASE WHEN {_IS_WRONG} OR {_IS_DELAYED} OR {_IS_OURS} THEN 0 ELSE 1 END AS timed
            FROM probes_observation o JOIN probes_probe p ON p.id = o.probe_id
            WHERE o.probe_id IN ({marks}) AND o.slot_at >= %s AND o.slot_at < %s
              AND {narrow.KIND.sql("o.flags", Kind.SCHEDULED)}
        ), ranked AS (
            SELECT seen.*, ROW_NUMBER() OVER (PARTITION BY key, timed ORDER BY total) AS place,
                COUNT(*) OVER (PARTITION BY key, timed) AS timed_rows
            FROM seen
        )
        SELECT key,
            SUM(CASE WHEN {_IS_OURS} THEN 0 ELSE 1 END),
            SUM(CASE WHEN {_IS_WRONG} THEN 1 ELSE 0 END),
            SUM(answered),
            MIN(CASE WHEN timed = 1 AND place * 100 >= timed_rows * 95 THEN total END),
            SUM(CASE WHEN {_IS_HIT} THEN 1 ELSE 0 END),
            SUM(CASE WHEN {_IS_UNKNOWN} THEN 0 ELSE 1 END),
            COALESCE(SUM(NULLIF(db_calls, {narrow.NOTHING})), 0),
            COUNT(NULLIF(db_calls, {narrow.NOTHING})),
            {", ".join(map(_summed, SUMMED))}
        FROM ranked GROUP BY key"""  # noqa: S608 - only numbers and names of this module
    with connection.cursor() as cursor:
        cursor.execute(statement, [*probe_ids, since, until])
        return {row[0]: _measured(row) for row in cursor.fetchall()}


def _summed(name: str) -> str:
    """Of the answered. What was not reported adds nothing."""
    if name == "db_time":
        return f"COALESCE(SUM(answered * NULLIF(db_time, {narrow.NOTHING})), 0)"
    return f"SUM(answered * {name})"


def _measured(row: Sequence[Any]) -> Measured:
    return Measured(
        probes=int(row[1]),
        wrong=int(row[2]),
        answered=int(row[3]),
        p95=row[4],
        cache_hits=int(row[5]),
        cache_known=int(row[6]),
        db_calls_sum=int(row[7]),
        db_calls_reported=int(row[8]),
        **{f"{name}_sum": int(value) for name, value in zip(SUMMED, row[9:], strict=True)},
    )


def of_hours(rollups: Sequence[HourlyRollup]) -> Measured:
    """Several hours, or the probes of one, as one. The percentile is of all their answers."""
    times = Histogram()
    for rollup in rollups:
        times = times.merge(Histogram.from_bytes(bytes(rollup.times)))
    return Measured(
        probes=sum(rollup.observations - rollup.errors_of_ours for rollup in rollups),
        wrong=sum(rollup.wrong for rollup in rollups),
        answered=sum(rollup.answered for rollup in rollups),
        p95=times.percentile(95),
        cache_hits=sum(rollup.cache_hits for rollup in rollups),
        cache_known=sum(rollup.cache_known for rollup in rollups),
        db_calls_sum=sum(rollup.db_calls_sum for rollup in rollups),
        db_calls_reported=sum(rollup.db_calls_reported for rollup in rollups),
        **{
            f"{name}_sum": sum(getattr(rollup, f"{name}_sum") for rollup in rollups)
            for name in SUMMED
        },
    )
