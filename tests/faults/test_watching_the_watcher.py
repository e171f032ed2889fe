"""Opsboard that cannot tell of itself is told of by another way: rows F22, F28 and F46."""

import pytest

from tests.faults.blind_rows import beat_dies, duty_stops
from tests.faults.full_disk import full_disk
from tests.faults.lost_key import key_is_lost
from tests.faults.postgres import NotHereError, Server
from tests.faults.rows import WATCHED

pytestmark = pytest.mark.servers


def test_a_beat_that_was_killed_is_in_the_banner_and_no_word_of_being_alive_goes_out(
    server: Server,
) -> None:
    seen = beat_dies(server, WATCHED)
    assert not seen.trouble, seen


@pytest.mark.parametrize("which", ["probes", "alerts"])
def test_no_word_of_being_alive_goes_out_when_a_duty_stopped(server: Server, which: str) -> None:
    seen = duty_stops(server, WATCHED, which)
    assert not seen.trouble, seen


def test_a_full_disk_is_told_by_the_last_resort_and_all_resumes_without_a_restart() -> None:
    try:
        seen = full_disk()
    except NotHereError as reason:
        pytest.skip(str(reason))
    assert not seen.trouble, seen


def test_a_key_that_is_lost_is_told_by_the_last_resort_and_no_alert_is_lost() -> None:
    seen = key_is_lost(WATCHED)
    assert not seen.trouble, seen
