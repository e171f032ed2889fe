"""What the page of a path says of the locations it is asked from."""

from datetime import UTC, datetime

import pytest

from opsboard.probes.models import Probe, microseconds, stand_up
from opsboard.probes.rules import State
from opsboard.services.models import CriticalPath
from tests.web.standing import MINUTE, SECOND, a_path, a_service, observed, text_of

HERE = "/services/fares-api/price-a-crossing"


@pytest.fixture
def price(db: None) -> CriticalPath:
    path = a_path(a_service("fares-api"), locations=["oslo", "hull"])
    stand_up(path.service, now=datetime.now(UTC), location="default")
    return path


def stands_in(location: str, state: State, *, seconds_ago: int = 5, reason: str = "") -> Probe:
    now = microseconds(datetime.now(UTC))
    probe = Probe.objects.get(location=location)
    probe.state = probe.streak_state = state
    probe.state_since, probe.reason = now - 23 * MINUTE, reason
    probe.observed_at = now - seconds_ago * SECOND
    probe.save()
    return probe


def rows(page: str) -> list[str]:
    section = page.partition('aria-labelledby="loc-h"')[2].partition("</section>")[0]
    return [text_of(row).strip() for row in section.split("<tr>")[2:]]


def test_each_location_is_shown_with_its_standing_last_time_p95_and_reason(price, client_of):
    observed(stands_in("oslo", State.PASSING), [100, 110, 120])
    stands_in("hull", State.FAILING, reason="status is 503, expected 200")
    hull, oslo = rows(client_of("viewer").get(HERE).text)
    assert oslo.startswith("oslo Passing 5 s ago 120")
    assert hull.startswith("hull Failing") and "Status is 503, expected 200." in hull


def test_a_silent_location_says_since_when_and_the_path_stands_by_the_other(price, client_of):
    stands_in("oslo", State.PASSING)
    stands_in("hull", State.PASSING, seconds_ago=3600)
    page = client_of("viewer").get(HERE).text
    hull = rows(page)[0]
    assert "No data" in hull and "Nothing was recorded since" in hull
    assert "Passing" in text_of(page.partition("</h1>")[2].partition("</div>")[0])


def test_a_path_of_one_location_has_no_such_table(client_of, db: None):
    path = a_path(a_service("fares-api"))
    stand_up(path.service, now=datetime.now(UTC), location="default")
    assert rows(client_of("viewer").get(HERE).text) == []
