"""The sentences at the head of pages."""

from collections import Counter

import pytest

from opsboard.probes.rules import State
from opsboard.web.sentences import (
    board_head,
    board_sub,
    channels_head,
    incidents_head,
    note_sentence,
    notes_head,
    paths_words,
    service_state,
)

P, W, F, N, X = (State.PASSING, State.WARNING, State.FAILING, State.NO_DATA, State.PAUSED)


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([F, W, W, P], "1 path is failing, 2 have warnings"),
        ([F, F, W, N], "2 paths are failing, 1 has a warning"),
        ([F, P], "1 path is failing"),
        ([W], "1 path has a warning"),
        ([W, W, N], "2 paths have warnings"),
        ([N, N, N, P], "3 paths have no data"),
        ([N], "1 path has no data"),
        ([P] * 12, "All 12 critical paths pass"),
        ([P], "The one critical path passes"),
        ([P] * 10 + [X, X], "10 critical paths pass, 2 are paused"),
        ([P, X], "1 critical path passes, 1 is paused"),
        ([X, X], "2 critical paths are paused"),
        ([], "Nothing is watched yet"),
    ],
)
def test_the_head_of_the_board(states: list[State], said: str):
    assert board_head(Counter(states)) == said


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([P] * 38 + [F, W, W, N, N, X, X],
         "38 of 45 critical paths pass in production. 2 have no data and 2 are paused."),
        ([P, X], "1 of 2 critical paths pass in production. 1 is paused."),
        ([P], "1 of 1 critical path passes in production."),
        ([], "No critical path is probed in production."),
    ],
)  # fmt: skip
def test_below_the_head_of_the_board(states: list[State], said: str):
    assert board_sub(Counter(states), environment="production") == said


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([F, P, P, P], ("3", " of 4")),
        ([N, N], ("", "2 unknown")),
        ([X], ("", "1 paused")),
        ([], ("", "no paths")),
        ([N, P], ("1", " of 2")),
    ],
)
def test_the_paths_of_a_row(states: list[State], said: tuple[str, str]):
    assert paths_words(states) == said


def test_how_many_paths_are_in_the_state_of_a_service():
    assert service_state([F, P, P, P], F) == "1 of 4 critical paths"
    assert service_state([P, P], P) == "all 2 critical paths"
    assert service_state([P], P) == "the one critical path"
    assert service_state([], N) == "no critical path is probed here"


@pytest.mark.parametrize(
    ("failing", "total", "said"),
    [
        ([], 0, "Nobody would be told"),
        ([], 1, "1 channel delivers"),
        ([], 2, "2 channels deliver"),
        (["14:09"], 3, "1 channel has not delivered since 14:09"),
        (["14:09", "14:11"], 3, "2 of 3 channels do not deliver"),
    ],
)
def test_the_head_of_the_alerts(failing: list[str], total: int, said: str):
    assert channels_head(failing, total) == said


def test_notes_and_incidents_are_counted():
    assert note_sentence(4, 4) == "4 steps, about 4 min"
    assert note_sentence(1, None) == "1 step"
    assert note_sentence(0, None) == "No steps written"
    assert notes_head(13, 18) == "13 services of 18 have no rollback note"
    assert notes_head(1, 18) == "1 service of 18 has no rollback note"
    assert notes_head(0, 18) == "Every service has a rollback note"
    assert incidents_head(0) == "No incident is open"
    assert incidents_head(2) == "2 incidents are open"
