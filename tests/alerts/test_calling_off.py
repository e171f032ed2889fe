"""Alerts that are called off: nobody is told of the past, and nothing that fails now is lost."""

from datetime import UTC, datetime, timedelta

import pytest

from opsboard.alerts.models import Channel, Delivery
from opsboard.alerts.planning import react, reconcile
from opsboard.incidents.models import Incident
from opsboard.probes.models import Probe, microseconds
from opsboard.probes.rules import State
from opsboard.services.models import CriticalPath
from tests.company import a_path, a_probe, production

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
SOON = NOW + timedelta(minutes=1)


@pytest.fixture
def path() -> CriticalPath:
    """A path that fails, of which one channel has not yet heard: that was called off."""
    channel = Channel(name="Everybody", kind=Channel.Kind.EMAIL)
    channel.keep(address="everybody@skerry.example")
    channel.save()
    path = a_path()
    a_probe(path, now=NOW - timedelta(hours=1))
    become(path, State.FAILING, at=NOW - timedelta(minutes=30))
    assert Delivery.objects.hold(Delivery.HeldBy.PAST, "It is past.", now=NOW) == 1
    return path


def become(path: CriticalPath, state: State, *, at: datetime) -> None:
    Probe.objects.filter(path=path).update(state=state, observed_at=microseconds(at))
    react(path.pk, production(path.service).pk, now=at)


def test_what_was_called_off_does_not_wait_and_says_why(path):
    delivery = Delivery.objects.get()
    assert delivery.outcome() == "held"
    assert (delivery.held_by, delivery.reason) == ("past", "It is past.")
    assert not Delivery.objects.waiting().exists()


def test_nobody_is_told_before_it_is_seen_failing_again(path):
    reconcile(now=SOON)
    assert not Delivery.objects.waiting().exists()


def test_who_was_not_told_is_told_when_it_fails_still(path):
    become(path, State.FAILING, at=SOON)
    reconcile(now=SOON)
    delivery = Delivery.objects.waiting().get()
    assert (delivery.created_at, delivery.reason) == (SOON, "")
    assert Incident.objects.open().count() == 1
    reconcile(now=SOON)
    assert Delivery.objects.count() == 1


def test_who_was_not_told_that_it_fails_is_not_told_that_it_does_not(path):
    become(path, State.PASSING, at=SOON)
    assert not Incident.objects.open().exists()
    reconcile(now=SOON)
    assert [delivery.outcome() for delivery in Delivery.objects.all()] == ["held"]


def test_a_channel_that_was_removed_since_is_not_told(path):
    Channel.objects.update(removed_at=NOW)
    become(path, State.FAILING, at=SOON)
    reconcile(now=SOON)
    assert not Delivery.objects.waiting().exists()
