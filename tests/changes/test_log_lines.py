"""Samples out of the request log of an instrumented service."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.changes import log_lines
from opsboard.changes.log_lines import NothingReadError, read

ROUTE = "/v1/quotes/{id}"


def line(**fields: object) -> str:
    told = {
        "time": "2026-11-28T12:33:41.858+00:00",
        "method": "GET",
        "route": ROUTE,
        "status": 200,
        "ms": 12.6,
        "cache": "hit",
        "db_calls": 3,
        "db_ms": 4.1,
    }
    return json.dumps(told | fields)


def test_a_line_of_the_instrument_is_a_sample():
    [sample] = read([line()], route=ROUTE).samples
    assert sample.at == datetime(2026, 11, 28, 12, 33, 41, 858_000, tzinfo=UTC)
    assert (sample.latency_us, sample.cache, sample.ok, sample.db_calls) == (12_600, "hit", True, 3)
    assert not sample.is_control


def test_what_a_logger_puts_before_a_line_is_no_matter():
    assert len(read([f"INFO:requests:{line()}\n", f"web-1  | {line()}"], route=ROUTE).samples) == 2


@pytest.mark.parametrize(
    ("told", "word"),
    [
        ("hit", "hit"),
        ("fwd=miss", "miss"),
        ("fwd=uri-miss", "miss"),
        ("fwd=stale", "miss"),
        ("fwd=bypass", "bypass"),
        ("unknown", "unknown"),
        ("", "unknown"),
        ("never heard of", "unknown"),
    ],
)
def test_the_cache_is_read_as_probes_read_it(told: str, word: str):
    [sample] = read([line(cache=told)], route=ROUTE).samples
    assert sample.cache == word


def test_a_time_below_what_the_log_tells_is_taken_as_half_a_tenth():
    assert [one.latency_us for one in read([line(ms=0.0), line(ms=0)], route=ROUTE).samples] == [
        50,
        50,
    ]


def test_an_answer_is_good_below_500_or_when_its_status_is_expected():
    lines = [line(status=status) for status in (200, 404, 503)]
    assert [one.ok for one in read(lines, route=ROUTE).samples] == [True, True, False]
    assert [one.ok for one in read(lines, route=ROUTE, expected={200}).samples] == [
        True,
        False,
        False,
    ]


def test_others_are_left_out_and_counted():
    lines = [line(route="/other"), line(method="POST"), line(route=None), line(), "", "  \n"]
    found = read(lines, route=ROUTE, method="get")
    assert (len(found.samples), found.lines) == (1, 4)
    assert found.skipped == {"another request": 3}
    assert len(read(lines, route=ROUTE).samples) == 2


def test_one_in_n_is_the_first_of_every_n_that_match():
    lines = [one for ms in range(1, 8) for one in (line(ms=ms), line(route="/other"))]
    found = read(lines, route=ROUTE, every=3)
    assert [one.latency_us for one in found.samples] == [1_000, 4_000, 7_000]
    assert found.skipped == {"another request": 7, "left out by 1 in N": 4}


def test_samples_are_in_the_order_of_time():
    times = ["2026-11-28T12:00:02Z", "2026-11-28T12:00:01Z", "2026-11-28T14:00:00+02:00"]
    found = read([line(time=time) for time in times], route=ROUTE).samples
    assert [one.at.second for one in found] == [0, 1, 2]


@pytest.mark.parametrize(
    "fields",
    [
        {"time": "yesterday"},
        {"time": "2026-11-28T12:33:41"},
        {"time": "0001-01-01T00:00:00+23:59"},
        {"time": 5},
        {"method": None},
        {"route": 7},
        {"status": "200"},
        {"status": True},
        {"status": 42},
        {"ms": -0.1},
        {"ms": 10**400},
        {"db_calls": 1_000_001},
        {"ms": "12"},
        {"ms": True},
        {"ms": float("nan")},
        {"ms": float("inf")},
        {"ms": 1e300},
        {"db_calls": -1},
        {"db_calls": 1.5},
        {"cache": 1},
    ],
)
def test_a_line_of_another_shape_is_skipped_and_counted(fields: dict[str, object]):
    found = read([line(**fields), line()], route=ROUTE)
    assert len(found.samples) == 1
    assert found.skipped == {"another shape": 1}


def test_what_is_no_json_is_skipped_and_counted():
    junk = ["plain words", "{", "[1]", "{" * 5_000, "x" * 20_000, '{"a": 1} more']
    found = read([*junk, line()], route=ROUTE)
    assert found.skipped == {"not JSON": 6}


def test_database_calls_may_be_untold():
    [sample] = read([line(db_calls=None)], route=ROUTE).samples
    assert sample.db_calls is None


def test_a_log_without_the_route_says_what_it_has():
    lines = [line(route="/a"), line(route="/b"), line(route="/b")]
    with pytest.raises(NothingReadError) as refused:
        read(lines, route=ROUTE, method="get")
    assert str(refused.value) == ("No line is of GET /v1/quotes/{id}; most are of GET /b, GET /a.")


def test_an_empty_log_and_another_programs_log_say_so():
    with pytest.raises(NothingReadError, match="The log is empty"):
        read(["", "\n"], route=ROUTE)
    with pytest.raises(NothingReadError, match="None of the 2 lines is one that opsboard"):
        read(["one", "two"], route=ROUTE)


def test_more_than_a_window_holds_is_to_be_thinned(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_lines, "MOST_READ", 10)
    with pytest.raises(NothingReadError, match="More than 10 samples are in the log: take 1 in 2"):
        read([line()] * 11, route=ROUTE)
    assert len(read([line()] * 20, route=ROUTE, every=2).samples) == 10


def test_a_log_has_an_end(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_lines, "MOST_LINES", 10)
    with pytest.raises(NothingReadError, match="at most 10 lines: read it in parts"):
        read(["x"] * 11, route=ROUTE)


def test_one_in_none_is_no_question():
    with pytest.raises(NothingReadError, match="N is 1 or more"):
        read([line()], route=ROUTE, every=0)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(list(json.loads(line()))), JSON))
def test_any_line_is_a_sample_or_is_counted(fields: dict[str, object]):
    found = read([line(**fields), line()], route=ROUTE)
    assert len(found.samples) + sum(found.skipped.values()) == found.lines == 2
    assert all(one.latency_us >= 1 for one in found.samples)
