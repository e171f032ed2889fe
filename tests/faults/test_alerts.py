"""Alerts get through: senders that are killed, receivers in trouble, and a great many at once."""

import pytest

from tests.faults.alert_rows import (
    bad_receivers,
    kills_around_a_commit,
    kills_of_the_sender,
    storms,
)
from tests.faults.postgres import Server
from tests.faults.rig import Scale

pytestmark = pytest.mark.servers
KILLS = Scale(probes=60, paths_a_service=1, seconds=12, times=10, delivery_lease=1.5, gather=0.03)
COMMIT = Scale(probes=4, paths_a_service=1, interval=3600, timeout=60, margin=60, patience=1)
RECEIVERS = Scale(probes=10, paths_a_service=1, times=5, delivery_lease=2, backoff=0.25)
STORM = Scale(probes=40, paths_a_service=1, seconds=2, gather=0.05)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest) -> Server | None:
    return request.getfixturevalue("server") if request.param == "postgresql" else None


def test_ten_kills_of_the_sender_lose_nothing_and_change_no_order(where: Server | None) -> None:
    outcome = kills_of_the_sender(where, KILLS)
    assert not outcome.broken, outcome.line()


def test_a_failure_is_recorded_with_its_incident_and_its_alerts_or_not_at_all(
    where: Server | None,
) -> None:
    outcome = kills_around_a_commit(where, COMMIT)
    assert not outcome.broken, outcome.line()


def test_receivers_in_trouble_hear_all_in_the_end_and_keep_no_other_waiting() -> None:
    for outcome in bad_receivers(None, RECEIVERS).values():
        assert not outcome.broken, outcome.line()


def test_what_fails_and_recovers_at_once_is_told_in_few_messages_and_none_is_left_out(
    server: Server,
) -> None:
    for outcome in storms(server, STORM).values():
        assert not outcome.broken, outcome.line()
