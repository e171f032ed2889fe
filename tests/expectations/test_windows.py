"""Clauses over a window: how a path that fails one time in ten is caught at all."""

import pytest

from opsboard.expectations.clauses import Clause
from opsboard.expectations.counted import UNTOLD, Counted
from opsboard.expectations.grammar import parse
from opsboard.expectations.tally import Tally, keep_for
from opsboard.expectations.windows import (
    WindowHolding,
    check_window,
    fewest_for,
    hold_over,
    implied_clause,
)

SECOND = 1_000_000
MINUTE = 60 * SECOND


def only(text: str) -> Clause:
    (clause,) = parse(text)
    return clause


def errors(
    wrong: int, of: int, text: str = "errors < 10 % over 30 m", patience: int = 2
) -> WindowHolding:
    return hold_over(only(text), Counted(observations=of, wrong=wrong), patience=patience)


@pytest.mark.parametrize(
    ("wrong", "of", "held"),
    [
        (0, 20, True),
        (1, 20, True),
        (2, 20, False),
        (2, 21, True),
        (10, 100, False),
        (9, 100, True),
        (20, 20, False),
    ],
)
def test_errors_are_held_against_their_share(wrong: int, of: int, held: bool) -> None:
    assert errors(wrong, of).held is held


def test_a_broken_window_says_what_it_got() -> None:
    found = errors(13, 110)
    assert found.got == "11.8 % (13 of 110)"
    assert found.sentence == "errors are 11.8 % (13 of 110) over 30 m, expected under 10 %"


def test_a_window_that_holds_says_what_it_got() -> None:
    assert errors(0, 58).sentence == "errors are 0 % (0 of 58) over 30 m"


def test_before_twenty_observations_nothing_is_held_or_broken() -> None:
    found = errors(7, 7)
    assert found.held is None
    assert found.got == "not enough data yet: 7 of 20"
    assert found.sentence == "errors: 7 of 7 failed so far, too many for under 10 % over 30 m"
    assert errors(1, 7).sentence == "errors: not enough data yet: 7 of 20"


@pytest.mark.parametrize(("patience", "held"), [(1, False), (2, True), (3, True)])
def test_fewer_failures_than_patience_break_no_window(patience: int, held: bool) -> None:
    found = errors(1, 20, "errors < 1 % over 30 m", patience)
    assert found.held is held


def test_what_is_over_its_limit_but_not_yet_broken_says_so() -> None:
    assert errors(1, 20, "errors < 1 % over 30 m").sentence == (
        "errors are 5 % (1 of 20) over 30 m, expected under 1 %; "
        "it breaks when 2 observations failed"
    )


@pytest.mark.parametrize(
    ("wrong", "of", "certain"),
    [(1, 5, False), (2, 5, True), (5, 5, True), (1, 19, False), (0, 0, False)],
)
def test_a_window_not_yet_full_knows_when_it_can_no_longer_hold(
    wrong: int, of: int, certain: bool
) -> None:
    found = errors(wrong, of)
    assert (found.held, found.is_certain_to_break) == (None, certain)
    too_many = f"errors: {wrong} of {of} failed so far, too many for under 10 % over 30 m"
    assert (found.sentence == too_many) is certain


def test_one_failure_is_not_certain_before_patience() -> None:
    assert not errors(1, 5, "errors < 1 % over 30 m", patience=2).is_certain_to_break
    assert errors(2, 5, "errors < 1 % over 30 m", patience=2).is_certain_to_break


def test_a_full_window_is_no_longer_only_certain() -> None:
    assert not errors(20, 20).is_certain_to_break


def p95(times: dict[int, int], text: str = "p95 time < 400 ms over 30 m") -> WindowHolding:
    return hold_over(only(text), Counted(times=times), patience=2)


@pytest.mark.parametrize(
    ("quick", "slow", "held"),
    [(60, 0, True), (57, 2, True), (57, 3, True), (56, 3, False), (95, 5, True), (94, 6, False)],
)
def test_p95_is_the_time_that_95_of_100_answers_do_not_exceed(
    quick: int, slow: int, held: bool
) -> None:
    assert p95({100_000: quick, 900_000: slow}).held is held


def test_a_percentile_counts_answers_only() -> None:
    counted = Counted(observations=100, wrong=50, times={100_000: 50})
    found = hold_over(only("p95 time < 400 ms over 30 m"), counted, patience=2)
    assert found.got == "not enough data yet: 50 of 59"


def test_a_broken_percentile_says_its_time() -> None:
    found = p95({100_000: 50, 2_841_223: 20})
    assert found.sentence == "p95 time is 2.84 s over 30 m, expected under 400 ms"


def test_a_percentile_just_below_its_limit_is_not_shown_as_the_limit() -> None:
    assert p95({399_999: 60}).got == "under 400 ms"


def test_a_percentile_is_certain_to_break_as_soon_as_three_of_59_are_slow() -> None:
    assert not p95({900_000: 2}).is_certain_to_break
    assert p95({900_000: 3}).is_certain_to_break


def calls(counts: dict[int, int], patience: int = 2) -> WindowHolding:
    clause = only("p95 db.calls <= 12 over 1 h")
    return hold_over(clause, Counted(calls=counts), patience=patience)


def test_database_calls_have_percentiles_too() -> None:
    assert calls({12: 59}).held is True
    assert calls({12: 50, 148: 20}).sentence == "p95 db.calls is 148 over 1 h, expected at most 12"


def test_calls_that_were_not_reported_fail_closed() -> None:
    found = calls({3: 98, UNTOLD: 2})
    assert found.held is False
    assert found.got == "not reported by 2 of 100"


def test_one_unreported_answer_is_less_than_patience() -> None:
    assert calls({3: 99, UNTOLD: 1}).held is True
    assert calls({3: 99, UNTOLD: 1}, patience=1).held is False


@pytest.mark.parametrize(
    ("hits", "of", "held"),
    [(16, 20, True), (15, 20, False), (80, 100, True), (79, 100, False), (0, 20, False)],
)
def test_cache_hits_are_a_share_of_all_observations(hits: int, of: int, held: bool) -> None:
    counted = Counted(observations=of, hits=hits, cache_known=hits)
    assert hold_over(only("cache.hits >= 80 % over 1 h"), counted, patience=2).held is held


def test_cache_hits_say_how_many() -> None:
    counted = Counted(observations=40, hits=10, cache_known=40)
    found = hold_over(only("cache.hits >= 80 % over 1 h"), counted, patience=2)
    assert found.sentence == "cache.hits are 25 % (10 of 40) over 1 h, expected at least 80 %"


@pytest.mark.parametrize(
    ("text", "fewest"),
    [
        ("errors < 1 % over 1 h", 20),
        ("cache.hits > 1 % over 1 h", 20),
        ("p50 time < 1 s over 1 h", 20),
        ("p75 time < 1 s over 1 h", 20),
        ("p90 time < 1 s over 1 h", 29),
        ("p95 time < 1 s over 1 h", 59),
        ("p99 time < 1 s over 1 h", 299),
    ],
)
def test_a_percentile_needs_enough_observations_to_lie_among_them(text: str, fewest: int) -> None:
    assert fewest_for(only(text)) == fewest


@pytest.mark.parametrize(
    ("text", "interval", "said"),
    [
        ("errors < 1 % over 10 m", 30 * SECOND, None),
        ("errors < 1 % over 9 m", 30 * SECOND, "takes `over 10 m` or longer"),
        ("p95 time < 1 s over 30 m", 30 * SECOND, None),
        ("p95 time < 1 s over 29 m", 30 * SECOND, "`over 30 m`"),
        ("errors < 5 % over 60 s", SECOND, None),
        ("errors < 5 % over 60 s", 3 * SECOND, None),
        ("errors < 5 % over 60 s", 4 * SECOND, "`over 2 m`"),
        ("errors < 5 % over 7 d", 12 * 60 * MINUTE, "probe more often"),
        ("status == 200", 60 * MINUTE, None),
    ],
)
def test_a_window_too_short_for_the_interval_is_refused(
    text: str, interval: int, said: str | None
) -> None:
    refused = check_window(only(text), interval)
    assert refused is None if said is None else said in (refused or "")


def test_the_refusal_names_the_clause_and_what_it_needs() -> None:
    assert check_window(only("errors < 1 % over 5 m"), 30 * SECOND) == (
        "`errors < 1 % over 5 m` needs 20 observations: one every 30 s takes `over 10 m` or longer."
    )


def test_the_window_that_a_refusal_names_is_long_enough() -> None:
    assert check_window(only("p95 time < 1 s over 30 m"), 30 * SECOND) is None


def test_a_path_that_says_nothing_of_errors_still_expects_few() -> None:
    implied = implied_clause(parse("status == 200\np95 time < 1 s over 1 h"), 30 * SECOND)
    assert implied == only("errors < 10 % over 30 m")


@pytest.mark.parametrize("text", ["errors < 50 % over 1 h", "warn errors < 1 % over 1 h"])
def test_what_a_path_says_of_errors_is_all_that_holds(text: str) -> None:
    assert implied_clause(parse(text), 30 * SECOND) is None


def test_nothing_is_implied_where_the_window_could_not_fill() -> None:
    assert implied_clause((), 90 * SECOND) is not None
    assert implied_clause((), 91 * SECOND) is None


def test_one_failure_in_five_breaks_a_minute_within_ninety_seconds() -> None:
    clause = only("errors < 5 % over 60 s")
    keep, tally = keep_for([clause]), Tally.empty()
    held = []
    for second in range(300):
        tally = tally.with_observation(
            second // 60,
            wrong=second % 5 == 0,
            total_us=1,
            cache="unknown",
            db_calls=None,
            told=False,
            keep=keep,
        )
        counted = tally.over(60 * SECOND, second // 60)
        held.append(hold_over(clause, counted, patience=2).held)
    assert held.index(False) < 90
    assert set(held[held.index(False) :]) == {False}


def test_the_implied_window_does_not_break_on_an_outage_already_told() -> None:
    clause = only("errors < 10 % over 30 m")
    keep, tally = keep_for([clause]), Tally.empty()
    for minute in range(40):
        is_down = 10 <= minute < 16
        tally = tally.with_observation(
            minute,
            wrong=is_down,
            total_us=None,
            cache="unknown",
            db_calls=None,
            told=is_down and minute >= 12,
            keep=keep,
        )
        if minute == 11:
            tally = tally.tell_last(2)
    counted = tally.over(30 * MINUTE, 39)
    assert hold_over(clause, counted, patience=2).held is False
    assert hold_over(clause, counted.without_told(), patience=2).held is True
