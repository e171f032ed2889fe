"""The engine's runs: each measures one row or a few, on a database of its own."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.db import connection
from django.db.models import F
from django.utils import timezone

from opsboard.probes.drain import duty_of
from opsboard.probes.history import make_partitions_of, rebuild_keys
from opsboard.probes.models import Gap, Observation, Probe, Shift, StateChange
from opsboard.probes.schedule import database_now
from script.bench_blackbox import blackbox
from script.bench_comparison import comparison
from script.bench_embedded import embedded
from script.bench_measure import (
    TAIL,
    Span,
    all_asked,
    percentile,
    span,
    until,
    worker,
)
from script.bench_seed import SECOND, Board, pace, seed
from script.bench_target import Target

MANY = 10_000
DAY = 86_400 * SECOND


@dataclass(frozen=True)
class Told:
    """What the bench told this run."""

    target: Target
    quick: bool

    def seconds(self, whole: float, quick: float) -> float:
        return quick if self.quick else whole


Figure = tuple[str, float, dict[str, object]]
Run = Callable[[Told], Iterator[Figure]]


# At full load: a fifth more is due than the goal, so that what waits grows by the second ----------


def full_http(told: Told) -> Iterator[Figure]:
    found = full_load(told, told.target.http, probes=MANY, offered=3000)
    yield "sustained-postgresql", found.rate, found.detail()
    yield "cpu-http-full", found.cpu_a_thousand, found.detail()


def full_https(told: Told) -> Iterator[Figure]:
    found = full_load(told, told.target.https, probes=MANY // 2, offered=1200, secure=True)
    yield "cpu-https-full", found.cpu_a_thousand, found.detail()


def full_sqlite(told: Told) -> Iterator[Figure]:
    found = full_load(told, told.target.http, probes=MANY // 2, offered=1500)
    detail = found.detail() | {"cpu_seconds_per_1000": round(found.cpu_a_thousand, 3)}
    yield "sustained-sqlite", found.rate, detail


def full_load(told: Told, port: int, *, probes: int, offered: int, secure: bool = False) -> Span:
    # The pace at first is the same, quick or not.
    probes = probes // 2 if told.quick else probes
    seed(Board(probes=probes, interval=5 if told.quick else 10, port=port, secure=secure))
    with worker() as one:
        # At a pace that it can keep, until every order is compiled.
        all_asked(60)
        pace(probes / offered)
        time.sleep(2)
        return span(one, told.seconds(15, 6))


# At a rate that leaves it time --------------------------------------------------------------------


def three_hundred(told: Told) -> Iterator[Figure]:
    found = steady(told, Board(probes=300, interval=1, port=told.target.http))
    yield "cpu-http-300", found.cpu_a_thousand, found.detail()
    yield "times-300", *times(found)


def three_hundred_https(told: Told) -> Iterator[Figure]:
    found = steady(told, Board(probes=300, interval=1, port=told.target.https, secure=True))
    yield "cpu-https-300", found.cpu_a_thousand, found.detail()


def steady(told: Told, board: Board) -> Span:
    seed(board)
    with worker() as one:
        all_asked(60)
        found = span(one, told.seconds(20, 8))
        time.sleep(TAIL)
        return found.by_slots()


def times(found: Span) -> tuple[float, dict[str, object]]:
    """p95 of all that was measured, in ms, delayed ones included."""
    every, trusted = found.column("total"), found.column("total", delayed=False)
    marked = len(every) - len(trusted)
    return 1000 * percentile(every, 0.95), found.detail() | {
        "p50_ms": round(1000 * percentile(every, 0.5), 2),
        "marked_delayed_percent": round(100 * marked / len(every), 1),
        "p95_ms_of_the_others": round(1000 * percentile(trusted, 0.95), 2),
    }


# Ten thousand probes ------------------------------------------------------------------------------


def ten_thousand(told: Told) -> Iterator[Figure]:
    seed(Board(probes=MANY, interval=10, port=told.target.http))
    with worker() as one:
        all_asked(60)
        found = span(one, told.seconds(20, 10))
        time.sleep(TAIL)
        yield "lateness", *lateness(found, MANY / 10)
        yield "times-1000", *times(found)
        yield "memory", one.memory_mb(), found.detail() | {"probes": MANY}


def hanging(told: Told) -> Iterator[Figure]:
    """Half a thousand never answer; what is asked of the others is to be on time all the same."""
    few, interval, timeout = MANY // 20, 10, 5
    seed(
        Board(
            probes=MANY,
            interval=interval,
            port=told.target.http,
            timeout=timeout,
            hanging=few,
            hanging_port=told.target.hanging,
        )
    )
    slow = list(Probe.objects.order_by("pk").values_list("pk", flat=True)[:few])
    with worker() as one:
        all_asked(90)
        found = span(one, told.seconds(20, 10))
        time.sleep(TAIL)
        healthy = {"probe_id__gt": slow[-1]}
        measured, detail = lateness(found, (MANY - few) / interval, **healthy)
        hung = found.column("total", probe_id__lte=slow[-1])
        yield (
            "lateness-hanging",
            measured,
            detail
            | {
                "hanging": few,
                "timeout_s": timeout,
                "hanging_p50_s": rounded(percentile(hung, 0.5, of=1)),
            },
        )


def lateness(found: Span, due_a_second: float, **only: object) -> tuple[float, dict[str, object]]:
    """p99 of start minus slot, in seconds. A slot that was missed is later than all others."""
    late = found.column("lateness", **only)
    due = round(due_a_second * found.seconds)
    missed = Gap.objects.filter(last_slot_at__gte=found.first.at).count()
    return percentile(late, 0.99, of=due), found.detail() | {
        "due": due,
        "asked": len(late),
        "p50_s": rounded(percentile(late, 0.5, of=due)),
        "p99_s_of_those_asked": rounded(percentile(late, 0.99)) if late else "none was asked",
        "probes_with_missed_slots": missed,
    }


def rounded(seconds: float) -> float | str:
    return "never" if seconds == float("inf") else round(seconds, 3)


def size(told: Told) -> Iterator[Figure]:
    """The same hundred a second, of a hundred probes and of ten thousand."""
    few = steady(told, Board(probes=100, interval=1, port=told.target.http))
    Probe.objects.all().delete()
    seed_again(Board(probes=MANY, interval=10, port=told.target.http))
    with worker() as one:
        all_asked(60)
        pace(100)
        # Once more, for those that were being asked meanwhile, and went on at their old pace.
        time.sleep(3)
        pace(100)
        many = span(one, told.seconds(20, 8))
        time.sleep(TAIL)
        many = many.by_slots()
    yield (
        "cost-of-size",
        many.cpu_a_thousand / few.cpu_a_thousand,
        {
            "cpu_seconds_per_1000_at_100": round(few.cpu_a_thousand, 3),
            "cpu_seconds_per_1000_at_10000": round(many.cpu_a_thousand, 3),
            "probes_a_second_at_100": round(few.rate),
            "probes_a_second_at_10000": round(many.rate),
        },
    )


def seed_again(board: Board) -> None:
    from opsboard.services.models import Service, Team

    Service.objects.all().delete()
    Team.objects.all().delete()
    seed(board)


# After a restart, and after a failure -------------------------------------------------------------


def restart(told: Told) -> Iterator[Figure]:
    """Stopped for three intervals: all is overdue when the worker comes back."""
    probes, interval = 1000, told.seconds(60, 20)
    seed(Board(probes=probes, interval=interval, port=told.target.http))
    away = round(3 * interval * SECOND)
    Probe.objects.update(slot_at=F("slot_at") - away, observed_at=F("observed_at") - away)
    at_work = Shift.objects.filter(duty=duty_of("default"))
    with worker():
        until(lambda: at_work.exists(), seconds=30, what="the worker had not begun to drain")
        # How long Python takes to start is not the engine's.
        began = at_work.get().began_at
        until(
            lambda: not Probe.objects.filter(observed_at__lte=began).exists(),
            seconds=2 * interval,
            what="some probes had not been asked again",
        )
        last = max(Probe.objects.values_list("observed_at", flat=True))
        rows = Observation.objects.filter(slot_at__gte=began - away)
        starts = [slot + late - began for slot, late in rows.values_list("slot_at", "lateness")]
    counted = [0] * (int(max(starts) // SECOND) + 1)
    for start in starts:
        counted[int(max(start, 0) // SECOND)] += 1
    normal = probes / interval
    detail = {"normal_a_second": round(normal, 1), "most_in_a_second": max(counted)}
    yield "restart", (last - began) / SECOND / interval, detail | {"interval_s": interval}
    yield "restart-rate", max(counted) / normal, detail


def confirmed(told: Told) -> Iterator[Figure]:
    """Three hundred fail at once; each is confirmed by its second failing answer."""
    probes, interval = 300, 10
    seed(Board(probes=probes, interval=interval, port=told.target.failing))
    with worker():
        all_asked(60)
        failed_at = database_now()
        os.kill(told.target.failing_pid, signal.SIGUSR1)
        failing = StateChange.objects.filter(after="failing", at__gte=failed_at)
        until(
            lambda: failing.count() == probes,
            seconds=60,
            what=f"only some of {probes} failures were confirmed",
        )
        waits = sorted(at - failed_at for at in failing.values_list("at", flat=True))
        yield (
            "confirmed",
            percentile(waits, 0.99),
            {
                "p50_s": round(percentile(waits, 0.5), 2),
                "longest_s": round(waits[-1] / SECOND, 2),
                "failing_at_once": probes,
            },
        )


# What is stored -----------------------------------------------------------------------------------


def stored(told: Told) -> Iterator[Figure]:
    """Real observations of a thousand probes, again and again as they would come: all probes of
    one interval after those of the interval before. So each probe's rows end up apart, and their
    keys are put in between others', as in life."""
    probes, interval = 1000, 30
    rounds = int(told.seconds(480, 120))
    seed(Board(probes=probes, interval=2, port=told.target.http, broken=50))
    with worker():
        all_asked(60)
    day = database_now() // DAY + 2
    make_partitions_of([day])
    columns = [field.column for field in Observation._meta.concrete_fields]
    taken = ", ".join(f"o.{column}" for column in columns if column != "slot_at")
    others = ", ".join(column for column in columns if column != "slot_at")
    first_of_each = (
        "SELECT DISTINCT ON (probe_id) * FROM probes_observation ORDER BY probe_id, slot_at"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMPORARY TABLE sample AS SELECT o.*, p.shift FROM ({first_of_each}) o"  # noqa: S608
            f" JOIN (SELECT id, (hashtext(id::text)::bigint + 2147483648) % {interval * SECOND}"
            " AS shift FROM probes_probe) p ON p.id = o.probe_id"
        )
        for turn in range(rounds):
            at = day * DAY + turn * interval * SECOND
            cursor.execute(
                f"INSERT INTO probes_observation (slot_at, {others})"  # noqa: S608
                f" SELECT {at} + o.shift, {taken} FROM sample o ORDER BY o.shift"
            )
    today = _sizes(day)
    # What all days but the current one are like.
    rebuild_keys(now=timezone.datetime.fromtimestamp((day + 2) * 86_400, tz=timezone.UTC))
    over = _sizes(day)
    yield (
        "bytes",
        sum(over.values()),
        {
            "of_them_the_row": over["row"],
            "of_them_keys": over["keys"],
            "keys_of_the_current_day": today["keys"],
            "observations": rounds * probes,
            "hours": round(rounds * interval / 3600, 1),
        },
    )


def _sizes(day: int) -> dict[str, float]:
    """Bytes an observation of a day, numbered from 1970 on: its row, and its keys."""
    stamp = f"%{timezone.datetime.fromtimestamp(day * 86_400, tz=timezone.UTC):%Y%m%d}"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(c.oid)), sum(pg_relation_size(c.oid)),"
            " (SELECT count(*) FROM probes_observation WHERE slot_at >= %s)"
            " FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid"
            " WHERE i.inhparent = 'probes_observation'::regclass AND c.relname LIKE %s",
            [day * DAY, stamp],
        )
        whole, rows, count = cursor.fetchone()
    row, keys = float(rows) / count, float(whole - rows) / count
    return {"row": round(row, 1), "keys": round(keys, 1)}


RUNS: dict[str, Run] = {
    "full-http": full_http,
    "full-https": full_https,
    "full-sqlite": full_sqlite,
    "three-hundred": three_hundred,
    "three-hundred-https": three_hundred_https,
    "ten-thousand": ten_thousand,
    "hanging": hanging,
    "size": size,
    "restart": restart,
    "confirmed": confirmed,
    "stored": stored,
    "embedded": embedded,
    "blackbox": blackbox,
    "comparison": comparison,
}
