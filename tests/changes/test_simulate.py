"""script/simulate: samples are as said, figures repeat, and a bound that is missed shows."""

import json
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from opsboard.changes.rules.samples import CACHE_WORDS, HIT
from script.simulate import simulated
from script.simulate_rows import AT_LEAST, BY_NAME, POWER, ROWS
from script.simulate_samples import Side, drawn
from script.simulate_table import HEAD, Told, line

MANY = Side(n=20_000)


def sampled(side, seed=1):
    return drawn(side, np.random.default_rng(seed))


def is_hit(samples):
    return samples.cache == CACHE_WORDS.index(HIT)


def likeness(series):
    return np.corrcoef(series[1:], series[:-1])[0, 1]


def simulate(*arguments):
    return subprocess.run(
        [sys.executable, "script/simulate.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_hits_take_20_ms_and_misses_180():
    samples = sampled(MANY)
    assert np.median(samples.latency[is_hit(samples)]) == pytest.approx(20_000, rel=0.03)
    assert np.median(samples.latency[~is_hit(samples)]) == pytest.approx(180_000, rel=0.03)


def test_the_ratio_is_what_times_are_multiplied_with():
    slow, fast = sampled(MANY), sampled(replace(MANY, ratio=0.8))
    assert fast.latency / slow.latency == pytest.approx(0.8, rel=1e-3)


def test_only_misses_get_faster_where_only_they_are_to():
    slow, fast = sampled(MANY), sampled(replace(MANY, miss_ratio=0.5))
    hit = is_hit(slow)
    assert (fast.latency[hit] == slow.latency[hit]).all()
    assert fast.latency[~hit] / slow.latency[~hit] == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("alike", [0.0, 0.6])
def test_neighbours_are_alike_as_much_as_said(alike, monkeypatch):
    monkeypatch.setattr("script.simulate_samples.SPIKES", 0.0)
    samples = sampled(replace(MANY, hits=1.0, likeness=alike))
    assert likeness(np.log(samples.latency)) == pytest.approx(alike, abs=0.02)


def test_one_time_in_a_hundred_is_five_times_as_long(monkeypatch):
    spiky = sampled(MANY)
    monkeypatch.setattr("script.simulate_samples.SPIKES", 0.0)
    longer = spiky.latency / sampled(MANY).latency
    assert np.mean(longer > 4.9) == pytest.approx(0.01, abs=0.003)
    assert set(np.round(longer, 1)) == {1, 5}


def test_a_sticky_cache_repeats_itself_and_keeps_its_share():
    hit = is_hit(sampled(replace(MANY, is_sticky=True, hits=0.3)))
    assert hit.mean() == pytest.approx(0.3, abs=0.03)
    assert likeness(hit.astype(float)) == pytest.approx(0.7, abs=0.03)


def test_failures_come_in_bursts_at_the_share_said():
    failed = ~sampled(replace(MANY, failing=0.02, burst=5.0)).ok
    begun = int((failed[1:] & ~failed[:-1]).sum())
    assert failed.mean() == pytest.approx(0.02, abs=0.008)
    assert failed.sum() / begun == pytest.approx(5, rel=0.25)


def test_fast_failures_take_2_ms():
    samples = sampled(replace(MANY, failing=0.2, fails_fast=True))
    assert np.median(samples.latency[~samples.ok]) == pytest.approx(2_000, rel=0.05)
    assert samples.latency[samples.ok].min() > 4_000


def test_drift_runs_evenly_from_end_to_end():
    flat, drifting = sampled(MANY), sampled(replace(MANY, drift=(0.9, 1.0)))
    ratio = drifting.latency / flat.latency
    assert [ratio[0], ratio[10_000], ratio[-1]] == pytest.approx([0.9, 0.95, 1.0], rel=1e-3)


def test_what_the_cache_said_and_how_many_calls_can_be_hidden():
    hidden = sampled(replace(MANY, sees_cache=False))
    assert set(hidden.cache) == {0}
    assert np.isnan(hidden.db_calls).all()
    counted = sampled(replace(MANY, sees_cache=False, counts_calls=True))
    assert set(counted.db_calls) == {0, 12}


def test_names_of_rows_are_their_own():
    assert len(BY_NAME) == len(ROWS) + len(POWER)


def test_a_bound_that_is_missed_is_marked():
    told = Told("faster", 100, Counter(improved=80, inconclusive=20, ranges=100, covered=95))
    assert told.missed() == [("improved", AT_LEAST, 0.90)]
    assert "MISSED improved ≥ 0.9, covered ≥ 0.92" in line(told)


def test_a_bound_on_what_was_never_computed_is_missed():
    told = Told("faster", 100, Counter(improved=100))
    assert [column for column, *_ in told.missed()] == ["covered", "covered"]
    assert "| – |" in line(told)


def test_a_line_has_as_many_cells_as_the_head():
    assert line(Told("same", 1, Counter())).count("|") == HEAD.splitlines()[1].count("|")


def test_figures_repeat_whatever_the_number_of_processes():
    told = [
        json.loads(simulate("--row", "mild", "--runs", "30", "--processes", count, "--json").stdout)
        for count in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0][0]["row"] == "mild"


def test_each_portion_of_the_runs_draws_its_own_samples():
    assert simulated("mild", 0, 25, 1) != simulated("mild", 1, 25, 1)


def test_it_ends_with_1_when_a_bound_is_missed():
    """Two runs come to 0, a half or 1, and 0.03 to 0.15 is asked for."""
    done = simulate("--row", "find-90-60", "--runs", "2")
    assert done.returncode == 1
    assert "Seed 1, 2 runs a row." in done.stdout
    assert "MISSED" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--row", "unknown"], "there is no row unknown; there are lucky-0, lucky-3"),
        (["--runs", "0"], "'0' is not a number from 1 to 10000"),
        (["--runs", "many"], "'many' is not a number from 1 to 10000"),
    ],
)
def test_what_it_cannot_do_is_said_in_a_sentence(arguments, said):
    done = simulate(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
