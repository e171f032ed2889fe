"""When did the level move?"""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsboard.changes.rules.change_points import FEWEST_POINTS, MOST_POINTS, change_points

# Apache Otava, tests/analysis_test.py, test_single_series.
OTAVA = [1.02, 0.95, 0.99, 1.00, 1.12, 1.00, 1.01, 0.98, 1.01, 0.96,
         0.50, 0.51, 0.48, 0.48, 0.55, 0.50, 0.49, 0.51, 0.50, 0.49]  # fmt: skip


def series(*levels, seed=1, likeness=0.0):
    """Of (level, points), with a spread of 1; each point is like the one before by `likeness`."""
    chance, last, made = random.Random(seed), 0.0, []
    for level, points in levels:
        for _ in range(points):
            last = likeness * last + (1 - likeness**2) ** 0.5 * chance.gauss(0, 1)
            made.append(level + last)
    return made


def test_a_fall_to_half_is_dated():
    assert change_points(OTAVA) == [10]


def test_a_clean_step_is_dated():
    """MongoDB's signal processing library: 1,000 zeros, then 1,000 ones."""
    assert change_points([0] * 1_000 + [1] * 1_000) == [1_000]


def test_each_of_several_moves_is_dated():
    found = change_points(series((0, 80), (5, 60), (10, 60)))
    assert found == [80, 140]


def test_a_level_that_does_not_move_has_none():
    assert change_points([3.0] * 500) == []


@pytest.mark.parametrize("likeness", [0.0, 0.3, 0.6])
def test_noise_is_seldom_taken_for_a_move(likeness):
    told = [change_points(series((0, 120), seed=seed, likeness=likeness)) for seed in range(200)]
    assert sum(map(bool, told)) <= 8


def test_a_few_slow_answers_move_nothing():
    told = series((0, 100))
    told[40:44] = [1_000.0] * 4
    assert change_points(told) == []


def test_fewer_than_two_levels_of_ten_say_nothing():
    assert change_points(OTAVA[1:]) == []
    assert change_points([]) == []


def test_a_move_is_dated_once_its_level_has_ten_points():
    assert change_points([0] * 20 + [9] * 10) == [20]
    assert change_points([0] * 20 + [9] * 9) == []


@pytest.mark.parametrize("seed", range(20))
def test_a_clear_move_is_dated_to_the_point_however_late_it_came(seed):
    assert change_points(series((0, 70), (9, 15), seed=seed)) == [70]


def test_more_points_than_it_is_made_for_are_refused():
    with pytest.raises(ValueError, match="2,001 points are too many: at most 2,000"):
        change_points([0.0] * (MOST_POINTS + 1))


@settings(max_examples=50)
@given(st.lists(st.integers(0, 20), max_size=200))
def test_every_level_has_ten_points(values):
    bounds = [0, *change_points(values), len(values)]
    sizes = [end - begin for begin, end in pairwise(bounds)]
    assert len(sizes) == 1 or min(sizes) >= FEWEST_POINTS


@settings(max_examples=30)
@given(st.integers(1, 100), st.floats(0.1, 10))
def test_units_do_not_matter(seed, unit):
    told = series((0, 40), (2, 40), seed=seed)
    assert change_points([100 + value for value in told]) == change_points(
        [unit * value for value in told]
    )
