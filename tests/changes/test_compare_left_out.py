"""Wrong answers, and answers without their calls, leave the rest as it is."""

from dataclasses import replace

import numpy as np
import pytest

from tests.changes.made import (
    FIXED,
    HIT,
    LUCKY,
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


def test_wrong_answers_make_no_cache_result_small_or_known() -> None:
    before = made(400, seed=1, hits=0.88)
    after = made(400, seed=2, hits=0.88, ratio=0.8, miss_ratio=3.0)
    assert said(judged(before, after)) == ("regressed", "stratum=miss")
    hits = failing(flat(200, cache=HIT, calls=0), 200)
    assert said(judged(joined(before, hits), joined(after, hits))) == ("regressed", "stratum=miss")


def test_wrong_answers_do_not_make_an_unknown_cache_known() -> None:
    hidden = [without_calls(with_cache(side, UNKNOWN)) for side in FIXED]
    # Four times as many failed, and told of a miss; one with calls.
    failed = [failing(flat(1200, calls=2), 1200)] * 2
    found = judged(*(joined(*pair) for pair in zip(hidden, failed, strict=True)))
    assert found["cache_unknown"] == 1
    assert said(found) == ("inconclusive", "cache_unobserved")


def test_the_calls_of_wrong_answers_tell_no_hit_from_a_miss() -> None:
    one_each = [
        with_cache(replace(side, db_calls=np.minimum(side.db_calls, 1)), UNKNOWN) for side in LUCKY
    ]
    failed = failing(flat(1, cache=UNKNOWN, calls=9), 1)
    found = judged(*(joined(side, failed) for side in one_each))
    assert said(found) == ("confounded", "cache_mix_shifted")


def test_a_cache_result_whose_calls_nobody_reports_is_not_compared_by_calls() -> None:
    before, after = (
        replace(side, db_calls=np.where(side.cache == HIT, np.nan, side.db_calls))
        for side in (made(300, seed=1, hits=0.1), made(300, seed=2, hits=0.1, calls=3))
    )
    found = judged(before, after, metric="db calls", guardrails=("db calls",))
    assert said(found) == ("improved", "")
    assert list(found["strata"]) == ["miss"]
    assert found["adjusted"] == pytest.approx([np.log(3 / 12)] * 3, abs=1e-4)
    assert [one["holds"] for one in found["guardrails"]] == [True, True]


def test_60_answers_that_report_their_calls_are_the_minimum_of_calls() -> None:
    before, after = flat(65), flat(65, calls=3)
    silent = joined(flat(59), flat(6, calls=np.nan))
    assert said(judged(before, after, metric="db calls")) == ("improved", "")
    found = judged(silent, after, metric="db calls")
    assert said(found) == ("inconclusive", "too_few_samples")


def test_the_drift_of_the_control_path_is_taken_from_the_line_with_failures_too() -> None:
    drift = made(400, seed=3), made(400, seed=4, ratio=1.4)
    sides = made(400, seed=1), failing(made(400, seed=2, ratio=1.4), 2)
    found = judged(*sides, control=drift)
    assert found["with_failures"][0] == pytest.approx(found["adjusted"][0], abs=0.02)


def test_a_cache_result_with_too_few_reported_calls_covers_nothing() -> None:
    hits = joined(flat(15, cache=HIT, calls=0), flat(10, cache=HIT, calls=np.nan))
    side = joined(flat(48), hits)
    assert said(judged(side, side)) == ("no_change", "")
    found = judged(side, side, metric="db calls")
    assert said(found) == ("inconclusive", "strata_do_not_overlap")
    assert found["settle"]["stratum"] == "hit" or found["settle"]["by"] == "misses"


def test_how_alike_wrong_answers_are_says_nothing() -> None:
    before, after = FIXED
    slow = failing(flat(40, 10**9), 40)
    found = judged(joined(before, slow), joined(after, slow))
    assert found["autocorrelation"] == judged(before, after)["autocorrelation"]


def test_of_a_handful_of_right_answers_no_effect_is_said() -> None:
    found = judged(made(100, seed=1), failing(made(100, seed=2), 90))
    assert said(found) == ("regressed", "error_rate")
    assert not {"pooled", "adjusted", "with_failures"} & found.keys()
    assert found["strata"] == {}


def test_where_most_failed_no_time_is_said_with_them() -> None:
    found = judged(made(200, seed=1), failing(made(200, seed=2), 110))
    assert "adjusted" in found
    assert "with_failures" not in found
