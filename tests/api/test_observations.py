"""Observations in the API: the newest first, in a range, every stored fact."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.probes.models import Kind, Observation, microseconds
from opsboard.probes.rules import Verdict
from tests.company import NOON, a_probe

pytestmark = pytest.mark.django_db
HERE = "/api/v1/services/fares-api/paths/price-a-crossing/observations?environment=production"
FACTS = {
    "total": 20_500, "dns": 100, "connect": 200, "tls": 300, "first_byte": 15_000,
    "transfer": 400, "lateness": 1_500, "size": 12, "db_time": 2_000, "db_calls": 4,
    "status": 200, "cache": 1, "is_wrong": False, "is_delayed": False,
}  # fmt: skip


@pytest.fixture
def ten(path):
    """One every 30 s from noon; the last was asked by a person, and failed."""
    probe = a_probe(path)
    rows = [
        Observation(
            probe=probe, slot_at=microseconds(NOON + timedelta(seconds=30 * number)),
            kind=Kind.ASKED_NOW if number == 9 else Kind.SCHEDULED,
            verdict=Verdict.FAILING if number == 9 else Verdict.PASSING,
            **FACTS,
        )
        for number in range(10)
    ]  # fmt: skip
    Observation.objects.bulk_create(rows)
    return rows


def _minutes(answer):
    return [one["slot_at"][14:19] for one in answer.json()["items"]]


def test_every_stored_fact_is_told_the_newest_first(ask, ten):
    newest, before, *_ = ask.get(HERE).json()["items"]
    assert (newest["verdict"], newest["kind"]) == ("failing", "asked_now")
    assert before == {
        "slot_at": "2026-11-23T12:04:00+00:00", "kind": "scheduled", "verdict": "passing",
        "is_wrong": False, "is_delayed": False, "failure": None, "reason": "", "status": 200,
        "time_ms": 20.5, "dns_ms": 0.1, "connect_ms": 0.2, "tls_ms": 0.3, "first_byte_ms": 15.0,
        "transfer_ms": 0.4, "lateness_ms": 1.5, "size_bytes": 12, "cache": "hit", "db_calls": 4,
        "db_time_ms": 2.0,
    }  # fmt: skip


def test_pages_follow_each_other_although_new_ones_come(ask, ten):
    first = ask.get(f"{HERE}&limit=4").json()
    newer = ten[-1].slot_at + 30_000_000
    Observation.objects.create(
        probe=ten[0].probe, slot_at=newer, kind=Kind.SCHEDULED, verdict=Verdict.PASSING, **FACTS
    )
    second = ask.get(f"{HERE}&limit=4&cursor={first['next']}").json()
    assert second["items"][0]["slot_at"] == "2026-11-23T12:02:30+00:00"
    third = ask.get(f"{HERE}&limit=4&cursor={second['next']}").json()
    assert (len(third["items"]), third["next"]) == (2, None)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        pytest.param("from=2026-11-23T12:04:00Z", ["04:30", "04:00"], id="from is within"),
        pytest.param("to=2026-11-23T12:01:00Z", ["00:30", "00:00"], id="to is not within"),
        pytest.param(
            "from=2026-11-23T13:01:00%2B01:00&to=2026-11-23T12:02:00Z",
            ["01:30", "01:00"],
            id="a time of another zone",
        ),
        pytest.param("kind=asked_now", ["04:30"], id="only those that a person asked for"),
        pytest.param("location=oslo", [], id="from a place that asks nothing"),
    ],
)
def test_a_range(ask, ten, query, found):
    assert _minutes(ask.get(f"{HERE}&{query}")) == found


@pytest.mark.parametrize(
    ("query", "status"),
    [
        pytest.param("from=yesterday", 422, id="no time"),
        pytest.param("from=2026-11-23T12:00:00", 422, id="a time without a zone"),
        pytest.param("limit=100000", 422, id="more than a page holds"),
        pytest.param("kind=any", 422, id="no such kind"),
        pytest.param("cursor=abc", 400, id="a cursor of somebody's own"),
        pytest.param("verdict=failing", 400, id="a filter that there is not"),
    ],
)
def test_what_cannot_be_read_is_said(ask, ten, query, status):
    answer = ask.get(f"{HERE}&{query}")
    assert answer.status_code == status
    assert answer.json()["errors"][0]["field"] == query.partition("=")[0]


def test_an_environment_that_is_not_there(ask, ten):
    assert ask.get(HERE.replace("production", "staging")).status_code == 404


def test_the_composite_key_gives_the_order(ask, ten):
    """Without it a page would sort every observation of the path."""
    with CaptureQueriesContext(connection) as captured:
        ask.get(f"{HERE}&from=2026-11-23T12:00:00Z")
    (sql,) = [one["sql"] for one in captured if "probes_observation" in one["sql"]]
    with connection.cursor() as cursor:
        is_sqlite = connection.vendor == "sqlite"
        if not is_sqlite:
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute(f"{'EXPLAIN QUERY PLAN' if is_sqlite else 'EXPLAIN'} {sql}")
        plan = "\n".join(str(row[-1]) for row in cursor.fetchall())
    assert "B-TREE FOR ORDER BY" not in plan
    # A merge of partitions names its sort key, and sorts nothing.
    assert "Sort" not in plan.replace("Sort Key", "")
    assert "INDEX" in plan.upper()
