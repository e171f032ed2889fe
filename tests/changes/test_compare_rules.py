"""Each rule of a verdict: what it says, and what it holds back."""

from dataclasses import replace

import numpy as np
import pytest

from opsboard.changes.rules.comparing import Settings, compare
from opsboard.changes.rules.mix import has_shifted
from opsboard.changes.rules.samples import CACHE_WORDS
from tests.changes.made import (
    FIXED,
    HIT,
    LUCKY,
    SAME,
    UNKNOWN,
    failing,
    flat,
    joined,
    judged,
    made,
    said,
    with_cache,
    without_calls,
)


def test_a_real_fix_is_improved() -> None:
    assert said(judged(*FIXED)) == ("improved", "")


def test_a_real_loss_is_regressed() -> None:
    assert said(judged(*reversed(FIXED))) == ("regressed", "")


def test_nothing_moved_in_many_samples_is_no_change() -> None:
    assert said(judged(*SAME)) == ("no_change", "")


def test_a_wider_margin_of_no_change_needs_fewer_samples() -> None:
    sides = made(300, seed=3), made(300, seed=4)
    assert said(judged(*sides)) == ("inconclusive", "")
    assert said(judged(*sides, equivalence=0.25)) == ("no_change", "")


def test_a_fix_smaller_than_the_margin_is_not_improved() -> None:
    sides = made(3000, seed=1), made(3000, seed=2, ratio=0.93)
    assert judged(*sides)["adjusted"][2] < 0
    assert judged(*sides)["verdict"] != "improved"
    assert judged(*sides, margin=0.03)["verdict"] == "improved"


# One variable ------------------------------------------------------------------------------------


def test_two_variables_are_confounded_and_one_told_twice_is_one() -> None:
    assert said(judged(*FIXED, "query", "cache")) == ("confounded", "changed_variables=2")
    assert said(judged(*FIXED, "query", "query")) == ("improved", "")


def test_no_variable_at_all_is_no_good_verdict() -> None:
    assert said(compare(*FIXED, Settings(()))) == ("confounded", "changed_variables=0")


# Counts ------------------------------------------------------------------------------------------


def test_59_samples_of_a_side_are_too_few_and_60_are_not() -> None:
    few, enough = made(59, seed=1), made(60, seed=1)
    fast = made(400, seed=2, ratio=0.3)
    assert said(judged(few, fast)) == ("inconclusive", "too_few_samples")
    assert "adjusted" not in judged(few, fast)
    assert said(judged(enough, fast)) == ("improved", "")


def test_no_samples_at_all_are_too_few() -> None:
    nothing = made(0)
    found = judged(nothing, nothing)
    assert said(found) == ("inconclusive", "too_few_samples")
    assert "error_rate" not in found


def test_wrong_answers_do_not_fill_the_minimum() -> None:
    sides = failing(made(100, seed=1), 45), failing(made(100, seed=2, ratio=0.3), 45)
    assert said(judged(*sides)) == ("inconclusive", "too_few_samples")


def test_too_few_are_not_even_enough_to_tell_of_errors() -> None:
    found = judged(made(59, seed=1), failing(made(59, seed=2), 59))
    assert said(found) == ("inconclusive", "too_few_samples")
    assert found["error_rate"]["diff"] == 1


# Errors ------------------------------------------------------------------------------------------


def test_more_errors_are_regressed_however_fast_the_rest_is() -> None:
    before, after = FIXED
    assert said(judged(before, failing(after, 30))) == ("regressed", "error_rate")


def test_a_burst_of_errors_takes_the_good_verdict_and_makes_no_bad_one() -> None:
    before, after = FIXED
    found = judged(before, failing(after, 14, spread=False))
    assert said(found) == ("inconclusive", "error_rate_rose")


def test_failures_ranked_slowest_are_shown_beside() -> None:
    before, after = FIXED
    assert "with_failures" not in judged(before, after)
    found = judged(before, failing(after, 30))
    assert found["with_failures"][0] > found["adjusted"][0]


def test_everything_failed_is_regressed_and_not_an_error_of_ours() -> None:
    found = judged(made(100, seed=1), failing(made(100, seed=2), 100))
    assert said(found) == ("regressed", "error_rate")
    assert "times" not in found


# Mix ---------------------------------------------------------------------------------------------


def test_a_lucky_hit_is_confounded() -> None:
    found = judged(*LUCKY)
    assert said(found) == ("confounded", "cache_mix_shifted")
    assert found["pooled_call"] == "improved"
    assert found["level"] == 99
    assert found["settle"] == {"samples": None, "stratum": "miss", "by": "misses"}


def test_a_mix_that_moved_by_less_than_five_points_has_not_shifted() -> None:
    found = judged(made(8000, seed=1, hits=0.50), made(8000, seed=2, hits=0.53))
    assert found["mix"]["hit"][1] > 0
    assert not found["mix_shifted"]
    assert said(found) == ("no_change", "")


def test_a_mix_has_shifted_when_one_share_did_beyond_chance() -> None:
    assert has_shifted({"hit": [-0.1, -0.19, -0.01], "miss": [0.05, -0.04, 0.14]})
    assert has_shifted({"hit": [0.1, 0.01, 0.19], "miss": [-0.05, -0.14, 0.04]})
    assert not has_shifted({"hit": [0.1, -0.01, 0.21], "miss": [-0.1, -0.21, 0.01]})


def test_luckier_and_faster_in_every_stratum_is_improved() -> None:
    found = judged(LUCKY[0], made(300, seed=2, hits=0.7, ratio=0.6))
    assert found["mix_shifted"]
    assert said(found) == ("improved", "")


def test_where_the_cache_was_changed_its_hits_are_the_improvement() -> None:
    assert said(judged(*LUCKY, "cache")) == ("improved", "")
    only_hits = made(300, seed=2, hits=1.0)
    assert said(judged(LUCKY[0], only_hits, "cache")) == ("improved", "")


def test_a_changed_cache_does_not_excuse_slower_misses() -> None:
    slower = made(300, seed=2, hits=0.7, miss_ratio=1.8)
    assert said(judged(LUCKY[0], slower, "cache")) == ("regressed", "stratum=miss")


def test_strata_that_do_not_overlap_are_confounded_when_the_mix_shifted() -> None:
    found = judged(LUCKY[0], made(300, seed=2, hits=1.0))
    assert said(found) == ("confounded", "strata_do_not_overlap")
    assert found["coverage"] < 0.8


def test_strata_too_small_on_both_sides_are_inconclusive() -> None:
    thin = joined(flat(70, 900), flat(18, 500, HIT))
    found = judged(thin, thin)
    assert said(found) == ("inconclusive", "strata_do_not_overlap")
    assert found["settle"] == {"samples": 100, "stratum": "hit", "by": "more"}


def test_a_stale_hit_is_compared_as_a_hit() -> None:
    before, after = FIXED
    stale = replace(
        after, cache=np.where(after.cache == HIT, CACHE_WORDS.index("stale"), after.cache)
    )
    assert judged(before, stale) == judged(before, after)


def test_one_slower_stratum_is_regressed_though_the_whole_is_not() -> None:
    after = made(400, seed=2, ratio=0.6, miss_ratio=2.4)
    found = judged(made(400, seed=1), after)
    assert said(found) == ("regressed", "stratum=miss")


def test_a_slower_stratum_of_little_traffic_makes_no_verdict_alone() -> None:
    before = made(900, seed=1, hits=0.93)
    found = judged(before, made(900, seed=2, hits=0.93, ratio=0.6, miss_ratio=3.0))
    assert found["strata"]["miss"][1] > 0
    assert said(found) == ("improved", "")


# What the cache does not say ---------------------------------------------------------------------


def test_an_unknown_cache_takes_the_good_verdict() -> None:
    hidden = [without_calls(with_cache(side, UNKNOWN)) for side in FIXED]
    assert said(judged(*hidden)) == ("inconclusive", "cache_unobserved")
    assert said(judged(*reversed(hidden)))[0] == "regressed"


def test_database_calls_stand_in_for_the_cache_and_it_is_said() -> None:
    hidden = [with_cache(side, UNKNOWN) for side in LUCKY]
    found = judged(*hidden)
    assert said(found) == ("confounded", "cache_mix_shifted")
    assert found["is_inferred"]
    assert "inferred" in found["notes"][0]
    assert found["cache_unknown"] == 0


def test_one_call_is_a_miss_where_none_makes_more() -> None:
    hidden = [
        with_cache(replace(side, db_calls=np.minimum(side.db_calls, 1)), UNKNOWN) for side in LUCKY
    ]
    assert said(judged(*hidden)) == ("confounded", "cache_mix_shifted")


def test_a_few_unknown_ones_are_a_stratum_of_their_own() -> None:
    before, after = (
        replace(side, cache=np.where(np.arange(300) % 6 == 0, UNKNOWN, side.cache).astype(np.int8))
        for side in FIXED
    )
    found = judged(before, after)
    assert list(found["strata"]) == ["hit", "miss", "unknown"]
    assert said(found) == ("improved", "")


def test_judged_calls_do_not_say_at_the_same_time_what_is_like_what() -> None:
    hidden = [with_cache(side, UNKNOWN) for side in LUCKY]
    assert said(judged(*hidden, metric="db calls"))[0] == "inconclusive"


# Control -----------------------------------------------------------------------------------------


def test_drift_that_the_control_path_saw_is_taken_out() -> None:
    slower = made(400, seed=1), made(400, seed=2, ratio=1.4)
    drift = made(400, seed=3), made(400, seed=4, ratio=1.4)
    assert said(judged(*slower)) == ("regressed", "")
    found = judged(*slower, control=drift)
    assert found["verdict"] == "inconclusive"
    assert found["adjusted"][0] == pytest.approx(0, abs=0.12)
    assert found["control"][0] == pytest.approx(np.log(1.4), abs=0.08)


def test_a_fix_that_drift_hides_is_seen_beside_the_control_path() -> None:
    drift = made(400, seed=3), made(400, seed=4, ratio=1.5)
    found = judged(made(400, seed=1), made(400, seed=2, ratio=1.5 * 0.65), control=drift)
    assert said(found) == ("improved", "")
    assert found["adjusted"][0] == pytest.approx(np.log(0.65), abs=0.12)


def test_a_control_path_makes_the_interval_wider() -> None:
    alone = judged(*FIXED)["adjusted"]
    beside = judged(*FIXED, control=(made(300, seed=7), made(300, seed=8)))["adjusted"]
    assert beside[2] - beside[1] > alone[2] - alone[1]


def test_a_control_path_asked_too_seldom_takes_the_verdict() -> None:
    found = judged(*FIXED, control=(made(30, seed=7), made(300, seed=8)))
    assert said(found) == ("inconclusive", "control_too_few")
    assert found["settle"]["by"] == "control"
