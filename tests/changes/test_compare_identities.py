"""What must hold of the comparison whatever the samples are."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from opsboard.changes.rules.comparing import Settings, compare
from opsboard.changes.rules.effects import Shift, Stratum, stratum
from opsboard.changes.rules.samples import CACHE_WORDS, Floats, Samples
from opsboard.changes.rules.variance import NONE, autocorrelation, cosine
from tests.changes.made import HIT, MISS, joined, made

BYPASS = CACHE_WORDS.index("bypass")
CODE = Settings(("code",))


def p_of(t: float, df: float) -> float:
    return float(2 * stats.t.sf(abs(t), df))


def one(before: Floats, after: Floats) -> Stratum:
    return stratum(before, after, np.arange(len(before)), np.arange(len(after)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("has_ties", [True, False])
def test_one_stratum_is_the_test_of_brunner_and_munzel(seed: int, has_ties: bool) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.normal(0, 1, 23), rng.normal(0.3, 2, 31)
    if has_ties:
        before, after = np.round(before), np.round(after)
    found = Shift([one(before, after)], (23, 31)).test(independent=True)
    known = stats.brunnermunzel(before, after)
    assert p_of(found.t, found.spread.df) == pytest.approx(known.pvalue, abs=1e-12)
    # Its sign is of P(before > after).
    assert abs(found.t) == pytest.approx(abs(known.statistic), abs=1e-12)


def test_the_published_example_of_brunner_and_munzel() -> None:
    a = np.array([1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1], dtype=float)
    b = np.array([3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4], dtype=float)
    found = Shift([one(a, b)], (14, 11)).test(independent=True)
    assert found.effect == pytest.approx(0.788961, abs=5e-7)
    assert found.t == pytest.approx(3.137467, abs=5e-7)
    assert found.spread.df == pytest.approx(17.682842, abs=5e-7)
    assert p_of(found.t, found.spread.df) == pytest.approx(0.005786, abs=5e-7)


def test_the_published_shift_of_hollander_and_wolfe() -> None:
    x = np.array([0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46])
    y = np.array([1.15, 0.88, 0.90, 0.74, 1.21])
    shift = Shift([one(y, x)], (5, 10))
    assert shift.estimate() == pytest.approx(0.305, abs=1e-6)
    assert shift.effect(0.0) * 50 == pytest.approx(35)


def test_strata_are_put_together_with_the_weights_of_van_elteren() -> None:
    first, second = one(np.array([1.0]), np.array([2.0])), one(np.arange(2.0, 5), -np.arange(5.0))
    # Effects 1 and 0; weights 1/3 and 15/9.
    assert Shift([first, second], (4, 6)).effect(0.0) == pytest.approx((1 / 3) / (1 / 3 + 15 / 9))


def test_the_cosine_variance_is_its_formula() -> None:
    series = np.random.default_rng(4).normal(size=150)
    waves = int(0.41 * 150 ** (2 / 3))
    t = np.arange(1, 151)
    sums = [np.sum(series * np.cos(np.pi * k * (t - 0.5) / 150)) for k in range(1, waves + 1)]
    found = cosine(series)
    assert found.variance == pytest.approx(2 / waves * np.sum(np.square(sums)), rel=1e-10)
    assert found.df == waves


def test_the_cosine_variance_of_a_short_series_takes_four_waves_if_there_are_any() -> None:
    series = np.random.default_rng(4).normal(size=12)
    assert cosine(series).df == 4
    assert cosine(series[:3]).df == 2
    assert cosine(series[:1]) == cosine(series[:0]) == NONE


def test_neighbours_alike_make_the_interval_wider_and_never_narrower() -> None:
    rng = np.random.default_rng(9)
    for likeness in (-0.8, 0.0, 0.8):
        before, after = (made(200, seed=int(rng.integers(999)), likeness=likeness) for _ in "ab")
        shift = Shift([one(np.log(before.latency), np.log(after.latency))], (200, 200))
        assert shift.test().spread.variance >= shift.test(independent=True).spread.variance


def test_the_names_of_strata_change_nothing() -> None:
    before, after = made(300, seed=1), made(300, seed=2, ratio=0.8)
    turned = {HIT: BYPASS, MISS: HIT}

    def rename(side: Samples) -> Samples:
        return replace(
            side, cache=np.array([turned[int(each)] for each in side.cache], dtype=np.int8)
        )

    first, second = compare(before, after, CODE), compare(rename(before), rename(after), CODE)
    assert first["adjusted"] == second["adjusted"]
    assert first["verdict"] == second["verdict"] == "improved"
    assert first["strata"]["miss"] == second["strata"]["hit"]


@pytest.mark.parametrize("metric", ["time", "db calls"])
def test_swapping_the_sides_turns_the_sign(metric: str) -> None:
    before, after = made(300, seed=1), made(300, seed=2, ratio=0.8, calls=3)
    settings = Settings(("code",), metric=metric)
    estimate, low, high = compare(before, after, settings)["adjusted"]
    assert compare(after, before, settings)["adjusted"] == pytest.approx(
        [-estimate, -high, -low], abs=2e-4
    )


def test_the_unit_of_the_times_changes_nothing() -> None:
    before, after = made(300, seed=1), made(300, seed=2, ratio=0.8)
    slower = [replace(side, latency=side.latency * 37) for side in (before, after)]
    first, second = compare(before, after, CODE), compare(*slower, CODE)
    for name in ("adjusted", "pooled"):
        assert first[name] == pytest.approx(second[name], abs=1e-4)


def test_a_stratum_that_one_side_lacks_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    both, lonely = one(rng.normal(size=40), rng.normal(size=50)), np.arange(5.0)
    empty = Stratum(lonely, np.array([]), np.arange(40, 45), np.array([], dtype=np.intp))
    alone, with_it = Shift([both], (45, 50)), Shift([both, empty], (45, 50))
    assert alone.interval(95) == with_it.interval(95)


def test_the_order_of_time_counts() -> None:
    before, after = made(300, seed=1, likeness=0.9), made(300, seed=2, likeness=0.9)
    order = np.random.default_rng(1).permutation(300)
    shuffled = [
        Samples(*(getattr(side, name)[order] for name in ("latency", "cache", "ok", "db_calls")))
        for side in (before, after)
    ]
    first, second = compare(before, after, CODE), compare(*shuffled, CODE)
    assert first["adjusted"][0] == second["adjusted"][0]
    assert (
        first["adjusted"][2] - first["adjusted"][1] > second["adjusted"][2] - second["adjusted"][1]
    )


def test_appended_failures_leave_the_times_as_they_are() -> None:
    before, after = made(300, seed=1, likeness=0.7), made(300, seed=2, likeness=0.7)
    failed = replace(made(2, seed=5), ok=np.zeros(2, dtype=np.bool_))
    first, second = compare(before, after, CODE), compare(before, joined(after, failed), CODE)
    assert first["adjusted"] == second["adjusted"]
    assert second["n"] == [300, 302]
    assert second["ok"] == [300, 300]


def test_a_series_without_movement_is_not_like_itself() -> None:
    assert autocorrelation(np.full(50, 3.3)) == 0.0
    assert autocorrelation(np.repeat([0.0, 1.0], 25)) > 0.9
