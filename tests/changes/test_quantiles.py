"""Percentiles have one definition, and say how sure they are."""

import numpy as np
import pytest

from opsboard.changes.rules.quantile_shift import quantile_shift
from opsboard.changes.rules.quantiles import quantile, ratio_of_quantiles

# NIST/SEMATECH e-Handbook of Statistical Methods, 7.2.6.2: twelve gauge measurements.
GAUGE = np.array(
    [95.1772, 95.1567, 95.1937, 95.1959, 95.1442, 95.0610, 95.1591, 95.1195, 95.1065, 95.0925,
     95.1990, 95.1682]
)  # fmt: skip


def times(n, *, seed=1, ratio=1.0):
    return np.random.default_rng(seed).lognormal(np.log(20_000), 0.5, n) * ratio


def test_a_percentile_lies_linearly_between_its_neighbours():
    assert quantile(GAUGE, 0.9) == pytest.approx(95.19568, abs=5e-6)


def test_nist_interpolates_differently():
    """Said so that nobody takes its 95.19807 for ours: the two are definitions 6 and 7."""
    assert np.quantile(GAUGE, 0.9, method="weibull") == pytest.approx(95.19807, abs=5e-6)


def test_the_ratio_of_a_percentile_is_that_of_the_sides():
    estimate, low, high = ratio_of_quantiles(times(400), times(400, ratio=0.7), 0.95, seed=3)
    assert estimate == pytest.approx(np.log(0.7))
    assert low < estimate < high < 0


def test_the_same_seed_gives_the_same_range():
    sides = times(100), times(150, seed=2)
    assert ratio_of_quantiles(*sides, 0.95, seed=3) == ratio_of_quantiles(*sides, 0.95, seed=3)
    assert ratio_of_quantiles(*sides, 0.95, seed=3) != ratio_of_quantiles(*sides, 0.95, seed=4)


def test_blocks_keep_what_neighbours_share():
    """The same values in order of size are as alike as can be, and far less sure of their level."""
    shuffled = times(200)
    width = [
        np.ptp(ratio_of_quantiles(before, times(200, seed=2), 0.5, seed=3)[1:])
        for before in (shuffled, np.sort(shuffled))
    ]
    assert width[1] > 1.5 * width[0]


def test_one_sample_a_side_is_enough_not_to_break():
    assert ratio_of_quantiles(times(1), times(1, ratio=2), 0.95, seed=3) == pytest.approx(
        [np.log(2)] * 3
    )


def test_many_samples_are_resampled_a_part_at_a_time(monkeypatch):
    sides = times(50), times(50, seed=2)
    whole = ratio_of_quantiles(*sides, 0.95, seed=3)
    monkeypatch.setattr("opsboard.changes.rules.quantiles.AT_ONCE", 50 * 300)
    assert ratio_of_quantiles(*sides, 0.95, seed=3) == whole


def test_the_difference_of_medians_that_many_share_is_not_too_sure():
    """At the median lie half of all, and 95 of 100 do not lie above it: it could be 1 as well."""
    values = np.random.default_rng(2).permutation(np.repeat([1.0, 10.0, 20.0], [45, 50, 5]))
    assert quantile_shift(values, values, 0.5) == [0, -9, 9]
