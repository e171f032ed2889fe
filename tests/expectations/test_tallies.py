"""Counters by the minute: what a window adds up to, and how little of it is kept."""

import base64
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsboard.expectations.counted import UNTOLD, Counted
from opsboard.expectations.grammar import parse
from opsboard.expectations.tally import Keep, Tally, keep_for

MINUTE = 60_000_000
NOON = 29_900_000

ERRORS = keep_for(parse("errors < 10 % over 30 m"))
EVERYTHING = keep_for(
    parse("errors < 1 % over 5 m\np95 time < 400 ms over 30 m\np95 db.calls <= 9 over 30 m")
)


def one_more(tally: Tally, minute: int, keep: Keep = ERRORS, **changes: Any) -> Tally:
    usual = {"wrong": False, "total_us": 100_000, "cache": "hit", "db_calls": 3, "told": False}
    return tally.with_observation(minute, keep=keep, **(usual | changes))


def counted(*minutes: int, keep: Keep = ERRORS, **changes: Any) -> Tally:
    tally = Tally.empty()
    for minute in minutes:
        tally = one_more(tally, minute, keep, **changes)
    return tally


def test_nothing_counted_adds_up_to_nothing() -> None:
    assert Tally.empty().over(30 * MINUTE, NOON) == Counted()


def test_a_window_is_the_current_minute_and_the_full_ones_before_it() -> None:
    tally = counted(NOON - 6, NOON - 5, NOON - 4, NOON)
    assert tally.over(5 * MINUTE, NOON).observations == 3


def test_a_window_is_rounded_up_to_whole_minutes() -> None:
    tally = counted(NOON - 2, NOON - 1, NOON)
    assert tally.over(MINUTE, NOON).observations == 2
    assert tally.over(MINUTE + 1, NOON).observations == 3


def test_a_window_moves_on_while_nothing_is_observed() -> None:
    tally = counted(NOON, NOON + 1)
    assert tally.over(5 * MINUTE, NOON + 6).observations == 1
    assert tally.over(5 * MINUTE, NOON + 7).observations == 0
    assert tally.over(5 * MINUTE, NOON - 1).observations == 0


def test_every_result_is_counted() -> None:
    tally = counted(NOON)
    tally = one_more(tally, NOON, wrong=True, cache="unknown")
    tally = one_more(tally, NOON, wrong=True, cache="miss", told=True)
    tally = one_more(tally, NOON, cache="stale", told=True)
    assert tally.over(MINUTE, NOON) == Counted(
        observations=4, wrong=2, told=2, wrong_told=1, hits=2, cache_known=3
    )


def test_counting_leaves_the_tally_before_as_it_was() -> None:
    before = counted(NOON)
    one_more(before, NOON, wrong=True)
    before.tell_last(1)
    assert before.over(MINUTE, NOON).wrong == 0


def test_minutes_that_no_clause_looks_at_are_dropped() -> None:
    tally = counted(*range(NOON - 90, NOON + 1), keep=EVERYTHING)
    assert tally.first == NOON - 30
    assert min(minute for minute, _, _ in tally.times + tally.calls) == NOON - 30


def test_after_a_long_gap_it_begins_again() -> None:
    tally = counted(NOON - 5_000, NOON, keep=EVERYTHING)
    assert (tally.first, len(tally.times)) == (NOON, 1)


def test_a_clock_set_back_begins_again_and_does_not_wait_for_the_old_time() -> None:
    tally = counted(NOON + 5_000, NOON, keep=EVERYTHING)
    assert tally.over(30 * MINUTE, NOON).observations == 1
    assert len(tally.times) == 1


def test_an_observation_that_comes_late_is_counted_in_its_minute() -> None:
    tally = counted(NOON, NOON - 3)
    assert tally.over(2 * MINUTE, NOON).observations == 1
    assert tally.over(3 * MINUTE, NOON).observations == 2


def test_without_windows_nothing_is_kept() -> None:
    assert keep_for(parse("status == 200")) == Keep()
    assert counted(NOON, keep=Keep()) == Tally.empty()


def test_times_and_calls_are_kept_only_for_the_clauses_that_need_them() -> None:
    tally = counted(NOON)
    assert (tally.times, tally.calls) == ((), ())


def test_times_are_dropped_once_no_clause_needs_them() -> None:
    tally = one_more(counted(NOON, keep=EVERYTHING), NOON, ERRORS)
    assert (tally.times, tally.calls) == ((), ())


def test_an_unanswered_observation_has_neither_time_nor_calls() -> None:
    tally = counted(NOON, keep=EVERYTHING, wrong=True, total_us=None, db_calls=None)
    assert (tally.times, tally.calls) == ((), ())


def test_an_answer_that_tells_no_calls_is_counted_as_such() -> None:
    tally = counted(NOON, keep=EVERYTHING, db_calls=None)
    assert tally.over(MINUTE, NOON).calls == {UNTOLD: 1}


def test_equal_times_of_a_minute_are_counted_together() -> None:
    assert len(counted(*[NOON] * 50, keep=EVERYTHING).times) == 1


@pytest.mark.parametrize(
    ("clause", "us", "passes"),
    [
        ("p95 time < 400 ms over 1 h", 399_999, True),
        ("p95 time < 400 ms over 1 h", 400_000, False),
        ("p95 time <= 400 ms over 1 h", 400_000, True),
        ("p95 time <= 400 ms over 1 h", 400_001, False),
    ],
)
def test_rounding_up_never_carries_a_time_over_its_limit(
    clause: str, us: int, passes: bool
) -> None:
    tally = counted(NOON, keep=keep_for(parse(clause)), total_us=us)
    (key,) = tally.over(MINUTE, NOON).times
    assert key >= us
    assert (key < 400_000 + ("<=" in clause)) is passes


def test_the_limits_of_all_clauses_are_respected() -> None:
    keep = keep_for(parse("p50 time < 100 ms over 1 h\nwarn p95 time <= 400 ms over 2 h"))
    assert (keep.span, keep.passing) == (120, (99_999, 400_000))


def test_the_newest_wrong_ones_are_marked_as_told() -> None:
    tally = counted(NOON, NOON + 1, NOON + 2, NOON + 2, wrong=True)
    told = tally.tell_last(3).over(30 * MINUTE, NOON + 2)
    assert (told.told, told.wrong_told) == (3, 3)
    older = tally.tell_last(3).over(30 * MINUTE, NOON)
    assert older.wrong_told == 0


def test_what_was_told_is_not_told_twice() -> None:
    tally = counted(NOON, NOON, wrong=True).tell_last(1).tell_last(1)
    assert tally.over(MINUTE, NOON).wrong_told == 2
    assert tally.tell_last(9).over(MINUTE, NOON).wrong_told == 2


def test_without_the_told_ones_an_outage_leaves_no_errors_behind() -> None:
    tally = counted(*[NOON] * 20)
    tally = one_more(one_more(tally, NOON, wrong=True), NOON, wrong=True, told=True)
    rest = tally.over(MINUTE, NOON).without_told()
    assert (rest.observations, rest.wrong) == (21, 1)


def test_a_minute_holds_more_than_anyone_can_probe_and_never_runs_over() -> None:
    tally = counted(NOON)
    full = Tally(NOON, tally.cells[:0] + type(tally.cells)("H", [65_535] * 6))
    assert one_more(full, NOON, wrong=True, told=True).over(MINUTE, NOON).observations == 65_535


OBSERVATIONS = st.fixed_dictionaries(
    {
        "minute": st.integers(NOON, NOON + 50),
        "wrong": st.booleans(),
        "told": st.booleans(),
        "cache": st.sampled_from(["hit", "miss", "unknown"]),
        "total_us": st.none() | st.integers(0, 10**7),
        "db_calls": st.none() | st.integers(0, 2_000_000),
    }
)


@settings(max_examples=100, deadline=None)
@given(st.lists(OBSERVATIONS, max_size=60), st.sampled_from([ERRORS, EVERYTHING]))
def test_what_is_dumped_is_loaded_again(observations: list[dict[str, Any]], keep: Keep) -> None:
    tally = Tally.empty()
    for observation in observations:
        tally = one_more(tally, keep=keep, **observation)
    assert Tally.load(tally.dump()) == tally


def test_a_week_is_loaded_again() -> None:
    week = keep_for(parse("errors < 1 % over 7 d"))
    tally = counted(*range(NOON, NOON + 10_080), keep=week)
    assert Tally.load(tally.dump()) == tally
    assert len(tally.dump()) < 2_000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "1;2",
        "1;NOON;AQAAAAAAAAAAAAAA",
        "1;5;not base64",
        "1;5;AQAA",
        "3;5;AQAAAAAAAAAAAAAA",
        "2;5;AQAAAAAAAAAAAAAA",
        "1;5;AQAAAAAAAAAAAAAA;[",
        "1;5;AQAAAAAAAAAAAAAA;[[0,1],[]]",
        "1;5;AQAAAAAAAAAAAAAA;[[0,1,1.5],[]]",
        "1;5;AQAAAAAAAAAAAAAA;[[1,1,1],[]]",
        "1;5;AQAAAAAAAAAAAAAA;[[0,-2,1],[]]",
        "1;5;AQAAAAAAAAAAAAAA;[[0,1,0],[]]",
        "1;5;AQAAAAAAAAAAAAAA;[[0,true,1],[]]",
        "1;5;AQAAAAAAAAAAAAAA;[[],[],[]]",
        "1;5;" + "AQAAAAAAAAAAAAAA" * 2 + ";[[1,5,1,0,5,1],[]]",
        "1;5;AQAAAAAAAAAAAAAA;" + "[" * 100_000,
        "1;5;" + "A" * 8_000_000,
        "2;5;" + base64.b64encode(zlib.compress(bytes(12_000_000))).decode(),
    ],
    ids=lambda text: text[:50],
)
def test_garbage_is_loaded_as_an_empty_tally(text: str) -> None:
    assert Tally.load(text) == Tally.empty()


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_loaded_as_a_tally(text: str) -> None:
    assert Tally.load(f"1;{NOON};{text}").over(MINUTE, NOON).observations >= 0
