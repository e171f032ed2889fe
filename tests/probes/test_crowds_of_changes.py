"""Many probes that change at once: each in a transaction of its own, and nobody waits for all."""

import time

import pytest
from django.utils import timezone

from opsboard.probes import writing
from opsboard.probes.memory import Memory
from opsboard.probes.models import Observation, Probe, stand_up
from opsboard.probes.results import Result
from opsboard.probes.schedule import SECOND, claim, database_now
from opsboard.probes.writing import Writer
from opsboard.services.models import CriticalPath, Service, Team
from tests.probes.test_recording import BAD, result_of

pytestmark = pytest.mark.django_db(transaction=True)


def a_crowd(many: int) -> list[Result]:
    """Probes that have no data yet, and whose first answer is a failure that is believed."""
    team = Team.objects.create(slug="crowd", name="Crowd")
    service = Service.objects.create(slug="crowd", name="Crowd", team=team)
    service.environments.create(slug="production", base_url="http://127.0.0.1:9")
    for number in range(many):
        CriticalPath.objects.create(
            service=service,
            slug=f"p{number}",
            name=f"p{number}",
            route="/",
            patience=1,
            expected_result="status == 200",
        )
    stand_up(service, now=timezone.now(), location="default")
    _, taken = claim("default", many)
    return [result_of(one, BAD) for one in taken]


def test_what_a_turn_has_no_time_for_is_written_later_and_keeps_its_lease(monkeypatch):
    monkeypatch.setattr(writing, "CHANGES_WITHIN", 0.05)
    told: list[Result] = []

    def react(result: Result) -> None:
        told.append(result)
        time.sleep(0.03)

    one = Writer("default", react, Memory())
    one.unwritten = a_crowd(6)
    Probe.objects.update(leased_until=database_now() + SECOND)
    one.write()
    assert 0 < Observation.objects.count() < 6
    assert one.is_behind
    waiting = [result.claim.probe_id for result in one.unwritten]
    leases = Probe.objects.filter(pk__in=waiting).values_list("leased_until", flat=True)
    assert all(lease and lease > database_now() + SECOND for lease in leases)
    turns = 1
    while one.is_behind:
        one.write()
        turns += 1
    assert (len(told), Observation.objects.count(), one.dropped) == (6, 6, 0)
    assert turns > 2
