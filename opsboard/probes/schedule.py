"""The schedule lives in the database: due probes are claimed by a short lease, by its clock.

A claim is one UPDATE … RETURNING: over FOR UPDATE SKIP LOCKED on PostgreSQL, inside an IMMEDIATE
transaction on SQLite (which has one writer at a time, and silently ignores the lock clause).
"""

import secrets
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Sum

from opsboard.expectations.tally import Tally
from opsboard.probes.memory import Memory
from opsboard.probes.models import Gap, Kind, Probe
from opsboard.probes.rules import SPREAD_KEY, Standing, State, grid_after, missed_between
from opsboard.probes.suspects import take_suspects
from opsboard.probes.waves import Columns

SECOND = 1_000_000
# How far ahead a claim reaches, so that each probe can start at its own time, not the claim's.
HORIZON = SECOND // 2
# From here on a probe is late: after a pause, those are asked a few at a time beside the others.
LATE = SECOND // 2
# The longest timeout of a path, and a minute: a lease that is longer than this and the margin was
# given by a clock that has since been set back. Without the minute, a claim that began a moment
# before another would take that one's newest leases for such.
LONGEST_TIMEOUT_AND_MORE = 120 * SECOND

# How often one claim looks for suspects that are not too late.
MOST_LOOKS = 50

COLUMNS = (
    "id, path_id, environment_id, location, order_version, interval, timeout, slot_at, ask_now_at,"
    " ask_now_kind, state, state_since, streak_state, recent, observed_at"
)

REGRIDDED = Columns({"probe": "bigint", "slot": "bigint"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One probe taken for one turn. `standing` stays true for as long as the claim is held."""

    probe_id: int
    claim_id: int
    order_version: int
    interval: int
    timeout: int
    # The grid point, or when it was to be asked again or now.
    slot_at: int
    # Where the grid stands: moved on only by a scheduled turn.
    grid_at: int
    kind: Kind
    spread_key: str
    standing: Standing
    # Lost a lease before: held apart from all others.
    is_suspect: bool = False

    @property
    def silent_at(self) -> int:
        heard = self.standing.observed_at or self.standing.since
        return heard + 2 * self.interval + self.timeout


def database_now() -> int:
    """The database's clock in microseconds. SQLite's is this process's."""
    if connection.vendor == "sqlite":
        return time.time_ns() // 1000
    with connection.cursor() as cursor:
        cursor.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")
        return int(cursor.fetchone()[0])


def claim(
    location: str,
    limit: int,
    *,
    late: int | None = None,
    memory: Memory | None = None,
    alone: bool = True,
) -> tuple[int, list[Claim]]:
    """Take up to `limit` due probes. Returns the database's time with them.

    A probe late by more than its interval is not asked in a rush: its missed slots are written
    down, and it goes on at its next grid point. Of those that are late by less, at most `late` are
    taken. What `memory` knows of their standings is not read again. `alone`: the caller holds no
    other probe, so that suspects may be its share: a few of them, and nothing else.
    """
    with transaction.atomic():
        now = database_now()
        claim_id = secrets.randbits(62)
        suspects = _due_suspects(location, claim_id=claim_id, now=now) if alone else []
        rows = suspects or _take(
            location, limit, limit if late is None else late, claim_id=claim_id, now=now
        )
        stale = [row for row in rows if _is_stale(row, now)]
        _regrid(stale, now)
        lost = {row["id"] for row in stale}
        taken = [row for row in rows if row["id"] not in lost]
        standings = _standings(taken, memory or Memory())
    return now, [
        _claim(row, standings[row["id"]], claim_id, now, is_suspect=bool(suspects)) for row in taken
    ]


def _due_suspects(location: str, *, claim_id: int, now: int) -> list[dict[str, Any]]:
    """A few suspects that are not late by more than their interval.

    Those that are go on at their next grid points, many at once: a few with every claim, those of
    short intervals would be too late again whenever their turn came, and never be asked.
    """
    for _ in range(MOST_LOOKS):
        taken = _take_suspects(location, claim_id=claim_id, now=now)
        stale = [row for row in taken if _is_stale(row, now)]
        if len(stale) < len(taken) or not taken:
            return taken
        _regrid(stale, now)
    return []


def _take_suspects(location: str, *, claim_id: int, now: int) -> list[dict[str, Any]]:
    return take_suspects(
        location,
        claim_id=claim_id,
        now=now,
        columns=COLUMNS.split(", "),
        horizon=HORIZON,
        margin=_margin(),
    )


def _margin() -> int:
    margin: int = round(settings.LEASE_MARGIN_SECONDS * SECOND)
    return margin


def _standings(rows: list[dict[str, Any]], memory: Memory) -> dict[int, Standing]:
    known = {
        row["id"]: memory.written_of(row["id"], row["order_version"], row["observed_at"])
        for row in rows
    }
    unknown = [key for key, written in known.items() if written is None]
    read = {}
    if unknown:
        stored = Probe.objects.filter(pk__in=unknown)
        read = {
            key: (reason, Tally.load(windows))
            for key, reason, windows in stored.values_list("pk", "reason", "windows")
        }
    standings = {}
    for row in rows:
        written = known[row["id"]]
        reason, tally = (written.reason, written.tally) if written else read[row["id"]]
        standings[row["id"]] = Standing(
            state=State(row["state"]),
            since=row["state_since"],
            streak_state=State(row["streak_state"]),
            recent=row["recent"],
            reason=reason,
            tally=tally,
            observed_at=row["observed_at"],
        )
    return standings


def normal_rate(location: str) -> float:
    """How many probes of a location are due in a second."""
    sums = Probe.objects.active().filter(location=location).aggregate(rate=Sum(1.0 / F("interval")))
    return float((sums["rate"] or 0.0) * SECOND)


def _take(location: str, limit: int, late: int, *, claim_id: int, now: int) -> list[dict[str, Any]]:
    skip_locked = "" if connection.vendor == "sqlite" else "FOR UPDATE SKIP LOCKED"
    margin = _margin()
    is_late = "(slot_at < %s AND slot_at >= %s - interval)"
    # The only text put into the statement is from this module.
    due = """
        SELECT id FROM probes_probe
        WHERE location = %s AND ended_at IS NULL AND leases_lost = 0
          AND (leased_until IS NULL OR leased_until > %s
            OR (leased_until < %s AND claim_id IS NULL))
          AND (slot_at <= %s OR ask_now_at <= %s OR slot_at > %s + 2 * interval)"""
    statement = f"""
        WITH late AS MATERIALIZED (
            {due} AND {is_late} AND (ask_now_at IS NULL OR ask_now_at > %s)
            ORDER BY slot_at LIMIT %s {skip_locked}),
        punctual AS MATERIALIZED (
            {due} AND (NOT {is_late} OR ask_now_at <= %s)
            ORDER BY slot_at LIMIT %s - (SELECT count(*) FROM late) {skip_locked})
        UPDATE probes_probe SET claim_id = %s, leased_until = %s + timeout
        WHERE id IN (SELECT id FROM punctual UNION ALL SELECT id FROM late)
        RETURNING {COLUMNS}"""  # noqa: S608
    of_due: list[int | str] = [
        location,
        now + LONGEST_TIMEOUT_AND_MORE + margin,
        now,
        now + HORIZON,
        now,
        now,
    ]
    of_late = [now - LATE, now]
    values = [
        *(*of_due, *of_late, now, min(late, limit)),
        *(*of_due, *of_late, now, limit),
        *(claim_id, now + HORIZON + margin),
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _is_stale(row: dict[str, Any], now: int) -> bool:
    """Due for longer than an interval, or further ahead than a grid can be (a clock went back)."""
    asked_for = row["ask_now_at"] is not None and row["ask_now_at"] <= now
    late = now - row["slot_at"] > row["interval"]
    ahead = row["slot_at"] > now + 2 * row["interval"]
    return (late or ahead) and not asked_for


def _regrid(rows: list[dict[str, Any]], now: int) -> None:
    if not rows:
        return
    gaps: list[Gap | None] = []
    moved: list[tuple[int, int]] = []
    for row in rows:
        following = grid_after(now, row["interval"], _spread_key(row))
        # The slot that was due is missed too: nobody asked it.
        before_due = row["slot_at"] - row["interval"]
        gaps.append(gap_between(row["id"], before_due, following, row["interval"]))
        moved.append((row["id"], following))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE probes_probe SET slot_at = v.slot, claim_id = NULL, leased_until = NULL
            FROM {REGRIDDED.rows()} WHERE probes_probe.id = v.probe""",  # noqa: S608
            [REGRIDDED.text(moved)],
        )
    write_missed(filter(None, gaps))


def _spread_key(row: dict[str, Any]) -> str:
    return SPREAD_KEY.format(
        path=row["path_id"], environment=row["environment_id"], location=row["location"]
    )


def gap_between(probe_id: int, slot_at: int, following: int, interval: int) -> Gap | None:
    """The slots between two others that nobody probed, None without any."""
    missed = missed_between(slot_at, following, interval)
    if missed is None:
        return None
    return Gap(
        probe_id=probe_id,
        first_slot_at=missed.first,
        last_slot_at=missed.last,
        slots=missed.slots,
    )


def write_missed(gaps: Iterable[Gap]) -> None:
    """Write down slots that nobody probed."""
    if rows := list(gaps):
        Gap.objects.bulk_create(rows, ignore_conflicts=True)


def _claim(
    row: dict[str, Any], standing: Standing, claim_id: int, now: int, *, is_suspect: bool
) -> Claim:
    is_scheduled = row["slot_at"] <= now + HORIZON and now - row["slot_at"] <= row["interval"]
    return Claim(
        probe_id=row["id"],
        claim_id=claim_id,
        order_version=row["order_version"],
        interval=row["interval"],
        timeout=row["timeout"],
        slot_at=row["slot_at"] if is_scheduled else row["ask_now_at"],
        grid_at=row["slot_at"],
        kind=Kind.SCHEDULED if is_scheduled else Kind(row["ask_now_kind"] or Kind.ASKED_NOW),
        spread_key=_spread_key(row),
        is_suspect=is_suspect,
        standing=standing,
    )


def keep(claims: list[Claim], *, now: int) -> None:
    """Lengthen the leases of what was answered and waits to be written."""
    for claim_id, probes in _by_claim(claims).items():
        Probe.objects.filter(pk__in=probes, claim_id=claim_id).update(leased_until=now + _margin())


def _by_claim(claims: list[Claim]) -> dict[int, list[int]]:
    by_claim: dict[int, list[int]] = defaultdict(list)
    for claim in claims:
        by_claim[claim.claim_id].append(claim.probe_id)
    return by_claim


def hand_back(claims: list[Claim], *, free_at: int | None = None) -> None:
    """Give up claims whose requests were not finished, for any worker to take, at once or from
    `free_at` on (microseconds, the database's)."""
    for claim_id, probes in _by_claim(claims).items():
        Probe.objects.filter(pk__in=probes, claim_id=claim_id).update(
            claim_id=None, leased_until=free_at
        )
