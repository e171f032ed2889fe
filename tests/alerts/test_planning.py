"""From incidents to alerts: who is told is written down with what it tells, and healed later."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from opsboard.alerts import planning
from opsboard.alerts.models import Channel, Delivery
from opsboard.alerts.planning import reconcile
from opsboard.board.removing import remove
from opsboard.incidents.models import Incident
from opsboard.probes.models import stand_up
from opsboard.services.models import CriticalPath, Team
from tests.company import BY, a_path, a_service, production
from tests.incidents.failing import at, become, everybody, send_all, stand, two_services

pytestmark = pytest.mark.django_db


@pytest.fixture
def path() -> CriticalPath:
    everybody()
    return a_path(a_service("fares-api"), name="Price a crossing")


def events() -> list[tuple[str, str]]:
    return [(row.event, row.outcome()) for row in Delivery.objects.order_by("pk")]


def test_an_alert_is_written_with_what_it_tells_or_not_at_all(path):
    stand(path, "failing", minute=0)
    with transaction.atomic():
        planning.react(path.pk, production(path.service).pk, now=at(0))
        assert Delivery.objects.exists()
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()
    assert not Incident.objects.exists()


def test_who_was_told_that_it_fails_is_told_that_it_has_recovered(path):
    become(path, "failing", minute=0)
    send_all(minute=0)
    everybody("Late to come")
    become(path, "passing", minute=1)
    assert events() == [("failing", "delivered"), ("resolved", "waiting")]


def test_the_owner_of_a_path_that_fails_too_is_told_and_nobody_twice(path):
    owner = Team.objects.create(slug="harbour", name="Harbour")
    desk = Channel(name="Harbour desk", kind="email", team=owner)
    desk.keep(address="harbour@example.com")
    desk.save()
    become(path, "failing", minute=0)
    assert not desk.deliveries.exists()
    become(a_path(path.service, owner=owner), "failing", minute=1)
    assert [row.event for row in desk.deliveries.all()] == ["failing"]
    become(a_path(path.service), "failing", minute=2)
    assert events() == [("failing", "waiting")] * 2


def test_what_is_still_waiting_is_told_before_its_end(path):
    become(path, "failing", minute=0)
    become(path, "passing", minute=1)
    assert send_all(minute=1) == ["failing 1", "resolved 1"]


# Reconciling -----------------------------------------------------------------------------------


def test_resolved_by_hand_while_it_fails_is_told_and_left_for_ten_minutes(path):
    become(path, "failing", minute=0)
    planning.resolve(Incident.objects.get(), by=User.objects.create_user("ana"), now=at(1))
    reconcile(now=at(10.9))
    assert send_all(minute=11) == ["failing 1", "resolved 1"]
    reconcile(now=at(11))
    assert send_all(minute=11) == ["failing 1"]
    assert Incident.objects.open().get().opened_at == at(11)


def test_pausing_a_failing_path_takes_it_out_of_its_incident(path):
    become(path, "failing", minute=0)
    send_all(minute=0)
    path.pause(by=User.objects.create_user("ana"), now=at(1))
    stand_up(path.service, now=at(1), location="default")
    reconcile(now=at(1))
    assert not Incident.objects.open().exists()
    assert send_all(minute=1) == ["resolved 1"]


def test_removing_a_failing_path_takes_it_out_of_its_incident(path):
    become(path, "failing", minute=0)
    send_all(minute=0)
    remove(BY, path, now=at(1))
    assert not Incident.objects.open().exists()
    assert send_all(minute=1) == ["resolved 1"]


def test_the_resolve_of_a_lower_service_sends_the_page_of_what_fails_still():
    everybody()
    below, above = two_services()
    become(below, "failing", minute=0)
    become(above, "failing", minute=1)
    assert send_all(minute=1) == ["failing 1", "linked 1"]
    become(below, "passing", minute=2)
    reconcile(now=at(2))
    stand(above, "failing", minute=3)
    reconcile(now=at(3))
    assert send_all(minute=3) == ["resolved 1", "failing 1"]


def test_saving_what_a_service_depends_on_brings_its_incident_in_line(client_of):
    below, above = two_services()
    become(below, "failing", minute=0)
    become(above, "failing", minute=1)
    browser: Client = client_of("editor")
    where = f"/services/{above.service.slug}/edit"
    form = browser.get(where).context["form"]
    data = {name: form[name].value() or "" for name in form.fields} | {"depends_on": []}
    assert browser.post(where, data).status_code == 302
    assert Incident.objects.get(service=above.service).below is None
