"""Filling windows over the API: bursts, and samples that are sent."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsboard.changes.models import Burst, Sample
from opsboard.people.models import AuditEntry
from tests.api.changes import declare, done, watched
from tests.api.ci import ago, get, places, post

pytestmark = pytest.mark.django_db
HEADER = "side,i,latency_us,cache,ok,db_calls,at\n"


def sample(**more):
    return {"at": ago(minutes=1), "latency_us": 48_211, "cache": "miss", "db_calls": 12} | more


def line(side="before", i=0, latency=48_211, at=None):
    return f"{side},{i},{latency},miss,1,12,{ago(minutes=1) if at is None else at}\n"


@pytest.fixture
def address(ask, path):
    """Of a change whose samples are sent; its baseline collects."""
    address = declare(ask, sampling="sent")
    done(ask, address, "baseline")
    return address


def test_samples_fill_the_window(ask, address):
    given = [sample(), sample(ok=False, cache="hit", db_calls=None)]
    status, answer = post(ask, f"{address}/samples", {"side": "before", "samples": given})
    assert (status, answer) == (201, {"taken": 2, "count": 2, "of": 60})
    kept = Sample.objects.order_by("pk").values_list("latency", "cache", "is_ok", "db_calls")
    assert list(kept) == [(48_211, 2, True, 12), (48_211, 1, False, None)]
    progress = get(ask, address)[1]["progress"]
    assert (progress["side"], progress["count"], progress["of"]) == ("before", 2, 60)


def test_the_same_samples_with_a_key_are_taken_once(ask, address):
    key = {"Idempotency-Key": "part-1"}
    for _ in range(2):
        post(ask, f"{address}/samples", {"samples": [sample()]}, **key)
    assert Sample.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        ({"latency_us": 0}, "latency_us"),
        ({"latency_us": -1}, "latency_us"),
        ({"latency_us": 2**31}, "latency_us"),
        ({"latency_us": 1.5}, "latency_us"),
        ({"latency_us": "48211"}, "latency_us"),
        ({"latency_us": True}, "latency_us"),
        ({"cache": "warm"}, "cache"),
        ({"cache": "hit\n"}, "cache"),
        ({"ok": 1}, "ok"),
        ({"db_calls": -1}, "db_calls"),
        ({"at": "2026-11-28 12:00"}, "at"),
        ({"at": None}, "at"),
        ({"side": "before"}, "side"),
    ],
)
def test_one_wrong_sample_leaves_all_of_them_out(ask, address, wrong, place):
    given = {"samples": [sample(), sample(**wrong)]}
    status, answer = post(ask, f"{address}/samples", given)
    assert (status, places(answer)) == (422, [f"/samples/1/{place}"])
    assert not Sample.objects.exists()


def test_a_body_says_one_thing(ask, address):
    both = {"samples": [sample()], "csv": HEADER + line()}
    for wrong, place in [
        ({}, ""),
        (both, ""),
        ({"samples": []}, "/samples"),
        ({"log": "{}"}, "/route"),
        ({"log": "{}", "route": "/price"}, "/log"),
        ({"side": "beside", "samples": [sample()]}, "/side"),
        ({"csv": ""}, "/csv"),
    ]:
        status, answer = post(ask, f"{address}/samples", wrong)
        assert (status, places(answer)) == (422, [place]), wrong
    assert not Sample.objects.exists()


def test_a_body_that_is_too_large_is_not_read(ask, address):
    rows = HEADER + line() * 5_000
    assert post(ask, f"{address}/samples", {"csv": rows})[0] == 413


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("before,1,soon,miss,1,12,\n", "Row 102: latency_us"),
        ("before,1,1,warm,1,12,\n", "Row 102: cache"),
        ("before,1,1,hit,1,12,\n", "Row 102: at"),
        ("before,1,1,hit,1,12,2026-11-28T12:00:00\n", "Row 102: at"),
        ("before,1,1,hit,1,12,0001-01-01T00:00:00+14:00\n", "Row 102: at"),
        ("before,0,1\n", "Row 102 has 3 fields"),
        ("beside,0,1,hit,1,12,\n", "Row 102: side"),
        ('before,"0,1,hit,1,12,\n', "Row 102"),
    ],
)
def test_a_mistake_in_csv_is_named_by_its_row_in_the_whole_file(ask, address, rows, said):
    given = {"csv": HEADER + line() + rows, "first_row": 101}
    status, answer = post(ask, f"{address}/samples", given)
    assert (status, places(answer)) == (422, ["/csv"])
    assert answer["errors"][0]["message"].startswith(said)
    assert not Sample.objects.exists()


def test_rows_of_the_other_side_are_left_out(ask, address):
    rows = HEADER + line() + line("after") + line("after", 1)
    assert post(ask, f"{address}/samples", {"csv": rows})[1]["taken"] == 1
    only = {"csv": HEADER + line("after")}
    status, answer = post(ask, f"{address}/samples", only)
    assert (status, answer["errors"][0]["code"]) == (422, "no_samples")
    status, answer = post(ask, f"{address}/samples", only | {"side": "after"})
    assert (status, answer["errors"][0]["code"]) == (409, "refused")
    assert Sample.objects.count() == 1


def test_a_sample_of_tomorrow_is_refused(ask, address):
    late = (timezone.now() + timedelta(days=1)).isoformat()
    status, answer = post(ask, f"{address}/samples", {"samples": [sample(at=late)]})
    assert (status, answer["errors"][0]["code"]) == (409, "refused")


def test_nothing_is_sent_to_a_change_that_probes_measure(ask, path):
    address = declare(ask)
    assert post(ask, f"{address}/samples", {"samples": [sample()]})[0] == 409
    watched(path)
    done(ask, address, "baseline")
    assert post(ask, f"{address}/samples", {"samples": [sample()]})[0] == 409
    assert post(ask, f"{address}/burst", {})[0] == 409
    assert not Sample.objects.exists()


def test_a_burst_is_started_once_and_seen(ask, path):
    watched(path)
    address = declare(ask, sampling="burst")
    done(ask, address, "baseline")
    status, said = post(ask, f"{address}/burst", {"count": 40})
    assert status == 201
    burst = said["progress"]["burst"]
    assert (burst["wanted"], burst["asked"], burst["finished_at"]) == (40, 0, None)
    assert post(ask, f"{address}/burst", {})[0] == 409
    assert places(post(ask, f"{address}/burst", {"count": 0})[1]) == ["/count"]
    assert Burst.objects.count() == 1
    assert AuditEntry.objects.filter(act="started a burst for", via="api").count() == 1


def test_a_token_that_reads_fills_nothing(ask, ask_with, make_token, address):
    reading = ask_with(make_token(["read"])[1])
    assert post(reading, f"{address}/samples", {"samples": [sample()]})[0] == 403
    assert post(reading, f"{address}/burst", {})[0] == 403


def test_a_burst_is_stopped(ask, path):
    watched(path)
    address = declare(ask, sampling="burst")
    done(ask, address, "baseline")
    assert post(ask, f"{address}/burst/stop", {})[0] == 409
    done(ask, address, "burst")
    said = done(ask, address, "burst/stop")
    assert said["progress"]["burst"]["stopped_at"]
    assert post(ask, f"{address}/burst/stop", {})[0] == 409
