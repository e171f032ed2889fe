"""Redis goes away, and forgets: probing needs it for nothing."""

import pytest

from tests.faults.postgres import Server
from tests.faults.rig import Scale
from tests.faults.server_rows import redis_forgets, redis_stopped

pytestmark = pytest.mark.servers


def test_probing_goes_on_while_redis_is_stopped_and_bells_ring_again_after(server: Server) -> None:
    outcome = redis_stopped(server, Scale(probes=100, interval=4, timeout=1, seconds=22, times=10))
    assert not outcome.broken, outcome.line()


def test_a_redis_that_forgets_everything_every_second_loses_nothing(server: Server) -> None:
    outcome = redis_forgets(server, Scale(probes=100, interval=3, timeout=1, seconds=12, times=8))
    assert not outcome.broken, outcome.line()
