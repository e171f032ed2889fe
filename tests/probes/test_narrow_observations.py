"""Observations in few bytes: what goes in comes out, also of a database from before."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from opsboard.probes.history import make_partitions_of, rebuild_keys
from opsboard.probes.models import Kind, Observation, moment
from opsboard.probes.narrow import join_told
from opsboard.probes.rules import Verdict

DAY = 86_400_000_000
# The fourth to the sixth of October 2024.
DAYS = (20_000, 20_001, 20_002)
BEFORE = ("probes", "0008_heartbeats")
AFTER = ("probes", "0009_narrow_observations")
FACTS = {
    "total": 1_000, "dns": 10, "connect": 20, "tls": 30, "first_byte": 40, "transfer": 900,
    "lateness": 5, "size": 2**24, "db_time": 700, "db_calls": 3, "status": 200, "kind": 0,
    "verdict": 0, "cache": 0, "is_wrong": False, "is_delayed": False, "failure": "", "reason": "",
    "steps": None,
}  # fmt: skip
ROWS = [
    FACTS,
    FACTS | {"db_time": None, "db_calls": None, "status": None, "size": 0},
    FACTS | {"db_time": 0, "db_calls": 0, "status": 999, "kind": 3, "verdict": 3, "cache": 4},
    FACTS | {"kind": 2, "verdict": 2, "is_wrong": True, "failure": "timeout", "reason": "no\tén"},
    FACTS | {"verdict": 1, "is_delayed": True, "reason": "took 2 s", "total": 2**31 - 1},
    FACTS | {"steps": '[["Book it","p",201,1,null,""]]'},
    FACTS | {"verdict": 2, "failure": "reset", "reason": "cut off", "steps": "[]"},
    # A job that reports in: nothing but a time.
    FACTS | {"dns": 0, "connect": 0, "tls": 0, "first_byte": 0, "transfer": 0},
]  # fmt: skip
NAMES = [*FACTS]
NUMBERS = ("total", "dns", "connect", "tls", "first_byte", "transfer", "lateness", "size")


def told(model: type) -> list[dict[str, object]]:
    rows = model._default_manager.order_by("slot_at")
    return [{name: getattr(one, name) for name in NAMES} for one in rows]


@pytest.mark.django_db
def test_every_fact_comes_out_as_it_went_in() -> None:
    for number, facts in enumerate(ROWS):
        given = {name: value for name, value in facts.items() if name not in ("reason", "steps")}
        texts = join_told(facts["reason"], facts["steps"])
        Observation.objects.create(probe_id=7, slot_at=number, told=texts, **given)
    stored = Observation.objects.order_by("slot_at")
    for one, facts in zip(stored, ROWS, strict=True):
        assert {name: getattr(one, name) for name in NAMES} == facts


@pytest.fixture
def before(days: None) -> Iterator[type]:
    executor = MigrationExecutor(connection)
    executor.migrate([BEFORE])
    yield executor.loader.project_state([BEFORE]).apps.get_model("probes", "Observation")
    MigrationExecutor(connection).migrate(MigrationExecutor(connection).loader.graph.leaf_nodes())


@pytest.fixture
def days(transactional_db: None) -> Iterator[None]:
    """Three days that have partitions."""
    make_partitions_of(DAYS)
    yield
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for day in DAYS:
                cursor.execute(f"DROP TABLE probes_observation_{moment(day * DAY):%Y%m%d}")


def test_rows_from_before_say_the_same_after_and_again_when_taken_back(before: type) -> None:
    today = 20_000 * DAY
    # One of a day that has no partition of its own, too.
    for number, facts in enumerate(ROWS):
        at = today + number if number else DAY
        before._default_manager.create(probe_id=7, slot_at=at, **facts)
    parts_before = parts()
    MigrationExecutor(connection).migrate([AFTER])
    assert told(Observation) == ROWS
    assert parts() == parts_before
    MigrationExecutor(connection).migrate([BEFORE])
    assert told(before) == ROWS


def parts() -> list[str]:
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits"
            " WHERE inhparent = 'probes_observation'::regclass ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite builds its keys itself")
def test_the_key_of_a_day_is_built_anew_once_when_the_day_is_over(days: None) -> None:
    now = datetime(2024, 10, 6, 0, 2, tzinfo=UTC)
    # Probes take turns, so that keys come in between others.
    Observation.objects.bulk_create(
        Observation(
            probe_id=probe, slot_at=20_000 * DAY + turn, kind=Kind.SCHEDULED,
            verdict=Verdict.PASSING, **dict.fromkeys(NUMBERS, 0),
        )
        for turn in range(100)
        for probe in range(100)
    )  # fmt: skip
    before = keys()
    rebuild_keys(now=now)
    first = keys()
    # The second day is over for two minutes only: something may still be recorded into it.
    assert {name for name in before if before[name] != first[name]} == {OLD_KEY}
    assert first[OLD_KEY][1] < 0.8 * before[OLD_KEY][1]
    rebuild_keys(now=now)
    assert keys() == first
    rebuild_keys(now=now + timedelta(minutes=2))
    assert {name for name in first if keys()[name] != first[name]} == {NEXT_KEY}


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite builds its keys itself")
def test_while_somebody_reads_for_long_the_key_is_left_to_a_later_call(days: None) -> None:
    now = datetime(2024, 10, 5, 12, tzinfo=UTC)
    before = keys()
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '50ms'")
    reader = connection.copy()
    with reader.cursor() as cursor:
        cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT count(*) FROM probes_observation")
    rebuild_keys(now=now)
    assert keys()[OLD_KEY] == before[OLD_KEY]
    reader.close()
    # What the first one left is taken away, and the key itself is built anew.
    rebuild_keys(now=now)
    assert keys()[OLD_KEY] != before[OLD_KEY]
    assert len(keys(like="%")) == len(before)
    connection.close()


OLD_KEY, NEXT_KEY = "probes_observation_20241004_pkey", "probes_observation_20241005_pkey"


def keys(like: str = "%pkey") -> dict[str, tuple[int, int]]:
    """Of each partition's key: the file it is in, and its bytes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, relfilenode, pg_relation_size(oid) FROM pg_class"
            " WHERE relkind = 'i' AND relname LIKE %s",
            [f"probes_observation{like}"],
        )
        return {name: (file, size) for name, file, size in cursor.fetchall()}
