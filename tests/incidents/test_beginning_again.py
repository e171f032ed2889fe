"""What fails again soon is the same incident; what a person says about it holds for a while."""

import pytest
from django.contrib.auth.models import User

from opsboard.alerts import planning
from opsboard.alerts.models import Delivery
from opsboard.alerts.planning import reconcile
from opsboard.incidents.models import Incident
from opsboard.services.models import CriticalPath
from tests.company import a_path, a_service, production
from tests.incidents.failing import acts, at, become, everybody, stand

pytestmark = pytest.mark.django_db


@pytest.fixture
def path() -> CriticalPath:
    return a_path(a_service("fares-api"), name="Price a crossing")


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create_user("ana", first_name="Ana")


def test_failing_again_within_ten_minutes_continues_the_same_incident(path):
    become(path, "failing", minute=0)
    become(path, "passing", minute=5)
    become(path, "failing", minute=14.9, reason="gone again")
    incident = Incident.objects.get()
    assert incident.is_open
    assert (incident.openings, incident.opened_at, incident.reopened_at) == (2, at(0), at(14.9))
    assert acts(incident) == ["opened", "left", "resolved", "reopened"]
    assert incident.paths.get().reason == "gone again"


def test_failing_again_later_is_a_new_incident(path):
    become(path, "failing", minute=0)
    become(path, "passing", minute=5)
    become(path, "failing", minute=15)
    assert [incident.openings for incident in Incident.objects.order_by("pk")] == [1, 1]


def test_another_path_of_the_service_continues_it_too(path):
    other = a_path(path.service)
    become(path, "failing", minute=0)
    become(path, "passing", minute=5)
    become(other, "failing", minute=10)
    incident = Incident.objects.get()
    assert incident.openings == 2
    assert list(incident.paths.filter(left_at=None).values_list("path", flat=True)) == [other.pk]


def test_how_soon_is_a_setting(path, settings):
    settings.REOPEN_WITHIN_SECONDS = 6
    become(path, "failing", minute=0)
    become(path, "passing", minute=5)
    become(path, "failing", minute=5.2)
    assert Incident.objects.count() == 2


def test_people_are_asked_again_who_has_it_and_who_had_it_is_kept(path, ana):
    become(path, "failing", minute=0)
    Incident.objects.get().acknowledge(by=ana, now=at(1))
    become(path, "passing", minute=5)
    become(path, "failing", minute=6)
    incident = Incident.objects.get()
    assert (incident.acknowledged_at, incident.acknowledged_by) == (None, None)
    assert incident.timeline.get(act="acknowledged").by == ana
    assert incident.acknowledge(by=ana, now=at(7))


def test_acknowledged_without_an_account_says_by_whom(path):
    become(path, "failing", minute=0)
    incident = Incident.objects.get()
    assert incident.acknowledge(by=None, by_name="Pricing on call", now=at(1))
    assert (incident.acknowledged_by, incident.acknowledged_as) == (None, "Pricing on call")
    assert incident.timeline.get(act="acknowledged").by_name == "Pricing on call"


# Resolved by hand while it fails ---------------------------------------------------------------


def test_resolved_by_hand_while_it_fails_is_left_alone_for_ten_minutes(path, ana):
    become(path, "failing", minute=0)
    planning.resolve(Incident.objects.get(), by=ana, now=at(5), text="A false alarm")
    for minute in (5, 10, 14.9):
        reconcile(now=at(minute))
    incident = Incident.objects.get()
    assert not incident.is_open
    assert incident.timeline.get(act="resolved").text == "A false alarm"


def test_then_it_is_a_new_incident(path, ana):
    channel = everybody()
    become(path, "failing", minute=0)
    planning.resolve(Incident.objects.get(), by=ana, now=at(5))
    reconcile(now=at(15))
    old, new = Incident.objects.order_by("pk")
    assert (new.opened_at, new.openings, new.is_open) == (at(15), 1, True)
    assert not old.paths.filter(left_at=None).exists()
    told = Delivery.objects.filter(channel=channel).order_by("pk")
    assert [(one.incident, one.event) for one in told] == [
        (old, "failing"),
        (old, "resolved"),
        (new, "failing"),
    ]


def test_recovered_and_failing_anew_after_it_was_resolved_by_hand_continues_it(path, ana):
    become(path, "failing", minute=0)
    planning.resolve(Incident.objects.get(), by=ana, now=at(5))
    become(path, "passing", minute=7)
    become(path, "failing", minute=9)
    incident = Incident.objects.get()
    assert (incident.is_open, incident.openings) == (True, 2)
    assert acts(incident) == ["opened", "resolved", "left", "reopened"]


def test_the_first_person_to_resolve_wins(path, ana):
    become(path, "failing", minute=0)
    incident = Incident.objects.get()
    assert planning.resolve(incident, by=ana, now=at(5))
    assert not planning.resolve(incident, by=ana, now=at(6))
    assert incident.resolved_at == at(5)


# Opened by hand --------------------------------------------------------------------------------


def test_an_incident_opened_by_hand_is_told_and_only_a_person_resolves_it(path, ana):
    everybody()
    incident = planning.open_by_hand(
        path.service, production(path.service), title="The quay is dark", by=ana, now=at(0)
    )
    become(path, "failing", minute=1)
    become(path, "passing", minute=2)
    reconcile(now=at(3))
    incident.refresh_from_db()
    assert incident.is_open
    assert acts(incident) == ["opened", "joined", "left"]
    assert planning.resolve(incident, by=ana, now=at(4))
    assert list(Delivery.objects.order_by("pk").values_list("event", flat=True)) == [
        "failing",
        "resolved",
    ]


def test_one_cannot_be_opened_beside_an_open_one(path, ana):
    become(path, "failing", minute=0)
    with pytest.raises(planning.opening.AlreadyOpen, match="of fares-api is open in production"):
        planning.open_by_hand(path.service, production(path.service), title="x", by=ana, now=at(1))
    assert Incident.objects.count() == 1


def test_what_was_learned_is_kept_with_each_writing_of_it(path, ana):
    become(path, "failing", minute=0)
    become(path, "passing", minute=1)
    incident = Incident.objects.get()
    incident.write_afterword("A cable.", by=ana, now=at(60))
    incident.write_afterword("A cable was cut.", by=ana, now=at(61))
    assert (incident.afterword, incident.afterword_at) == ("A cable was cut.", at(61))
    texts = incident.timeline.filter(act="afterword").order_by("pk").values_list("text", flat=True)
    assert list(texts) == ["A cable.", "A cable was cut."]


# Reconciling -----------------------------------------------------------------------------------


def test_reconciling_continues_an_incident_that_recording_did_not(path):
    become(path, "failing", minute=0)
    become(path, "passing", minute=1)
    stand(path, "failing", minute=2)
    reconcile(now=at(2))
    assert Incident.objects.get().openings == 2
