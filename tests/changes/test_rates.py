"""Shares of wrong answers against published intervals, and the rule of two lower bounds."""

import numpy as np
import pytest
from scipy import stats

from opsboard.changes.rules.rates import (
    fisher,
    has_risen,
    may_have_risen,
    newcombe,
    rates_of,
    robust_difference,
    wilson,
)
from tests.changes.made import failing, flat


@pytest.mark.parametrize(
    ("hits", "of", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)],
)
def test_the_interval_of_a_share_is_wilsons(hits: int, of: int, low: float, high: float) -> None:
    assert wilson(hits, of) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
    ],
)
def test_the_difference_of_shares_has_newcombes_interval(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    # Published as the first less the second; ours is after less before.
    found = newcombe(*second, *first)
    assert found == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@pytest.mark.parametrize("after", [0, 1, 3, 9, 30])
@pytest.mark.parametrize("before", [0, 2, 17])
def test_fishers_p_is_that_of_scipy(before: int, after: int) -> None:
    table = [[after, 60 - after], [before, 80 - before]]
    assert fisher(before, 80, after, 60) == pytest.approx(stats.fisher_exact(table)[1], rel=1e-9)


def test_errors_have_risen_when_both_intervals_lie_above_zero() -> None:
    rates = rates_of(flat(200), failing(flat(200), 20))
    assert has_risen(rates)
    assert may_have_risen(rates)


def test_a_burst_of_errors_may_be_chance_and_is_not_called_a_rise() -> None:
    rates = rates_of(flat(200), failing(flat(200), 12, spread=False))
    assert rates["newcombe"][0] > 0 > rates["robust"][0]
    assert may_have_risen(rates)
    assert not has_risen(rates)


def test_a_rise_below_one_point_is_none() -> None:
    rates = rates_of(flat(20_000), failing(flat(20_000), 150))
    assert min(rates["newcombe"][0], rates["robust"][0]) > 0
    assert not has_risen(rates)


def test_a_share_that_never_varies_has_an_interval_without_width() -> None:
    ones = np.ones(50, dtype=np.bool_)
    assert robust_difference(ones, ones) == [0.0, 0.0, 0.0]
