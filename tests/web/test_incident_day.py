"""A day of the 90-day strip opens what happened on it."""

from datetime import UTC, datetime, timedelta

import pytest

from opsboard.incidents.models import Incident
from opsboard.probes.models import Probe, ServiceDay, StateChange, microseconds
from opsboard.probes.rules import State
from tests.web.standing import a_path, a_service, stands, text_of

DAY = datetime(2026, 11, 18, tzinfo=UTC)
HERE = "/incidents?service=fares-api&environment=production&day=2026-11-18"


@pytest.fixture
def probe(db: None) -> Probe:
    return stands(a_path(a_service("fares-api", environments=2)))


@pytest.fixture
def read(client_of):
    return lambda address=HERE: client_of("viewer").get(address)


def an_incident(probe: Probe, opened: datetime, resolved: datetime | None) -> Incident:
    made = Incident.objects.create(
        service=probe.path.service, environment=probe.environment,
        title="Price a crossing is failing", opened_at=opened, resolved_at=resolved,
    )  # fmt: skip
    made.paths.create(path=probe.path, joined_at=opened)
    return made


@pytest.mark.parametrize(
    ("opened", "resolved", "is_of_the_day"),
    [
        (timedelta(hours=3), timedelta(hours=4), True),
        (timedelta(hours=-3), timedelta(hours=1), True),
        (timedelta(hours=23), timedelta(hours=30), True),
        (timedelta(hours=-3), timedelta(days=2), True),
        (timedelta(hours=-3), timedelta(seconds=-1), False),
        (timedelta(days=1), timedelta(days=1, hours=1), False),
    ],
)
def test_a_day_has_the_incidents_that_were_open_at_some_time_of_it(
    probe, read, opened, resolved, is_of_the_day
):
    incident = an_incident(probe, DAY + opened, DAY + resolved)
    page = text_of(read().text)
    assert (str(incident) in page) is is_of_the_day
    count = "1 incident" if is_of_the_day else "No incident"
    assert f"{count} of fares-api in production on Wed 18 Nov" in page


def test_one_that_is_still_open_is_of_every_day_since(probe, read):
    incident = an_incident(probe, DAY - timedelta(days=3), None)
    assert str(incident) in read().text


def test_another_environment_is_left_out(probe, read):
    an_incident(probe, DAY, DAY + timedelta(hours=1))
    page = text_of(read(HERE.replace("production", "staging")).text)
    assert "No incident of fares-api in staging on Wed 18 Nov" in page


def test_a_day_without_an_incident_still_says_what_changed(probe, read):
    at = microseconds(DAY + timedelta(hours=9, minutes=12))
    StateChange.objects.create(
        probe=probe, at=at, before=State.PASSING, after=State.WARNING, reason="time is 900 ms"
    )
    page = text_of(read().text)
    assert "09:12Price a crossing: Warning, before that passing. Time is 900 ms." in page
    assert "What changed that day" not in text_of(read(HERE.replace("18", "17")).text)


def test_the_way_back_leads_to_the_service_in_its_environment(probe, read):
    page = read().text
    assert '<a href="/services/fares-api?environment=production">fares-api, 90 days</a>' in page


@pytest.mark.parametrize("wrong", ["18 Nov", "2026-02-30", "0001-01-01", "9999-12-31", "<b>"])
def test_what_is_no_day_is_said_and_finds_nothing(probe, read, wrong):
    incident = an_incident(probe, DAY, DAY + timedelta(hours=1))
    response = read(f"/incidents?day={wrong}")
    assert response.status_code == 422
    assert "is not a day. Write it as 2026-11-28." in response.text
    assert str(incident) not in response.text
    assert "<b>" not in response.text.partition("by-day")[2].partition("</form>")[0]


def test_a_day_alone_is_of_all_services(probe, read):
    incident = an_incident(probe, DAY, DAY + timedelta(hours=1))
    page = text_of(read("/incidents?day=2026-11-18").text)
    assert "1 incident on Wed 18 Nov" in page
    assert str(incident) in page


def test_without_scripts_the_days_that_were_not_passing_are_links(probe, read):
    today = datetime.now(UTC).date()
    for back, worst, seconds in ((2, State.FAILING, 400), (1, State.PASSING, 0)):
        spent = {"failing": seconds, "passing": 86_400 - seconds}
        ServiceDay.objects.create(
            environment=probe.environment, day=today - timedelta(days=back), worst=worst, **spent
        )
    page = read("/services/fares-api").text
    listed = page.partition("Days that were not passing")[2].partition("</details>")[0]
    day = today - timedelta(days=2)
    address = "/incidents?service=fares-api&amp;environment=production&amp;day="
    assert f'<a href="{address}{day}">' in listed
    assert "failing for 7 min" in text_of(listed)
    # The day that passed is not; today is not counted yet, and has no data.
    assert listed.count("<li>") == 2
