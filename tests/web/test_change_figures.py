"""The drawings and the figures of a comparison, as the page of a change writes them."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.changes.rules.judged import Bars, Bridge, Times
from opsboard.web.change_figures import errors_words, figures_of
from opsboard.web.change_numbers import (
    difference_words,
    effect_words,
    part_words,
    percent_of,
    share_words,
    signed,
)
from opsboard.web.change_plot import (
    DOWN,
    HEIGHT,
    TALLEST,
    TICK_ROOM,
    UP,
    WIDTH,
    Axis,
    axis_of,
    bridge_of,
    plot_of,
    progress_width,
)
from tests.web.measured import compared

NBSP = "\u00a0"


def plain(text: str) -> str:
    return text.replace(NBSP, " ").replace("\u2212", "-")


@pytest.mark.parametrize(
    ("ends", "ticks"),
    [
        ((28, 600), ["50", "100", "200", "400"]),
        ((6, 735), ["10", "20", "50", "100", "200", "500"]),
        ((0.01, 9000), ["0.1", "1", "10", "100", "1,000"]),
        ((61, 74), ["70"]),
    ],
)
def test_the_grid_has_round_numbers_that_fit(ends, ticks):
    assert [text for _, text in Axis(*ends).ticks] == ticks


@given(st.floats(0.01, 1e5), st.floats(1.01, 1e6))
def test_ticks_stand_apart_and_on_the_axis(first, factor):
    places = [x for x, _ in Axis(first, first * factor).ticks]
    assert all(0 < x < WIDTH for x in places)
    assert all(right - left >= TICK_ROOM for left, right in pairwise(places))


def test_without_edges_there_is_no_axis():
    empty: Bars = {"edges": [], "before": {}, "after": {}}
    assert axis_of(empty) is None
    assert axis_of(empty | {"edges": [5.0, 5.0]}) is None
    assert axis_of(empty | {"edges": [0.0, 5.0]}) is None


def test_before_grows_up_from_the_line_and_after_down():
    bars: Bars = {
        "edges": [10.0, 20.0, 40.0],
        "before": {"hit": [1, 3]},
        "after": {"hit": [100, 300]},
    }
    drawn = plot_of(bars, "hit", Axis(10.0, 40.0), [15.0, None])
    assert [one.y + one.height for one in drawn.before] == [UP, UP]
    assert [one.y for one in drawn.after] == [DOWN, DOWN]
    # The same shares have the same heights, however many there were.
    assert [one.height for one in drawn.before] == [one.height for one in drawn.after]
    assert max(one.height for one in drawn.before) == TALLEST
    assert drawn.median_before == Axis(10.0, 40.0).x(15.0)
    assert drawn.median_after is None


@pytest.mark.parametrize("stratum", ["hit", "miss", "all", "unknown"])
def test_no_bar_leaves_its_drawing(stratum):
    bars = compared("F2_lucky_hit")["bars"]
    axis = axis_of(bars)
    assert axis is not None
    drawn = plot_of(bars, stratum, axis)
    for bar in drawn.before + drawn.after:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT


def test_each_part_of_the_bridge_begins_where_the_one_above_ends():
    bridge: Bridge = {"before": 135.8, "mix": -57.1, "within": -0.3, "after": 78.4}
    before, mix, within, after = bridge_of(bridge)
    assert (before.x, before.width) == (0, 100)
    assert mix.x + mix.width == pytest.approx(100)
    assert within.x + within.width == pytest.approx(mix.x, abs=0.01)
    assert after.width == pytest.approx(within.x, abs=0.3)
    # Too thin to be seen, so it is a line.
    assert within.css == "zero"


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(-1e6, 1e6))
def test_no_bar_of_a_bridge_leaves_it(before, after, mix):
    within = after - before - mix
    for bar in bridge_of({"before": before, "mix": mix, "within": within, "after": after}):
        assert 0 <= bar.x <= 100
        assert 0 <= bar.width <= 100.01


@pytest.mark.parametrize(
    ("count", "of", "width"), [(0, 200, 0), (137, 200, 68.5), (300, 200, 100), (0, 0, 0)]
)
def test_a_bar_is_never_more_than_full(count, of, width):
    assert progress_width(count, of) == width


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        ([-2.0, -11.0, 6.0], ("-2 ms", "-11 to +6")),
        ([0.1, -0.42, 1.04], ("+0.1 ms", "-0.4 to +1")),
        ([2380.0, 2100.0, 2600.0], ("+2.38 s", "+2.1 to +2.6")),
        ([0.0, 0.0, 0.0], ("0 ms", "0 to 0")),
        (None, ("", "")),
    ],
)
def test_a_difference_has_its_sign_and_its_unit(interval, words):
    assert tuple(map(plain, difference_words(interval))) == words


def effect(call: str | None, interval: list[float] | None) -> str:
    times = compared("F3_real_fix")["times"]["miss"]
    made: Times = {**times, "call": call, "difference": interval}  # type: ignore[typeddict-item]
    return plain(effect_words(made))


def test_the_effect_on_misses_is_as_sure_as_its_verdict():
    assert effect("improved", [-88.0, -100.0, -70.0]) == "-88 ms"
    assert effect("inconclusive", [10.0, -9.0, 31.0]) == "-9 to +31 ms"
    assert effect("no_change", [1.0, -3.0, 3.0]) == "±3 ms"
    assert effect(None, None) == ""
    assert effect_words(None) == ""


@pytest.mark.parametrize(
    ("part", "count", "whole", "words"),
    [
        (0.58, 2004, 3456, "58%"),
        (0.2, 2, 10, "2 of 10"),
        (1.0, 300, 300, "100%"),
        (0.9997, 2999, 3000, "99.9%"),
        (0.0003, 1, 3000, "under 0.1%"),
        (0.0, 0, 3000, "0%"),
    ],
)
def test_few_are_counted_and_only_all_are_all(part, count, whole, words):
    assert plain(share_words(part, count, whole)) == words


@pytest.mark.parametrize(
    ("value", "places", "words"),
    [(0.4, 0, "0"), (-0.4, 0, "0"), (-1234.5, 0, "-1,234"), (6.0, 0, "+6"), (0.25, 1, "+0.2")],
)
def test_nothing_has_no_sign(value, places, words):
    assert plain(signed(value, places)) == words


def test_a_ratio_of_any_size_is_a_percentage():
    assert plain(percent_of(math.log(0.66))) == "-34%"
    assert plain(percent_of(1e9)).endswith("%")
    assert plain(percent_of(-1e9)) == "-100%"


def test_a_part_of_nothing_has_no_sign():
    assert plain(part_words(-0.02)) == "0.0 ms"
    assert plain(part_words(-57.13)) == "-57.1 ms"
    assert plain(part_words(2840.0)) == "+2.84 s"


def test_requests_without_database_calls_are_not_spoken_of():
    assert [row.of for row in figures_of(compared("F3_real_fix")).calls] == ["per miss"]
    assert figures_of(compared("F5_all_hits_after")).calls == []


def test_few_wrong_answers_of_few_are_counted():
    judged = compared("F7_fast_fail")
    rates = judged["error_rate"] | {"before": 0.0, "after": 0.2}
    made = judged | {"reason": "", "n": [10, 10], "error_rate": rates}
    assert "0 of 10 before, 2 of 10 after" in errors_words(made)  # type: ignore[arg-type]


def test_a_verdict_without_figures_is_still_a_page():
    shown = figures_of({"verdict": "invalid", "reason": "", "n": [0, 0], "changed": []})
    assert (shown.rows, shown.bridge, shown.calls, shown.axis) == ([], [], [], None)
