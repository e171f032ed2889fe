"""History: hourly roll-ups, service days, partitions, and letting go of what is old.

All of it is counted from rows already stored and may be run twice, late, or by two workers: the
same rows give the same answer.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.db.models import Max, Min, QuerySet

from opsboard.expectations.histogram import Histogram
from opsboard.probes import beats, narrow
from opsboard.probes.models import (
    Exchange,
    Gap,
    HourlyRollup,
    Kind,
    Observation,
    Probe,
    ServiceDay,
    Shift,
    StateChange,
    microseconds,
    moment,
)
from opsboard.probes.rules import State, Verdict, seconds_in_states, worst_of_day
from opsboard.probes.stored import CACHE
from opsboard.probes.timelines import Timeline, timeline
from opsboard.services import windows
from opsboard.services.models import Environment

log = logging.getLogger(__name__)

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
# An hour is counted once nothing can be recorded into it any more: longest timeout and lease.
SETTLED_AFTER = 180 * SECOND
# Work is cut into pieces of a few milliseconds: beside a busy thread every probe would look slow.
PROBES_A_PIECE = 20
ROWS_A_PIECE = 2_000
REST_SECONDS = 0.02
LONGEST_CATCH_UP_DAYS = 90
EXCHANGES_KEPT = 5
PARTITIONS_AHEAD = 4


def day_start(day: date) -> int:
    return microseconds(datetime(day.year, day.month, day.day, tzinfo=UTC))


# Hourly roll-ups ---------------------------------------------------------------------------


def roll_up(*, now: datetime, hours: int = 48) -> int:
    """Count the hours that have settled since the last roll-up. Returns how many."""
    until = (microseconds(now) - SETTLED_AFTER) // HOUR * HOUR
    start = _first_uncounted_hour()
    if start is None:
        return 0
    counted = range(start, until, HOUR)[:hours]
    for hour in counted:
        _roll_up_hour(hour)
    return len(counted)


def _first_uncounted_hour() -> int | None:
    newest = HourlyRollup.objects.filter(is_example=False).aggregate(at=Max("hour_at"))["at"]
    after = 0 if newest is None else newest + HOUR
    oldest = Observation.objects.filter(slot_at__gte=after).aggregate(at=Min("slot_at"))["at"]
    return None if oldest is None else int(oldest) // HOUR * HOUR


def _roll_up_hour(hour: int) -> None:
    seen = Observation.objects.alias(why=narrow.KIND.value).filter(
        slot_at__gte=hour, slot_at__lt=hour + HOUR, why=Kind.SCHEDULED
    )
    probe_ids = sorted(seen.values_list("probe_id", flat=True).distinct())
    for piece in _pieces(probe_ids, PROBES_A_PIECE):
        _roll_up_piece(seen.filter(probe_id__in=piece), piece, hour)
        time.sleep(REST_SECONDS)


def _roll_up_piece(seen: QuerySet[Observation], probe_ids: list[int], hour: int) -> None:
    by_probe: dict[int, list[Observation]] = defaultdict(list)
    for observation in seen:
        by_probe[observation.probe_id].append(observation)
    missed = _missed(probe_ids, hour)
    rows = [count_hour(key, hour, seen_by, missed[key]) for key, seen_by in by_probe.items()]
    with transaction.atomic():
        HourlyRollup.objects.filter(hour_at=hour, probe_id__in=probe_ids).delete()
        HourlyRollup.objects.bulk_create(rows)


def count_hour(
    probe_id: int, hour: int, observations: Iterable[Observation], missed: int
) -> HourlyRollup:
    """One probe's hour. Answered: a whole and right answer, whose time is the far side's."""
    rows = list(observations)
    answered = [row for row in rows if not row.is_wrong and row.verdict != Verdict.ERROR]
    times = Histogram()
    for row in answered:
        if not row.is_delayed:
            times.add(row.total)
    caches = [CACHE[row.cache] for row in rows]
    return HourlyRollup(
        probe_id=probe_id,
        hour_at=hour,
        observations=len(rows),
        wrong=sum(row.is_wrong for row in rows),
        passing=sum(row.verdict == Verdict.PASSING for row in rows),
        warning=sum(row.verdict == Verdict.WARNING for row in rows),
        failing=sum(row.verdict == Verdict.FAILING for row in rows),
        errors_of_ours=sum(row.verdict == Verdict.ERROR for row in rows),
        missed=missed,
        cache_hits=sum(cache in ("hit", "stale") for cache in caches),
        cache_known=sum(cache != "unknown" for cache in caches),
        db_calls_sum=sum(row.db_calls or 0 for row in rows),
        db_calls_reported=sum(row.db_calls is not None for row in rows),
        db_time_sum=sum(row.db_time or 0 for row in answered),
        dns_sum=sum(row.dns for row in answered),
        connect_sum=sum(row.connect for row in answered),
        tls_sum=sum(row.tls for row in answered),
        first_byte_sum=sum(row.first_byte for row in answered),
        transfer_sum=sum(row.transfer for row in answered),
        answered=len(answered),
        times=times.to_bytes(),
    )


def _missed(probe_ids: list[int], hour: int) -> dict[int, int]:
    missed: dict[int, int] = defaultdict(int)
    gaps = Gap.objects.filter(
        probe_id__in=probe_ids, first_slot_at__lt=hour + HOUR, last_slot_at__gte=hour
    )
    for gap in gaps:
        missed[gap.probe_id] += slots_between(gap, hour, hour + HOUR)
    return missed


def slots_between(gap: Gap, start: int, end: int) -> int:
    """How many of a gap's slots lie in [start, end)."""
    if gap.slots == 1:
        return int(start <= gap.first_slot_at < end)
    step = (gap.last_slot_at - gap.first_slot_at) // (gap.slots - 1)
    first = max(0, -((gap.first_slot_at - start) // step))
    last = min(gap.slots - 1, (end - 1 - gap.first_slot_at) // step)
    return max(0, last - first + 1)


def _pieces[T](items: list[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


# Service days ------------------------------------------------------------------------------


def count_days(*, now: datetime, environment: Environment | None = None) -> None:
    """Bring every service's day up to `now`, and close the days that ended since the last count."""
    today = now.date()
    first = _first_open_day(today)
    if first is None:
        return
    # Days of what was removed are not counted on: its strip has a gap, should it come back.
    probes = Probe.objects.filter(
        environment__removed_at=None, environment__service__removed_at=None
    )
    if environment is not None:
        probes = probes.filter(environment=environment)
    timelines = _timelines(probes, since=day_start(first), now=now)
    spans = _maintenance(timelines, since=day_start(first), now=now)
    rows = []
    for offset in range((today - first).days + 1):
        rows += _days(timelines, spans, first + timedelta(days=offset), now=now)
    ServiceDay.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["environment", "day"],
        # What was measured takes the place of an example.
        update_fields=[
            *("passing", "warning", "failing", "no_data", "paused"),
            *("maintenance", "worst", "is_example"),
        ],
    )


def _first_open_day(today: date) -> date | None:
    # Examples are nobody's count: days that were measured before them are still to be counted.
    counted = ServiceDay.objects.filter(is_example=False)
    newest: date | None = counted.aggregate(day=Max("day"))["day"]
    if newest is None:
        oldest = Probe.objects.aggregate(at=Min("began_at"))["at"]
        newest = None if oldest is None else moment(oldest).date()
    if newest is None:
        return None
    return max(newest, today - timedelta(days=LONGEST_CATCH_UP_DAYS))


def _timelines(probes: QuerySet[Probe], *, since: int, now: datetime) -> dict[int, list[Timeline]]:
    """Each environment's probes as timelines from `since` on, silence included."""
    changes: dict[int, list[StateChange]] = defaultdict(list)
    for change in StateChange.objects.filter(at__gte=since, probe__in=probes).order_by("at", "pk"):
        changes[change.probe_id].append(change)
    lines: dict[int, list[Timeline]] = defaultdict(list)
    for probe in probes:
        lines[probe.environment_id].append(timeline(probe, changes[probe.pk], since=since, now=now))
    return lines


type Spans = list[tuple[int, int]]


def _maintenance(
    environment_ids: Iterable[int], *, since: int, now: datetime
) -> Mapping[int, Spans]:
    """When each environment was in maintenance. Two queries."""
    places = Environment.objects.filter(pk__in=list(environment_ids)).select_related("service")
    touching = windows.touching(moment(since), now)
    found = windows.spans_of(touching, places, moment(since), now)
    return {
        place: [(microseconds(begin), microseconds(end)) for begin, end in spans]
        for place, spans in found.items()
    }


def _days(
    timelines: dict[int, list[Timeline]], spans: Mapping[int, Spans], day: date, *, now: datetime
) -> list[ServiceDay]:
    start = day_start(day)
    end = min(start + DAY, microseconds(now))
    rows = []
    for environment_id, lines in timelines.items():
        without = [one for one in spans.get(environment_id, []) if one[0] < end and one[1] > start]
        spent = seconds_in_states(lines, start, end, without=without)
        whole = seconds_in_states(lines, start, end) if without else spent
        if sum(whole.values()):
            maintenance = max(0, sum(whole.values()) - sum(spent.values()))
            rows.append(_service_day(environment_id, day, spent, maintenance))
    return rows


def _service_day(
    environment_id: int, day: date, spent: dict[State, int], maintenance: int
) -> ServiceDay:
    # A day that was maintenance alone claims nothing, as if nobody had looked on purpose.
    is_all_maintenance = maintenance > 0 and not any(spent.values())
    return ServiceDay(
        environment_id=environment_id,
        day=day,
        passing=spent[State.PASSING],
        warning=spent[State.WARNING],
        failing=spent[State.FAILING],
        no_data=spent[State.NO_DATA],
        paused=spent[State.PAUSED],
        maintenance=maintenance,
        worst=State.PAUSED if is_all_maintenance else worst_of_day(spent),
    )


# Partitions and pruning --------------------------------------------------------------------


def make_partitions(*, now: datetime) -> None:
    """On PostgreSQL, a partition for each day from today on; elsewhere nothing to do."""
    if connection.vendor != "postgresql":
        return
    for offset in range(PARTITIONS_AHEAD):
        _make_partition(now.date() + timedelta(days=offset))


def make_partitions_of(days: Iterable[int]) -> None:
    """On PostgreSQL, a partition for each of the days, numbered from 1970 on."""
    if connection.vendor == "postgresql":
        for day in sorted(days):
            _make_partition(moment(day * DAY).date())


def _make_partition(day: date) -> None:
    name = f"probes_observation_{day:%Y%m%d}"
    start = day_start(day)
    with transaction.atomic(), connection.cursor() as cursor:
        # Two workers at once: the second waits, and finds it made.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('opsboard partitions'))")
        cursor.execute("SELECT to_regclass(%s)", [name])
        if cursor.fetchone()[0] is None:
            cursor.execute(
                f"CREATE TABLE {name} PARTITION OF probes_observation "
                f"FOR VALUES FROM ({start}) TO ({start + DAY})"
            )


def rebuild_keys(*, now: datetime, days: int = 3) -> None:
    """On PostgreSQL, build the key of each day that is over anew, once, beside all who use it.

    Filled as probes take turns, its pages are a third empty. A few days a call: each reads a day.
    Where somebody reads for long, a backup for example, it is left to the next call; so it is
    within a transaction, where nothing can be built beside its users.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return
    newest = moment(microseconds(now) - SETTLED_AFTER - DAY).date()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.relname, k.relname, i.indisvalid FROM pg_inherits h"
            " JOIN pg_class p ON p.oid = h.inhrelid JOIN pg_index i ON i.indrelid = p.oid"
            " JOIN pg_class k ON k.oid = i.indexrelid"
            " WHERE h.inhparent = 'probes_observation'::regclass"
            " AND obj_description(k.oid, 'pg_class') IS NULL ORDER BY i.indisvalid, p.relname"
        )
        found = [row for row in cursor.fetchall() if _is_until(row[0], newest)]
        cursor.execute("SET statement_timeout = 0")
        try:
            for _, key, is_valid in found[:days]:
                if not is_valid:
                    # Left by a rebuilding that was stopped.
                    cursor.execute(f"DROP INDEX CONCURRENTLY {key}")
                    continue
                cursor.execute(f"ALTER INDEX {key} SET (fillfactor = 100)")
                cursor.execute(f"REINDEX INDEX CONCURRENTLY {key}")
                cursor.execute(f"COMMENT ON INDEX {key} IS 'built anew'")
        except OperationalError as error:
            log.info("The key of a day over is built anew later: %s", str(error).splitlines()[0])
        finally:
            cursor.execute("RESET statement_timeout")


def prune(*, now: datetime, observations_days: int, rollups_days: int) -> None:
    """Let go of what is older than it is kept, a small piece at a time."""
    make_partitions(now=now)
    old = microseconds(now - timedelta(days=observations_days))
    older = microseconds(now - timedelta(days=rollups_days))
    _drop_partitions(before=old)
    _delete(Observation.objects.filter(slot_at__lt=old), Observation, "slot_at")
    _delete(HourlyRollup.objects.filter(hour_at__lt=older), HourlyRollup, "hour_at")
    Gap.objects.filter(last_slot_at__lt=older).delete()
    StateChange.objects.filter(at__lt=older).delete()
    Shift.objects.filter(claimed_at__lt=microseconds(now) - DAY).delete()
    _prune_exchanges()
    beats.prune(before=old)
    rebuild_keys(now=now)


def _drop_partitions(*, before: int) -> None:
    if connection.vendor != "postgresql":
        return
    newest_gone = moment(before - DAY).date()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'probes_observation'::regclass"
        )
        names = [row[0] for row in cursor.fetchall()]
        for name in names:
            if _is_until(name, newest_gone):
                cursor.execute(f"DROP TABLE {name}")


def _is_until(partition: str, day: date) -> bool:
    """Whether it is of that day or one before; the one that holds the rest never is."""
    stamp = partition.rpartition("_")[2]
    return stamp.isdigit() and stamp <= f"{day:%Y%m%d}"


def _delete(
    rows: QuerySet[Observation] | QuerySet[HourlyRollup],
    model: type[Observation] | type[HourlyRollup],
    order: str,
) -> None:
    """Delete in pieces by the time of the row: no lock is held for long."""
    while True:
        edge = list(rows.order_by(order).values_list(order, flat=True)[:ROWS_A_PIECE])
        if not edge:
            return
        model.objects.filter(**{f"{order}__lte": edge[-1]}).delete()
        time.sleep(REST_SECONDS)


def _prune_exchanges() -> None:
    for probe_id in Exchange.objects.values_list("probe_id", flat=True).distinct():
        kept = Exchange.objects.filter(probe_id=probe_id).order_by("-slot_at")
        edge = list(kept.values_list("slot_at", flat=True)[EXCHANGES_KEPT - 1 : EXCHANGES_KEPT])
        if edge:
            Exchange.objects.filter(probe_id=probe_id, slot_at__lt=edge[0]).delete()
