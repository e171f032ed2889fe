"""Bursts and their workers for real: one is killed in the middle, and two reach for the same."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection

from opsboard.changes import bursts
from opsboard.changes.bursts import asking
from opsboard.changes.bursts.claims import LEASE, BurstClaim, claim
from opsboard.changes.models import Burst, Sample
from opsboard.probes.schedule import database_now
from tests.changes.measured import a_change, now, opened
from tests.company import BY
from tests.far_side import FarSide, Visit, answer

pytestmark = pytest.mark.django_db(transaction=True)

PLACE = settings.HOME_LOCATION


@pytest.fixture(autouse=True)
def in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "was_delayed", lambda _: False)


@pytest.fixture
def worker() -> Iterator["subprocess.Popen[bytes]"]:
    name = str(connection.settings_dict["NAME"])
    command = [sys.executable, "-m", "tests.changes.burst_worker", name, PLACE]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    running = subprocess.Popen(command, env=environment)
    yield running
    running.kill()
    running.wait(10)


@pytest.fixture
def machine() -> Iterator[FarSide]:
    """It answers two requests, and then no other until it is told to."""
    goes_on = threading.Event()

    def behave(visit: Visit) -> None:
        if len(there.requests) > 2 and not goes_on.is_set():
            visit.wait(30)
        answer()(visit)

    with FarSide(behave) as there:
        there.goes_on = goes_on
        yield there


def test_another_worker_goes_on_where_one_was_killed(machine, request):
    burst = bursts.start(opened(a_change(machine.url())), by=BY, now=now(), count=4)
    worker = request.getfixturevalue("worker")
    for _ in range(3):
        machine.wait_for_a_request()
    worker.kill()
    worker.wait(10)
    burst.refresh_from_db()
    # What was answered is there, and the lease runs out by itself.
    assert (burst.asked, burst.finished_at) == (2, None)
    assert Sample.objects.count() == 2
    assert burst.leased_until is not None
    assert burst.leased_until <= database_now() + LEASE
    machine.goes_on.set()
    bursts.ask_due(PLACE, is_stopping=lambda: False)
    assert Sample.objects.count() == 2
    Burst.objects.update(leased_until=database_now())
    bursts.ask_due(PLACE, is_stopping=lambda: False)
    burst.refresh_from_db()
    assert (burst.asked, burst.trouble) == (4, "")
    assert burst.finished_at is not None
    assert Sample.objects.count() == 4


def test_two_workers_never_take_the_same_burst():
    bursts.start(opened(a_change()), by=BY, now=now())
    for _ in range(5):
        Burst.objects.update(claim_id=None, leased_until=None)
        taken = _at_the_same_time(4)
        assert [one is not None for one in taken].count(True) == 1


def _at_the_same_time(count: int) -> list[BurstClaim | None]:
    begin = threading.Barrier(count)
    taken: list[BurstClaim | None] = []

    def reach() -> None:
        begin.wait(10)
        try:
            taken.append(claim(PLACE))
        finally:
            connection.close()

    threads = [threading.Thread(target=reach) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(taken) == count
    return taken
