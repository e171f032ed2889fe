"""One incident a service and environment: it opens, paths join and leave, it resolves itself."""

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, transaction

from opsboard.alerts.models import Channel, Delivery
from opsboard.alerts.planning import react, reconcile
from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.probes.models import Probe, stand_up
from opsboard.services.models import CriticalPath, Service
from tests.company import NOON, a_path, a_probe, a_service, production

pytestmark = pytest.mark.django_db


@pytest.fixture
def service() -> Service:
    return a_service("fares-api")


def standing(path: CriticalPath, state: str, reason: str = "status is 503, expected 200") -> None:
    if not Probe.objects.filter(path=path).exists():
        a_probe(path)
    Probe.objects.filter(path=path).update(state=state, reason=reason)
    react(path.pk, production(path.service).pk, now=NOON)


def acts(incident: Incident) -> list[str]:
    return list(incident.timeline.order_by("pk").values_list("act", flat=True))


def test_a_path_confirmed_failing_opens_an_incident(service: Service):
    path = a_path(service, name="Price a crossing")
    standing(path, "failing")
    incident = Incident.objects.get()
    assert incident.title == "Price a crossing is failing"
    assert incident.opened_at == NOON
    assert acts(incident) == ["opened"]


def test_a_second_failing_path_joins_the_open_incident(service: Service):
    standing(a_path(service), "failing")
    standing(a_path(service), "failing")
    incident = Incident.objects.get()
    assert incident.paths.count() == 2
    assert acts(incident) == ["opened", "joined"]


def test_the_incident_resolves_when_all_its_paths_have_recovered(service: Service):
    first, second = a_path(service), a_path(service)
    standing(first, "failing")
    standing(second, "failing")
    standing(first, "passing")
    assert Incident.objects.open().exists()
    standing(second, "warning")
    incident = Incident.objects.get()
    assert incident.resolved_at == NOON
    assert acts(incident) == ["opened", "joined", "left", "left", "resolved"]


def test_no_data_neither_opens_nor_resolves(service: Service):
    path = a_path(service)
    standing(path, "no_data")
    assert not Incident.objects.exists()
    standing(path, "failing")
    standing(path, "no_data")
    assert Incident.objects.open().exists()


def test_a_path_that_fails_again_rejoins(service: Service):
    first, second = a_path(service), a_path(service)
    standing(first, "failing")
    standing(second, "failing")
    standing(first, "passing")
    standing(first, "failing")
    assert Incident.objects.get().paths.filter(left_at=None).count() == 2


def test_two_services_have_two_incidents():
    standing(a_path(), "failing")
    standing(a_path(), "failing")
    assert Incident.objects.open().count() == 2


def test_the_database_refuses_a_second_open_incident(service: Service):
    standing(a_path(service), "failing")
    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.create(
            service=service, environment=production(service), title="x", opened_at=NOON
        )


def test_pausing_a_failing_path_takes_it_out_of_its_incident(service: Service):
    path = a_path(service)
    standing(path, "failing")
    path.paused_at = datetime.now(UTC)
    path.save()
    stand_up(service, now=datetime.now(UTC), location="default")
    reconcile(now=NOON)
    assert not Incident.objects.open().exists()


def test_removing_a_failing_path_takes_it_out_of_its_incident(service: Service):
    path = a_path(service)
    standing(path, "failing")
    path.removed_at = datetime.now(UTC)
    path.save()
    stand_up(service, now=datetime.now(UTC), location="default")
    reconcile(now=NOON)
    assert not Incident.objects.open().exists()


def test_reconciling_opens_the_incident_of_a_failing_path_that_has_none(service: Service):
    probe = a_probe(a_path(service))
    Probe.objects.filter(pk=probe.pk).update(state="failing", reason="gone")
    reconcile(now=NOON)
    assert Incident.objects.open().get().paths.get().reason == "gone"


def test_reconciling_twice_changes_nothing(service: Service):
    Channel(name="all", kind="email", address="").save()
    probe = a_probe(a_path(service))
    Probe.objects.filter(pk=probe.pk).update(state="failing")
    reconcile(now=NOON)
    reconcile(now=NOON)
    assert TimelineEntry.objects.count() == 1
    assert Delivery.objects.count() == 1


def test_reconciling_resolves_an_incident_whose_path_has_recovered(service: Service):
    path = a_path(service)
    standing(path, "failing")
    Probe.objects.filter(path=path).update(state="passing")
    reconcile(now=NOON)
    assert not Incident.objects.open().exists()


def test_the_first_person_to_acknowledge_has_it(service: Service, django_user_model):
    ana, ben = (django_user_model.objects.create_user(name) for name in ("ana", "ben"))
    standing(a_path(service), "failing")
    incident = Incident.objects.get()
    assert incident.acknowledge(by=ana, now=NOON)
    assert not incident.acknowledge(by=ben, now=NOON)
    assert incident.acknowledged_by == ana
    assert acts(incident) == ["opened", "acknowledged"]


def test_a_resolved_incident_cannot_be_acknowledged(service: Service, django_user_model):
    path = a_path(service)
    standing(path, "failing")
    standing(path, "passing")
    ana = django_user_model.objects.create_user("ana")
    assert not Incident.objects.get().acknowledge(by=ana, now=NOON)
