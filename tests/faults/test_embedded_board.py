"""The embedded board: killed at any moment, and started twice."""

import pytest

from tests.faults.embedded_rows import crashes, two_boards
from tests.faults.rig import Scale

pytestmark = pytest.mark.servers


def test_a_board_that_is_killed_loses_nothing_that_it_recorded() -> None:
    outcome = crashes(Scale(probes=20, interval=1, timeout=1, seconds=1, times=5))
    assert not outcome.broken, outcome.line()


def test_a_second_board_on_the_same_data_refuses_and_the_first_goes_on() -> None:
    outcome = two_boards(Scale(probes=20, interval=2, timeout=1, seconds=8))
    assert not outcome.broken, outcome.line()
