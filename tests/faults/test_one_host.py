"""Many probes of one machine that does not answer: it is asked by four at a time, and the rest are
left to others."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connections

from opsboard.probes.drain import Drain
from opsboard.probes.models import Probe, stand_up
from tests.company import a_path, a_service
from tests.far_side import FarSide, Visit
from tests.running.processes import until

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_finds_no_place_at_its_machine_is_handed_back_for_later():
    over, served = threading.Event(), []

    def hang(visit: Visit) -> None:
        served.append(visit)
        visit.wait(20)

    with FarSide(hang) as machine:
        service = a_service()
        service.environments.update(base_url=machine.url(""))
        for _ in range(7):
            a_path(service)
        stand_up(service, now=datetime.now(UTC), location="default")
        handed_back = Probe.objects.filter(claim_id=None, leased_until__isnull=False)

        def drain() -> None:
            Drain("default", lambda _: None, over.is_set).run()
            connections.close_all()

        thread = threading.Thread(target=drain)
        thread.start()
        try:
            assert until(lambda: handed_back.count() == 3, seconds=10)
            assert len(served) == 4
        finally:
            over.set()
            thread.join()
