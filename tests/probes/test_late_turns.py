"""A turn that comes late because the board was off is asked all the same, within its interval."""

import pytest

from opsboard.probes.models import Observation, Probe
from opsboard.probes.recording import record
from opsboard.probes.schedule import database_now
from tests.company import GOOD, SECOND, a_path, a_probe, claims, result_of

pytestmark = pytest.mark.django_db

HOUR = 3600 * SECOND


def test_a_path_asked_once_a_day_that_is_an_hour_late_is_recorded() -> None:
    probe = a_probe(a_path(interval=24 * HOUR))
    Probe.objects.update(slot_at=database_now() - HOUR)
    [taken] = claims()
    now = database_now()
    result = result_of(taken, GOOD, asked_at=now)
    assert record([result], now=now, react=lambda _: None) == 0
    assert Observation.objects.get(probe=probe).lateness > 0
