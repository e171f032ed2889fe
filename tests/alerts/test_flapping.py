"""Paths that flap are told once: that they fail, that they flap, and one end that lasts."""

import pytest
from django.contrib.auth.models import User

from opsboard.alerts import planning
from opsboard.alerts.models import Delivery
from opsboard.alerts.planning import reconcile
from opsboard.incidents.models import Incident
from opsboard.services.models import CriticalPath
from tests.company import a_path
from tests.incidents.failing import at, become, everybody, send_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def path() -> CriticalPath:
    everybody()
    return a_path()


def flap(path: CriticalPath, times: int, *, begin: float = 0) -> list[str]:
    """Fails and recovers, a minute each; what was told meanwhile, each as soon as it was due."""
    told = []
    for number in range(times):
        for state, minute in (("failing", begin + 2 * number), ("passing", begin + 2 * number + 1)):
            become(path, state, minute=minute)
            reconcile(now=at(minute))
            told += send_all(minute=minute)
    return told


def test_once_is_told_at_once(path):
    assert flap(path, 1) == ["failing 1", "resolved 1"]


def test_the_second_beginning_is_told_and_its_end_waits_for_ten_minutes(path):
    assert flap(path, 2) == ["failing 1", "resolved 1", "failing 2"]
    assert send_all(minute=12.9) == []
    assert send_all(minute=13) == ["resolved 2"]


@pytest.mark.parametrize("times", [3, 4, 10])
def test_however_often_it_begins_nobody_hears_more(path, times):
    assert flap(path, times) == ["failing 1", "resolved 1", "failing 2"]
    assert send_all(minute=60) == [f"resolved {times}"]


def test_nothing_is_missing_in_the_ledger(path):
    flap(path, 3)
    rows = Delivery.objects.order_by("opening", "pk").values_list("event", "held_by")
    assert list(rows) == [
        ("failing", ""),
        ("resolved", ""),
        ("failing", ""),
        ("resolved", "flapping"),
        ("failing", "flapping"),
        ("resolved", ""),
    ]
    assert all(row.reason for row in Delivery.objects.held())


def test_what_stays_failing_is_not_told_again(path):
    flap(path, 2)
    become(path, "failing", minute=5)
    reconcile(now=at(60))
    assert send_all(minute=60) == []


def test_who_was_told_of_an_end_hears_of_the_next_beginning(path):
    flap(path, 2)
    # Sent in the very moment in which it begins again.
    assert send_all(minute=13) == ["resolved 2"]
    become(path, "failing", minute=12.99)
    assert Incident.objects.get().openings == 3
    assert send_all(minute=14) == ["failing 3"]


def test_who_was_held_back_before_hears_that_it_fails(path):
    become(path, "failing", minute=0)
    Delivery.objects.hold("silence", "Silenced.", now=at(0))
    become(path, "passing", minute=1)
    assert send_all(minute=2) == []
    become(path, "failing", minute=3)
    # The silence ended; what was held of the first beginning is not told beside the second.
    reconcile(now=at(4))
    assert send_all(minute=5) == ["failing 2"]
    become(path, "passing", minute=6)
    assert send_all(minute=16) == ["resolved 2"]


def test_a_persons_word_is_told_at_once(path):
    flap(path, 1)
    become(path, "failing", minute=3)
    ana = User.objects.create_user("ana")
    planning.resolve(Incident.objects.get(), by=ana, now=at(4))
    assert send_all(minute=4) == ["failing 2", "resolved 2"]


def test_reminders_that_wait_are_not_sent_after_the_end(path):
    become(path, "failing", minute=0)
    send_all(minute=0)
    first = Delivery.objects.get()
    Delivery.objects.create(
        channel=first.channel, incident=first.incident, event="reminder",
        created_at=at(5), wanted_at=first.wanted_at,
    )  # fmt: skip
    become(path, "passing", minute=6)
    assert send_all(minute=6) == ["resolved 1"]
    assert Delivery.objects.get(event="reminder").held_by == "ended"
