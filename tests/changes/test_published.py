"""Cases whose answers others have published: what verdicts are computed from agrees with them.

Those of shares are in test_rates.py, Brunner and Munzel's in test_compare_identities.py, those of
percentiles and change points in files of their names.
"""

from itertools import chain

import numpy as np
import pytest

from opsboard.changes.rules.comparing import compare
from opsboard.changes.rules.effects import Shift, stratum
from opsboard.changes.rules.samples import Samples
from opsboard.changes.rules.settings import Settings
from opsboard.changes.rules.variance import critical
from script.ranks import common_language, hodges_lehmann, mann_whitney

HOLLANDER_WOLFE = (
    [1.15, 0.88, 0.90, 0.74, 1.21],
    [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46],
)
# Kayenta's issue 426.
SPARSE = ([0, 1, 2, 1, 0, 0], [0] * 6)
# Kayenta's EffectSizeSuite: control and experiment.
HIGH = (
    [24.69397578, 25.37120574, 25.86186148, 26.93804252, 22.72232309, 24.15894084, 24.80842752,
     26.07830794, 27.35323988, 23.25110886, 24.65909111, 23.88299016, 21.34817847, 26.33198082,
     23.39498829, 26.6734461, 25.33769589, 23.92348759, 25.29740715, 24.21381887, 28.1697053,
     22.2271772, 27.16612837, 25.16639243, 26.85955896, 27.13421926, 25.43350074, 26.32130314,
     23.8854011, 27.86180318],
    [29.17644856, 25.16947646, 25.88467948, 29.4900454, 27.05622757, 26.13307864, 27.2711558,
     26.69139944, 29.05412377, 26.39818697, 26.68312641, 24.99600187, 27.99524816, 22.57278291,
     23.72798196, 25.82821505, 28.26624521, 28.02370228, 24.1792213, 26.02914828, 25.90970275,
     31.18337461, 27.44254942, 29.93347686, 26.70848069, 28.12191913, 27.39257837, 30.17636627,
     29.60240485, 30.10635388],
)  # fmt: skip
LOW = (
    [23.15322873, 22.09179077, 26.56410603, 23.0971542, 24.26372276, 25.6461273, 29.42730472,
     22.08630097, 29.15257054, 25.8096766, 24.62191338, 23.67398895, 23.63946085, 26.44684325,
     25.76230914, 25.41279862, 22.64005862, 24.58898152, 25.01968457, 25.03695883, 23.79864705,
     26.60180151, 25.99405034, 22.46726084, 28.31843786, 24.30152484, 22.83713467, 21.92380184,
     23.44735223, 29.15676219],
    [22.58442682, 18.83161858, 22.34282944, 18.52177725, 19.41399147, 21.77120485, 24.33796385,
     22.16390531, 23.781802, 21.38514296, 22.2205035, 22.06152361, 21.30313392, 21.59652134,
     22.38394223, 24.68882792, 20.58916439, 21.03137302, 22.26213957, 23.76485986, 20.56271226,
     24.56567102, 19.86055958, 22.18967677, 20.31475409, 19.2634656, 24.60283585, 20.41729998,
     20.62069798, 22.53448767],
)  # fmt: skip


def sample(values):
    return np.array(values, dtype=float)


def shift(sides):
    """What verdicts compare with: one stratum, in the order of time."""
    before, after = map(sample, sides)
    places = np.arange(len(before)), np.arange(len(after))
    return Shift([stratum(before, after, *places)], (len(before), len(after)))


def counted(counts):
    """Of {value: how often}: the order in time says nothing here."""
    return sample(list(chain.from_iterable([value] * count for value, count in counts.items())))


# Kayenta's MannWhitneySuite, "tie out with R version": its lists, counted.
R_90 = (
    counted({1.5: 2, 2: 16, 2.5: 18, 3: 16, 3.5: 10, 4: 8, 4.5: 4, 5: 6, 5.5: 2, 6: 5, 8: 1,
             15.5: 1, 54.5: 1}),
    counted({1.5: 9, 2: 16, 2.5: 22, 3: 17, 3.5: 9, 4: 5, 4.5: 1, 5: 3, 5.5: 1, 6: 2, 6.5: 2, 7: 1,
             7.5: 1, 16.5: 1}),
)  # fmt: skip
R_180 = (
    counted({0: 1, 0.5: 7, 1: 32, 1.5: 70, 2: 33, 2.5: 22, 3: 6, 3.5: 2, 4: 3, 4.5: 1, 5.5: 1, 7: 1,
             7.5: 1}),
    counted({0.5: 20, 1: 41, 1.5: 67, 2: 37, 2.5: 3, 3: 2, 3.5: 3, 4: 1, 5: 1, 5.5: 3, 8.5: 1,
             19: 1}),
)  # fmt: skip


def test_the_example_of_r_s_wilcox_test():
    """Hollander & Wolfe 1973, 69f, in R's help of wilcox.test: W, one-sided p, estimate, range."""
    before, after = map(sample, HOLLANDER_WOLFE)
    assert common_language(before, after) * 50 == pytest.approx(35)
    assert mann_whitney(before, after) / 2 == pytest.approx(0.1272, abs=5e-5)
    assert hodges_lehmann(before, after) == pytest.approx([0.305, -0.15, 0.76])


def test_kayenta_s_four_against_four():
    """Kayenta's MannWhitneySuite, "returns expected values"; its p is R's."""
    before, after = sample([1, 2, 3, 4]), sample([10, 20, 30, 40])
    assert hodges_lehmann(before, after) == pytest.approx([22.5, 6, 39])
    assert mann_whitney(before, after) == pytest.approx(0.02857142857142857)


@pytest.mark.parametrize(
    ("sides", "level", "p", "shift"),
    [
        (R_90, 0.95, 0.0410, [-0.5, -0.500002521696696, -3.486287505871302e-5]),
        (R_180, 0.98, 0.00262, [-3.45044082729315e-5, -0.4999173250549087, -6.912685789769486e-6]),
    ],
)
def test_samples_full_of_ties_agree_with_r(sides, level, p, shift):
    """R's figures in Kayenta's suite come from a root finder, and miss the grid by a little."""
    assert [len(side) for side in sides] in ([90, 90], [180, 180])
    assert mann_whitney(*sides) == pytest.approx(p, rel=2e-3)
    assert hodges_lehmann(*sides, level=level) == pytest.approx(shift, abs=1e-3)


@pytest.mark.parametrize(
    ("sides", "estimate"),
    [
        (([1, 2, 3, 4], [10, 20, 30, 40]), 22.5),
        (R_90, -0.5),
        (R_180, 0),
    ],
    ids=["4 and 4", "90 and 90", "180 and 180"],
)
def test_the_shift_of_a_comparison_is_hodges_and_lehmann_s(sides, estimate):
    """By halving a range until the effect is even, as verdicts do: the median of all pairs."""
    assert shift(sides).estimate() == pytest.approx(estimate, abs=1e-6)


@pytest.mark.parametrize(
    ("n", "p"),
    [(4, 0.028571), (5, 0.007937), (6, 0.002165), (7, 0.000583), (8, 0.000155), (9, 0.0000411)],
)
def test_the_smallest_p_of_a_few_samples(n, p):
    """What benchstat can say at most with n runs a side: 2 / binomial(2n, n)."""
    before = sample(range(n))
    assert mann_whitney(before, before + 100) == pytest.approx(p, abs=5e-7)


@pytest.mark.parametrize(
    ("sides", "effect"),
    [
        (HIGH, pytest.approx(0.771, abs=0.001)),
        (LOW, pytest.approx(0.12)),
        (([25.0, 24.9, 26.4], [2.2, 3.4, 4.6]), 0),
        (([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]), 0.5),
    ],
    ids=["high", "low", "disjoint", "identical"],
)
def test_common_language_effect_sizes_of_kayenta(sides, effect):
    assert common_language(*map(sample, sides)) == effect
    assert shift(sides).effect(0.0) == effect


def test_the_p_value_of_kayenta_s_sparse_series():
    """Which it passed."""
    assert mann_whitney(*map(sample, SPARSE)) == pytest.approx(0.073, abs=5e-4)


def test_kayenta_s_sparse_series_is_inconclusive():
    """Six samples are too few to be judged; by itself the test cannot tell them either."""
    tested = shift(SPARSE).test()
    assert abs(tested.t) < critical(95, tested.spread.df)
    # Milliseconds and one more: nothing takes no time.
    before, after = (timed((sample(side) + 1) * 1_000) for side in SPARSE)
    judged = compare(before, after, Settings(changed=("code",)))
    assert (judged["verdict"], judged["reason"]) == ("inconclusive", "too_few_samples")


def timed(latency):
    n = len(latency)
    return Samples(latency, np.ones(n, np.int8), np.ones(n, bool), np.full(n, np.nan))
