"""Database calls: what is compared when they are the metric."""

from dataclasses import replace

import numpy as np
import pytest

from opsboard.changes.rules.samples import Samples
from opsboard.changes.rules.variance import critical
from tests.changes.made import (
    FIXED,
    HIT,
    LUCKY,
    MISS,
    UNKNOWN,
    flat,
    joined,
    judged,
    made,
    said,
    with_cache,
    without_calls,
)


def test_fewer_calls_are_exact() -> None:
    found = judged(made(300, seed=1), made(300, seed=2, calls=3))
    assert found["db_calls"]["miss"] == {
        "mean": [12.0, 3.0],
        "most": [12.0, 3.0],
        "mode": [12.0, 3.0],
        "is_constant": True,
        "ratio": None,
    }


def test_fewer_calls_per_miss_are_improved() -> None:
    found = judged(made(300, seed=1), made(300, seed=2, calls=3), metric="db calls")
    assert said(found) == ("improved", "")
    assert found["adjusted"] == pytest.approx([np.log(3 / 12)] * 3, abs=1e-4)


def test_a_lucky_mix_is_not_fewer_calls() -> None:
    assert said(judged(*LUCKY, metric="db calls")) == ("confounded", "cache_mix_shifted")


def test_calls_that_vary_are_tested() -> None:
    rng = np.random.default_rng(5)
    before, after = (
        replace(made(300, seed=seed), db_calls=rng.poisson(mean, 300).astype(float))
        for seed, mean in ((1, 12), (2, 4))
    )
    found = judged(before, after, metric="db calls")
    assert said(found) == ("improved", "")
    assert not found["db_calls"]["miss"]["is_constant"]
    assert found["adjusted"][1] < np.log(4 / 12) < found["adjusted"][2]


def test_calls_where_there_were_none_are_regressed() -> None:
    found = judged(flat(100, calls=0), flat(100, calls=3), metric="db calls")
    assert said(found) == ("regressed", "")
    assert found["adjusted"][0] == pytest.approx(np.log(3.5 / 0.5), abs=1e-4)


def test_no_calls_on_both_sides_are_no_change() -> None:
    assert said(judged(flat(100, calls=0), flat(100, calls=0), metric="db calls")) == (
        "no_change",
        "",
    )


def test_calls_nobody_reported_cannot_be_judged() -> None:
    found = judged(FIXED[0], without_calls(FIXED[1]), metric="db calls")
    assert said(found) == ("inconclusive", "db_calls_unreported")
    assert found["settle"]["by"] == "database calls"


def test_calls_do_not_drift_and_need_no_control_path() -> None:
    slower = made(100, seed=1), made(100, seed=2, ratio=3)
    for control in (slower, (made(5), made(5))):
        found = judged(flat(100), flat(100, calls=3), metric="db calls", control=control)
        assert said(found) == ("improved", "")
        assert found["adjusted"] == pytest.approx([np.log(3 / 12)] * 3, abs=1e-4)
        assert "control" not in found


def turning(n: int, cache: int, *values: float) -> Samples:
    """Counts in turn: neighbours are as unlike as can be."""
    return replace(flat(n, cache=cache), db_calls=np.resize(np.array(values, dtype=float), n))


def test_the_range_of_fewer_calls_is_that_of_welch_with_strata_weighed_by_their_share() -> None:
    before = joined(turning(100, MISS, 10, 14), turning(60, HIT, 1, 3))
    after = joined(turning(100, MISS, 5, 7), turning(60, HIT, 1, 3))
    share = np.array([100, 60]) / 160
    of = np.array([100, 60])

    def moments(middles: list[float], off: list[float]) -> tuple[float, list[float]]:
        mean = float(share @ middles)
        return mean, [*(share**2 * np.square(off) / (of - 1) / mean**2)]

    (first, some), (second, others) = moments([12, 2], [2, 1]), moments([6, 2], [1, 1])
    parts = np.array([*some, *others])
    around = critical(95, parts.sum() ** 2 / (parts**2 / [99, 59, 99, 59]).sum())
    found = judged(before, after, metric="db calls")["adjusted"]
    ratio = np.log(second / first)
    half = around * np.sqrt(parts.sum())
    assert found == pytest.approx([ratio, ratio - half, ratio + half], abs=1e-4)


def test_counts_like_their_neighbours_tell_less() -> None:
    mixed = turning(100, MISS, 10, 14)
    runs = replace(mixed, db_calls=np.sort(mixed.db_calls))
    unlike = judged(mixed, mixed, metric="db calls")["adjusted"]
    alike = judged(runs, runs, metric="db calls")["adjusted"]
    assert alike[2] - alike[1] > 2 * (unlike[2] - unlike[1])


def test_no_calls_after_some_are_improved() -> None:
    found = judged(flat(100, calls=3), flat(100, calls=0), metric="db calls")
    assert said(found) == ("improved", "")
    assert found["adjusted"][0] == pytest.approx(np.log(0.5 / 3.5), abs=1e-4)


def test_counts_of_a_handful_are_shown_and_not_tested() -> None:
    side = joined(turning(80, MISS, 10, 14), turning(10, HIT, 1, 3))
    calls = judged(side, side)["db_calls"]
    assert calls["hit"]["ratio"] is None
    assert calls["hit"]["mean"] == [2, 2]
    assert calls["miss"]["ratio"] is not None


def test_calls_stand_in_only_where_the_cache_says_nothing() -> None:
    # Labelled hits that call a lot; of the others, those that call are misses.
    side = joined(flat(60, cache=HIT), flat(60, cache=UNKNOWN), flat(60, cache=UNKNOWN, calls=0))
    found = judged(side, side)
    assert found["is_inferred"]
    assert found["times"]["hit"]["n"] == [120, 120]
    assert found["times"]["miss"]["n"] == [60, 60]


def test_where_nothing_stands_in_nothing_is_said_to() -> None:
    side = without_calls(with_cache(made(100), UNKNOWN))
    assert not judged(side, side)["is_inferred"]
