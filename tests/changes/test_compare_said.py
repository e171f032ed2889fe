"""What a comparison says beside its verdict."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from opsboard.changes.rules.comparing import Settings
from opsboard.changes.rules.samples import Samples
from tests.changes.made import (
    FIXED,
    HIT,
    LUCKY,
    MISS,
    failing,
    flat,
    joined,
    judged,
    made,
    said,
)


def test_the_bridge_parts_the_mean_without_a_rest() -> None:
    bridge = judged(*LUCKY)["bridge"]
    whole = bridge["before"] + bridge["mix"] + bridge["within"]
    assert whole == pytest.approx(bridge["after"], abs=1e-9)
    assert bridge["mix"] < -30
    assert abs(bridge["within"]) < 25


def test_the_bridge_is_kitagawas() -> None:
    before = joined(flat(40, 1000, HIT), flat(60, 9000))
    after = joined(flat(70, 2000, HIT), flat(30, 8000))
    # Mix: 0.3 more hits at 1.5 ms, 0.3 fewer misses at 8.5 ms. Within: +1 ms and -1 ms.
    assert judged(before, after)["bridge"] == pytest.approx(
        {"before": 5.8, "mix": -2.1, "within": 0.1, "after": 3.8}
    )


def test_times_that_follow_each_other_closely_are_told() -> None:
    found = judged(made(300, seed=1, likeness=0.95), made(300, seed=2, likeness=0.95))
    assert found["autocorrelation"] > 0.7
    assert "Ask more slowly" in found["notes"][0]
    assert judged(*FIXED)["notes"] == []


def test_what_would_settle_an_open_one_is_more_than_there_was() -> None:
    found = judged(made(200, seed=2), made(200, seed=22, ratio=0.86))
    assert said(found) == ("inconclusive", "")
    needed = found["settle"]["samples"]
    assert 200 < needed <= 10_000
    settled = judged(made(needed, seed=2), made(needed, seed=22, ratio=0.86))
    assert settled["verdict"] != "inconclusive"


def test_a_difference_at_the_margin_is_not_settled_by_more_samples() -> None:
    before = made(200, seed=1)
    found = judged(before, replace(before, latency=before.latency * 1.09))
    assert said(found) == ("inconclusive", "")
    assert found["settle"] == {"samples": None, "stratum": None, "by": "more"}


def test_equal_times_make_a_drawing_and_no_error() -> None:
    found = judged(flat(100), flat(100))
    assert said(found) == ("no_change", "")
    assert found["adjusted"] == pytest.approx([0, 0, 0], abs=1e-4)
    assert len(found["bars"]["edges"]) == 61
    assert found["bars"]["edges"][-1] > 1.09 * found["bars"]["edges"][0]
    assert sum(found["bars"]["before"]["all"]) == 100


def test_bars_hold_every_right_answer() -> None:
    found = judged(FIXED[0], failing(FIXED[1], 4))
    assert sum(found["bars"]["after"]["all"]) == 296
    assert sum(found["bars"]["after"]["hit"]) + sum(found["bars"]["after"]["miss"]) == 296


def test_very_many_samples_are_thinned_within_each_cache_result_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Hits and misses in turn: every second one of all would be hits only.
    turn = [replace(side, cache=np.tile(np.int8([HIT, MISS]), 150)) for side in FIXED]
    whole = judged(*turn)
    for module in ("shifts", "comparing"):
        monkeypatch.setattr(f"opsboard.changes.rules.{module}.MOST_RANKED", 150)
    found = judged(*turn)
    assert "one in 2 of each cache result" in found["notes"][0]
    assert found["n"] == [300, 300]
    assert list(found["strata"]) == ["hit", "miss"]
    assert found["adjusted"][0] == pytest.approx(whole["adjusted"][0], abs=0.1)
    assert found["adjusted"] != whole["adjusted"]


@pytest.mark.parametrize("margin", [0, -0.1, 1.5, float("nan"), float("inf")])
def test_a_margin_that_is_none_is_refused(margin: float) -> None:
    with pytest.raises(ValueError, match="margin"):
        Settings(("code",), margin=margin)


def test_a_metric_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="metric"):
        Settings(("code",), metric="size")


def repeated(counts: dict[int, int]) -> Samples:
    """Misses of a few times each, in an order that says nothing."""
    times = np.repeat(list(counts), list(counts.values()))
    n = len(times)
    order = np.random.default_rng(6).permutation(n)
    return replace(flat(n), latency=times[order].astype(float))


def test_a_range_that_ends_at_no_difference_itself_is_not_beyond_it() -> None:
    # Of times with ties, bounds lie at the few differences there are: here one at 0.
    before, after = repeated({10_000: 30, 20_000: 30}), repeated({10_000: 44, 20_000: 16})
    for sides in ((before, after), (after, before)):
        found = judged(*sides)
        assert 0 in found["adjusted"]
        assert said(found) == ("inconclusive", "")


@pytest.mark.parametrize("rounding", [-1e-9, 0, 1e-9])
def test_calls_do_not_hang_on_a_rounding(rounding: float) -> None:
    settings = Settings(("code",))
    margin = float(np.log1p(0.1))
    assert settings.call([-0.4, -0.8, rounding]) == "inconclusive"
    assert settings.call([0.4, rounding, 0.8]) == "inconclusive"
    assert settings.call([-margin + rounding, -0.2, -0.05]) == "improved"
    assert settings.call([margin + rounding, 0.05, 0.2]) == "regressed"
    assert settings.call([0, -margin + rounding, 0.05]) == "inconclusive"
    assert settings.call([0, -0.05, margin + rounding]) == "inconclusive"


def test_too_few_right_answers_ask_for_more_than_there_were() -> None:
    found = judged(failing(made(800, seed=1), 745), failing(made(800, seed=2), 745))
    assert said(found) == ("inconclusive", "too_few_samples")
    # 55 of 800 are right, and 60 are needed.
    assert found["settle"] == {"samples": 880, "stratum": None, "by": "more"}


def test_more_than_anybody_would_wait_for_is_not_asked_for() -> None:
    found = judged(failing(made(9000, seed=1), 8946), failing(made(9000, seed=2), 8946))
    assert said(found) == ("inconclusive", "too_few_samples")
    assert found["settle"]["samples"] == 10_000
    found = judged(failing(made(9000, seed=1), 8951), failing(made(9000, seed=2), 8951))
    assert found["settle"]["samples"] is None


def test_where_neighbours_are_alike_slower_is_what_settles() -> None:
    found = judged(made(200, seed=3, likeness=0.95), made(200, seed=4, likeness=0.95))
    assert said(found) == ("inconclusive", "")
    assert found["settle"]["by"] == "slower"


def test_what_settles_would_do_so_four_times_in_five() -> None:
    found = judged(made(200, seed=2), made(200, seed=22, ratio=0.86))
    estimate, low, high = found["adjusted"]
    assert said(found) == ("inconclusive", "")
    # Chance of 80 % that a range which narrows with the square root of n leaves nothing out.
    needed = 200 * ((1.96 + 0.84) / 1.96 * (high - low) / 2 / abs(estimate)) ** 2
    assert found["settle"]["samples"] == pytest.approx(needed, abs=12)


def test_nothing_is_said_to_be_less_than_nothing() -> None:
    found = judged(flat(100), flat(100))
    assert not re.search(r"-0\.0[],}]", json.dumps(found))
