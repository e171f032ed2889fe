"""Services that depend on others: one page for the one below, and its way back first."""

import pytest
from django.contrib.auth.models import User

from opsboard.alerts import planning
from opsboard.alerts.models import Delivery
from opsboard.alerts.planning import reconcile
from opsboard.incidents.linking import lowest_below
from opsboard.incidents.models import Incident
from opsboard.services.models import CriticalPath
from tests.company import a_path, a_service
from tests.incidents.failing import (
    acts,
    at,
    become,
    everybody,
    observe,
    send_all,
    stand,
    two_services,
)

pytestmark = pytest.mark.django_db

FAILING = 2


@pytest.fixture
def paths() -> tuple[CriticalPath, CriticalPath]:
    everybody()
    return two_services()


def of(path: CriticalPath) -> Incident:
    return Incident.objects.get(service=path.service)


def outcomes(path: CriticalPath) -> dict[str, str]:
    rows = Delivery.objects.filter(incident__service=path.service)
    return {row.event: row.held_by if row.held_at else row.outcome() for row in rows}


def test_what_began_after_the_one_below_is_linked_and_sends_no_page_but_a_notice(paths):
    below, above = paths
    become(below, "failing", minute=0)
    become(above, "failing", minute=2)
    assert of(above).below == of(below)
    assert acts(of(above)) == ["opened", "linked"]
    entry = of(above).timeline.get(act="linked")
    assert entry.facts == {"incident": of(below).pk}
    assert entry.text == f"{of(below)} of fares-api: Price a crossing is failing"
    assert outcomes(above) == {"failing": "below", "linked": "waiting"}
    assert (
        "of fares-api below was open before this one began"
        in Delivery.objects.get(held_by="below").reason
    )


def test_what_began_before_stands_for_itself(paths):
    below, above = paths
    become(above, "failing", minute=0)
    become(below, "failing", minute=2)
    reconcile(now=at(3))
    assert of(above).below is None
    assert outcomes(above) == {"failing": "waiting"}


def test_it_began_at_the_first_failing_observation_not_when_that_was_confirmed(paths):
    below, above = paths
    stand(above, "passing", minute=-1)
    observe(above, 0, minute=-1)
    observe(above, FAILING, minute=0)
    observe(above, FAILING, minute=2)
    become(below, "failing", minute=1)
    become(above, "failing", minute=2.1)
    assert of(above).below is None


def test_in_another_environment_it_stands_for_itself(paths):
    below, above = paths
    below.service.environments.update(slug="staging")
    become(below, "failing", minute=0)
    become(above, "failing", minute=2)
    assert of(above).below is None


def test_a_chain_leads_to_the_lowest(paths):
    below, above = paths
    top = a_service("kiosk")
    top.depends_on.add(above.service)
    highest = a_path(top)
    for minute, path in enumerate((below, above, highest)):
        become(path, "failing", minute=minute)
    assert of(highest).below == of(above)
    assert lowest_below(of(highest)) == of(below)
    assert lowest_below(of(below)) is None


def test_when_the_one_below_resolves_and_it_fails_still_the_page_is_sent(paths):
    below, above = paths
    become(below, "failing", minute=0)
    become(above, "failing", minute=2)
    assert send_all(minute=3) == ["failing 1", "linked 1"]
    become(below, "passing", minute=10)
    reconcile(now=at(10))
    assert of(above).below is None
    assert acts(of(above))[-1] == "unlinked"
    # It may be about to recover as well: that is not known before it is asked again.
    assert outcomes(above)["failing"] == "below"
    stand(above, "failing", minute=10.5)
    reconcile(now=at(11))
    delivery = Delivery.objects.get(incident=of(above), event="failing")
    assert (delivery.outcome(), delivery.created_at) == ("waiting", at(11))
    reconcile(now=at(12))
    assert Delivery.objects.filter(incident=of(above)).count() == 2


def test_when_it_recovers_with_the_one_below_nobody_is_paged(paths):
    below, above = paths
    become(below, "failing", minute=0)
    become(above, "failing", minute=2)
    send_all(minute=3)
    become(below, "passing", minute=10)
    reconcile(now=at(10))
    become(above, "passing", minute=10.5)
    reconcile(now=at(20))
    assert outcomes(above) == {"failing": "ended", "linked": "delivered"}


def test_a_page_that_waits_for_another_look_does_not_wait_for_ever(paths):
    below, above = paths
    become(below, "failing", minute=0)
    become(above, "failing", minute=2)
    become(below, "passing", minute=10)
    reconcile(now=at(10))
    reconcile(now=at(13))
    assert outcomes(above)["failing"] == "waiting"


def test_resolving_the_one_below_by_hand_ends_the_link(paths):
    below, above = paths
    become(below, "failing", minute=0)
    become(above, "failing", minute=2)
    planning.resolve(of(below), by=User.objects.create_user("ana"), now=at(5))
    reconcile(now=at(5))
    assert of(above).below is None


def test_a_dependency_that_is_taken_away_ends_the_link(paths):
    below, above = paths
    become(below, "failing", minute=0)
    become(above, "failing", minute=2)
    above.service.depends_on.clear()
    reconcile(now=at(3))
    assert acts(of(above)) == ["opened", "linked", "unlinked"]


def test_a_dependency_that_is_added_links_what_is_open(paths):
    below, above = paths
    above.service.depends_on.clear()
    become(below, "failing", minute=0)
    become(above, "failing", minute=2)
    send_all(minute=3)
    above.service.depends_on.add(below.service)
    reconcile(now=at(3))
    reconcile(now=at(4))
    assert acts(of(above)) == ["opened", "linked"]
    # They have heard that it fails, and are not told again.
    assert outcomes(above) == {"failing": "delivered"}


def test_the_notice_comes_once_however_often_it_begins(paths):
    below, above = paths
    become(below, "failing", minute=0)
    for minute in (2, 4, 6):
        become(above, "failing", minute=minute)
        become(above, "passing", minute=minute + 1)
    assert Delivery.objects.filter(event="linked").count() == 1
    assert not Delivery.objects.filter(incident=of(above), event="resolved").exists()


def test_one_opened_by_hand_stands_for_itself(paths):
    below, above = paths
    become(below, "failing", minute=0)
    place = above.service.environments.get()
    incident = planning.open_by_hand(
        above.service, place, title="x", by=User.objects.create_user("ana"), now=at(1)
    )
    reconcile(now=at(2))
    incident.refresh_from_db()
    assert incident.below is None
