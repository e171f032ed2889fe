"""Durations counted in buckets: small to keep, and never better than what was measured."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsboard.expectations.histogram import EDGES, Histogram, bucket_of, nearest_rank, upper_edge

DURATIONS = st.integers(0, 10**12)


def of(*durations: int) -> Histogram:
    histogram = Histogram()
    for us in durations:
        histogram.add(us)
    return histogram


@settings(max_examples=200, deadline=None)
@given(DURATIONS)
def test_the_edge_of_a_bucket_is_at_most_a_sixteenth_of_a_doubling_above(us: int) -> None:
    edge = EDGES[bucket_of(us)]
    assert us <= edge <= max(1, us * 2 ** (1 / 16) + 1)


@settings(max_examples=200, deadline=None)
@given(st.lists(DURATIONS, min_size=1), st.integers(1, 100))
def test_a_percentile_is_never_better_than_measured(durations: list[int], percent: int) -> None:
    measured = sorted(durations)[math.ceil(percent * len(durations) / 100) - 1]
    read = of(*durations).percentile(percent)
    assert read is not None
    assert measured <= read <= max(1, measured * 2 ** (1 / 16) + 1)


def test_nothing_measured_has_no_percentile() -> None:
    assert Histogram().percentile(95) is None


def test_the_rank_is_rounded_up() -> None:
    counts = [(1, 19), (2, 1)]
    assert nearest_rank(counts, 95) == 1
    assert nearest_rank(counts, 96) == 2


def test_beyond_the_last_edge_nothing_is_made_faster() -> None:
    assert bucket_of(10**15) == len(EDGES) - 1
    assert upper_edge(10**15) == 10**15


def test_merging_adds_and_leaves_both_as_they_were() -> None:
    morning, evening = of(1_000, 2_000), of(2_000)
    assert morning.merge(evening) == of(1_000, 2_000, 2_000)
    assert (morning.total, evening.total) == (2, 1)


@settings(max_examples=200, deadline=None)
@given(st.lists(DURATIONS))
def test_what_is_stored_is_read_back(durations: list[int]) -> None:
    histogram = of(*durations)
    assert Histogram.from_bytes(histogram.to_bytes()) == histogram
    assert Histogram.from_pairs(histogram.to_pairs()) == histogram


def test_an_hour_of_a_probe_is_stored_in_a_few_bytes() -> None:
    assert len(of(*range(80_000, 200_000, 1_000)).to_bytes()) < 60


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x02\x01\x01",
        b"\x01\x05",
        b"\x01\x05\x00",
        b"\x01\x05\x01\x00\x01",
        b"\x01\xff\x7f\x01",
        b"\x01\x05\x80",
        b"\x01" + b"\xff" * 20,
        b"\x01\x01" + b"\xff" * 8 + b"\x01",
    ],
)
def test_bytes_that_are_no_histogram_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^A stored histogram "):
        Histogram.from_bytes(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_a_histogram_or_refused(data: bytes) -> None:
    try:
        read = Histogram.from_bytes(b"\x01" + data)
    except ValueError:
        return
    assert Histogram.from_bytes(read.to_bytes()) == read


@pytest.mark.parametrize("pairs", [[(5, 1), (5, 1)], [(5, 1), (4, 1)], [(-1, 1)], [(5, -1)]])
def test_pairs_that_are_no_histogram_are_refused(pairs: list[tuple[int, int]]) -> None:
    with pytest.raises(ValueError, match="out of bounds"):
        Histogram.from_pairs(pairs)


@given(st.lists(st.lists(st.integers(0, 2**45), max_size=200), max_size=6))
def test_many_stored_ones_merge_into_what_they_were_together(groups):
    stored, together = [], Histogram()
    for group in groups:
        one = Histogram()
        for us in group:
            one.add(us)
            together.add(us)
        stored.append(one.to_bytes())
    merged = Histogram.merged(stored)
    assert merged == together
    assert merged.percentiles(50, 95, 99) == [merged.percentile(p) for p in (50, 95, 99)]


def test_many_of_one_duration_merge_too():
    often = Histogram.from_pairs([(3, 200), (300, 70_000)])
    assert Histogram.merged([often.to_bytes()] * 2).to_pairs() == [(3, 400), (300, 140_000)]


@pytest.mark.parametrize(
    "data", [b"", b"\x02\x01\x01", b"\x01\x01", b"\x01\x01\x01\x00\x01", b"\x01\x01\x00"]
)
def test_what_is_no_stored_histogram_is_refused_among_others_too(data):
    with pytest.raises(ValueError, match="stored histogram"):
        Histogram.merged([data])
