"""Reading what was measured: one statement, however many paths or points there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection

from opsboard.probes import narrow
from opsboard.probes.models import Kind
from opsboard.probes.rules import Verdict
from opsboard.probes.stored import CACHE
from opsboard.web.measurements import Measured

PERCENTS = (50, 95, 99)
SUMMED = ("db_time", "dns", "connect", "tls", "first_byte", "transfer")
_IS_HIT = narrow.CACHED.sql("flags", CACHE.index("hit"), CACHE.index("stale"))
_IS_UNKNOWN = narrow.CACHED.sql("flags", CACHE.index("unknown"))
_IS_OURS = narrow.VERDICT.sql("flags", Verdict.ERROR)
_IS_WRONG = narrow.IS_WRONG.sql("flags", True)
_IS_DELAYED = narrow.IS_DELAYED.sql("flags", True)


@dataclass(frozen=True, slots=True)
class Stretch:
    """[since, until) in steps; microseconds all."""

    since: int
    until: int
    step: int


def by_path(probe_ids: Sequence[int], *, since: int, until: int) -> dict[int, Measured]:
    """What was measured of each path in [since, until), by the path's id."""
    return _measure("p.path_id", probe_ids, since, until)


def by_probe(probe_ids: Sequence[int], *, since: int, until: int) -> dict[int, Measured]:
    """As `by_path`, of each probe: a path has one in every location."""
    return _measure("o.probe_id", probe_ids, since, until)


def by_step(probe_ids: Sequence[int], *, since: int, until: int, step: int) -> dict[int, Measured]:
    """As `by_path`, of all the probes together, by the number of the step since 1970."""
    return by_steps(probe_ids, [Stretch(since, until, step)])[0]


def by_steps(probe_ids: Sequence[int], stretches: Sequence[Stretch]) -> list[dict[int, Measured]]:
    """As `by_step`, of each stretch."""
    found: list[dict[int, Measured]] = [{} for _ in stretches]
    if not probe_ids:
        return found
    statements = [_statement(f"o.slot_at / {int(one.step)}", probe_ids) for one in stretches]
    arms = [
        f"SELECT {place}, found.* FROM ({statement}) found"  # noqa: S608 - as below
        for place, statement in enumerate(statements)
    ]
    asked = [value for one in stretches for value in (*probe_ids, one.since, one.until)]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(arms), asked)
        for place, *row in cursor.fetchall():
            found[place][row[0]] = _measured(row)
    return found


def whole(probe_ids: Sequence[int], *, since: int, until: int) -> Measured:
    """All the probes and the whole stretch as one."""
    return _measure("0", probe_ids, since, until).get(0, Measured())


def _measure(key: str, probe_ids: Sequence[int], since: int, until: int) -> dict[int, Measured]:
    if not probe_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_statement(key, probe_ids), [*probe_ids, since, until])
        return {row[0]: _measured(row) for row in cursor.fetchall()}


def _statement(key: str, probe_ids: Sequence[int]) -> str:
    marks = ", ".join(["%s"] * len(probe_ids))
    # The nearest rank: the first of the ordered times that so many of 100 do not exceed.
    return f"""
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
            {", ".join(map(_ranked, PERCENTS))},
            SUM(CASE WHEN {_IS_HIT} THEN 1 ELSE 0 END),
            SUM(CASE WHEN {_IS_UNKNOWN} THEN 0 ELSE 1 END),
            COALESCE(SUM(NULLIF(db_calls, {narrow.NOTHING})), 0),
            COUNT(NULLIF(db_calls, {narrow.NOTHING})),
            {", ".join(map(_summed, SUMMED))}
        FROM ranked GROUP BY key"""  # noqa: S608 - only numbers and names of this module


def _ranked(percent: int) -> str:
    return f"MIN(CASE WHEN timed = 1 AND place * 100 >= timed_rows * {int(percent)} THEN total END)"


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
        p50=row[4],
        p95=row[5],
        p99=row[6],
        cache_hits=int(row[7]),
        cache_known=int(row[8]),
        db_calls_sum=int(row[9]),
        db_calls_reported=int(row[10]),
        **{f"{name}_sum": int(value) for name, value in zip(SUMMED, row[11:], strict=True)},
    )
