"""Seconds in states, availability, the grid, and a path seen from several locations."""

import pytest

from opsboard.probes.rules import (
    State,
    availability,
    grid_after,
    missed_between,
    path_state,
    seconds_in_states,
    worst,
    worst_of_day,
)

P, W, F, N, PAUSED = (
    State.PASSING,
    State.WARNING,
    State.FAILING,
    State.NO_DATA,
    State.PAUSED,
)
S = 1_000_000


def test_a_service_is_as_bad_as_its_worst_path_at_each_moment():
    steady = [(0, P)]
    broken = [(0, P), (60 * S, F), (90 * S, P)]
    spent = seconds_in_states([steady, broken], 0, 100 * S)
    assert (spent[P], spent[F]) == (70, 30)


def test_no_data_hides_a_warning_and_is_never_counted_as_good():
    spent = seconds_in_states([[(0, W)], [(0, N)]], 0, 10 * S)
    assert spent[N] == 10
    assert availability(passing=spent[P], warning=spent[W], failing=spent[F]) is None


def test_a_path_that_did_not_exist_yet_is_left_out():
    spent = seconds_in_states([[(40 * S, P)]], 0, 100 * S)
    assert sum(spent.values()) == 60


def test_a_paused_path_does_not_count_beside_a_passing_one():
    assert seconds_in_states([[(0, PAUSED)], [(0, P)]], 0, 5 * S)[P] == 5


def test_what_is_left_out_is_in_no_state():
    broken = [(0, P), (60 * S, F), (90 * S, P)]
    spent = seconds_in_states([broken], 0, 100 * S, without=[(50 * S, 70 * S), (95 * S, 200 * S)])
    assert (spent[P], spent[F]) == (55, 20)
    assert not sum(seconds_in_states([broken], 0, 100 * S, without=[(0, 100 * S)]).values())


@pytest.mark.parametrize(
    ("states", "state"),
    [([P, F, W], F), ([P, W], W), ([P, N], N), ([W, N], N), ([P, PAUSED], P), ([], N)],
)
def test_the_worst_of_several_probes(states: list[State], state: State):
    assert worst(states) is state


@pytest.mark.parametrize(
    ("states", "state"),
    [
        ([F], F),
        ([F, P], W),
        ([F, F, P], F),
        ([F, N, N], N),
        ([P, N], P),
        ([PAUSED], PAUSED),
        ([PAUSED, F], F),
        ([], N),
        ([W, P], W),
    ],
)
def test_a_path_is_failing_when_more_than_half_of_its_fresh_locations_are(
    states: list[State], state: State
):
    assert path_state(states) is state


def test_availability_counts_warnings_as_up_and_leaves_the_unknown_out():
    assert availability(passing=50, warning=25, failing=25) == 75


def test_the_worst_thing_seen_wins_the_bar_of_a_day():
    assert worst_of_day({P: 80_000, N: 6_000, W: 1, F: 0, PAUSED: 0}) is W


def test_a_few_seconds_of_silence_do_not_colour_a_day():
    assert worst_of_day({P: 600, N: 59, W: 0, F: 0, PAUSED: 0}) is P
    assert worst_of_day({P: 600, N: 60, W: 0, F: 0, PAUSED: 0}) is N
    assert worst_of_day({P: 0, N: 5, W: 0, F: 0, PAUSED: 0}) is N


def test_grid_points_lie_an_interval_apart():
    first = grid_after(1_000 * S, 30 * S, "7/1/default")
    assert 1_000 * S < first <= 1_030 * S
    assert grid_after(first, 30 * S, "7/1/default") == first + 30 * S


def test_a_thousand_probes_spread_over_their_interval():
    points = {grid_after(0, 60 * S, f"{number}/1/default") // S for number in range(1000)}
    assert len(points) == 60


def test_slots_that_passed_unprobed_are_counted():
    missed = missed_between(0, 40 * S, 10 * S)
    assert missed is not None
    assert (missed.first, missed.last, missed.slots) == (10 * S, 30 * S, 3)


def test_the_next_slot_in_time_leaves_nothing_missed():
    assert missed_between(0, 10 * S, 10 * S) is None
