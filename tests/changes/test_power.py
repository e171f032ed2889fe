"""What a number of samples can find, said before they are taken."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.changes.rules.power import detectable, found, half_width, stays, tellable

SIZES = st.integers(min_value=60, max_value=100_000)


def test_two_hundred_samples_find_a_fifth_nine_times_in_ten():
    assert detectable(200) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(
    ("ratio", "n", "share"),
    [
        (0.7, 60, 0.73),
        (0.7, 100, 0.93),
        (0.8, 60, 0.37),
        (0.8, 100, 0.54),
        (0.8, 200, 0.92),
        (0.85, 200, 0.65),
        (0.85, 400, 0.88),
        (0.9, 200, 0.31),
    ],
)
def test_what_is_found_is_what_simulated_verdicts_found(ratio, n, share):
    """Of 600 simulated verdicts each: one cache result, spread 0.5, autocorrelation 0.3."""
    assert found(ratio, n) == pytest.approx(share, abs=0.05)


@pytest.mark.parametrize(
    ("n", "width"), [(200, 0.115), (300, 0.094), (400, 0.081), (600, 0.065), (900, 0.053)]
)
def test_the_width_of_a_range_is_that_of_simulated_ones(n, width):
    """Half hits of spread 0.35 and half misses of 0.5, which together are as sure as 0.405."""
    assert half_width(n, spread=0.405) == pytest.approx(width, abs=0.002)


@pytest.mark.parametrize(
    ("n", "equivalence", "share"),
    [(200, 0.10, 0.01), (200, 0.20, 0.76), (300, 0.15, 0.65), (400, 0.10, 0.33), (900, 0.10, 0.88)],
)
def test_no_change_is_said_as_often_as_simulated_verdicts_said_it(n, equivalence, share):
    assert stays(n, equivalence, spread=0.405) == pytest.approx(share, abs=0.05)


def test_what_is_detectable_is_found_nine_times_in_ten():
    assert found(detectable(150), 150) == pytest.approx(0.9)


def test_no_number_of_samples_finds_what_lies_within_the_margin():
    assert 1 / 1.11 < detectable(10**7) < 1 / 1.1
    assert found(1 / 1.1, 10**7) == pytest.approx(0.5)


def test_what_is_tellable_is_said_nine_times_in_ten():
    assert stays(150, tellable(150)) == pytest.approx(0.9)


@given(n=SIZES)
def test_more_samples_never_find_less(n):
    assert detectable(n + 1) >= detectable(n) - 1e-9


@given(n=SIZES, autocorrelation=st.floats(0, 0.9), spread=st.floats(0.05, 2))
def test_likeness_of_neighbours_and_spread_never_help(n, autocorrelation, spread):
    assert half_width(n, spread=spread, autocorrelation=autocorrelation) >= half_width(
        n, spread=spread, autocorrelation=0
    )
    assert half_width(n, spread=spread * 1.1) > half_width(n, spread=spread)


@pytest.mark.parametrize("module", ["power", "change_points"])
def test_pages_can_ask_without_numpy(module):
    told = f"import sys, opsboard.changes.rules.{module}; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", told]).returncode == 0
