"""Targets that hang by the hundred, and a process that has no file descriptor left."""

from tests.faults.rows import HANGING, STARVED
from tests.faults.trouble_rows import descriptors_run_out, targets_hang


def test_targets_that_hang_are_timed_out_and_the_others_keep_their_rhythm() -> None:
    assert not targets_hang(HANGING).trouble


def test_a_process_without_descriptors_calls_no_target_down() -> None:
    assert not descriptors_run_out(STARVED).trouble
