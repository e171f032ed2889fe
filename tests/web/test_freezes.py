"""Freezes always end, holds end with a reason, and the days show what is planned and frozen."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from opsboard.releases.models import Freeze, Hold
from opsboard.releases.stopping import hold
from tests.company import BY
from tests.web.releases import HOUR, a_freeze, a_release, now
from tests.web.standing import text_of

SignIn = Callable[[Any], Client]
HERE = "/releases/freezes"
DAYS = "/releases/days"


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("editor")


def written(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


@pytest.fixture
def good(service, environment) -> dict[str, Any]:
    return {
        "reason": "first week of the timetable",
        "service": service.pk,
        "ends_at": written(now() + timedelta(days=2)),
    }


def test_without_any_it_says_what_they_are_for(client, db):
    page = client.get(HERE).text
    assert "Nothing is frozen or held" in page
    assert "No freeze is planned." in page


def test_a_freeze_is_planned_from_now(client, good, service, editor):
    assert client.post(f"{HERE}/new", good)["Location"] == HERE
    one = Freeze.objects.get()
    assert (one.service, one.planned_by) == (service, editor)
    assert one.starts_at <= now()
    page = text_of(client.get(HERE).text)
    assert "1 freeze stands" in page
    assert "first week of the timetable" in page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reason": ""}, "Fill this in."),
        ({"ends_at": ""}, "Fill this in."),
        ({"ends_at": "2020-01-01 00:00"}, "It would have ended already"),
        ({"ends_at": "2999-01-01 00:00"}, "A freeze lasts 366 days at most"),
        ({"environment": "moon"}, "Select a valid choice"),
    ],
    ids=["no reason", "no end", "past", "too long", "no such environment"],
)
def test_a_freeze_that_lacks_something_is_not_kept(client, good, typed, said):
    answer = client.post(f"{HERE}/new", good | typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert not Freeze.objects.exists()


def test_a_freeze_is_ended_and_called_off(client, service):
    open_one, coming = a_freeze(), a_freeze(starts_at=now() + HOUR, ends_at=now() + 2 * HOUR)
    page = client.get(HERE).text
    assert "End now" in page
    assert "Call off" in page
    for one in (open_one, coming):
        assert client.post(f"{HERE}/{one.pk}/end")["Location"] == HERE
    after = text_of(client.get(HERE).text)
    assert "Nothing is frozen or held" in after
    assert "called off" in after


def test_a_viewer_sees_freezes_and_cannot_end_them(client_of, service):
    one = a_freeze()
    viewer = client_of("viewer")
    assert "End now" not in viewer.get(HERE).text
    assert viewer.post(f"{HERE}/{one.pk}/end").status_code == 403


def test_a_service_is_held_until_somebody_writes_why(client, service, environment):
    client.post("/releases/holds/new", {"service": service.pk, "reason": "fare tables were lost"})
    one = Hold.objects.get()
    assert "1 service is held" in client.get(HERE).text
    end = f"/releases/holds/{one.pk}/end"
    assert "fare tables were lost" in client.get(end).text.lower()
    assert client.post(end, {"because": ""}).status_code == 422
    assert client.post(end, {"because": "they are restored"})["Location"] == HERE
    one.refresh_from_db()
    assert one.ended_because == "they are restored"


def test_an_ended_hold_is_not_listed(client, service):
    one = hold(service, reason="fare tables were lost", by=BY, now=now())
    Hold.objects.filter(pk=one.pk).update(ended_at=now(), ended_because="done")
    assert "fare tables" not in client.get(HERE).text


# By day


def day_of(page: str, day: datetime) -> str:
    """What stands in the row of a day; "" when it is one of several with nothing."""
    start = page.split(f'<div><time datetime="{day:%Y-%m-%d}">')[-1]
    start = (
        page.split(f'<div class="is-today"><time datetime="{day:%Y-%m-%d}">')[-1]
        if (day.date() == now().date())
        else start
    )
    return "" if start == page else text_of(start.split("<div")[0])


def test_each_day_shows_what_is_planned_and_frozen(client, service, environment):
    tomorrow = (now() + timedelta(days=1)).replace(hour=15, minute=0)
    a_release(service, planned_at=tomorrow, summary="Load fare rules in one query")
    a_freeze(service=service, starts_at=tomorrow - HOUR, ends_at=tomorrow + timedelta(days=2))
    page = client.get(DAYS).text
    assert "1 release is planned" in page
    first = day_of(page, tomorrow)
    assert "15:00 fares-api 2026.11.4 planned" in first
    assert "from 14:00: Fares API." in first
    assert "all day" in day_of(page, tomorrow + timedelta(days=1))
    assert "until 15:00" in day_of(page, tomorrow + timedelta(days=2))
    assert not day_of(page, tomorrow + timedelta(days=3))


def test_what_went_out_stands_on_the_day_it_did(client, service, environment):
    a_release(service, planned_at=now() + timedelta(days=3), released_at=now())
    page = client.get(DAYS).text
    assert "fares-api 2026.11.4 released" in day_of(page, now())
    assert not day_of(page, now() + timedelta(days=3))


def test_the_days_are_the_past_week_and_the_next_month(client, db):
    page = client.get(DAYS).text
    for days in (-7, -1, 0, 1, 30):
        assert f'datetime="{now() + timedelta(days=days):%Y-%m-%d}"' in page
    assert f'datetime="{now() + timedelta(days=31):%Y-%m-%d}"' not in page


def test_a_month_is_shown_whole_with_the_months_around_it(client, service):
    a_release(service, planned_at=datetime(2027, 2, 28, 23, 59, tzinfo=UTC))
    page = client.get(DAYS, {"month": "2027-02"}).text
    assert 'datetime="2027-02-01"' in page
    assert "2026.11.4" in day_of(page, datetime(2027, 2, 28, tzinfo=UTC))
    assert 'datetime="2027-02-27"' in page
    assert 'datetime="2027-03-01"' not in page
    assert "?month=2027-01" in page
    assert "?month=2027-03" in page


@pytest.mark.parametrize("month", ["x", "2026-13", "0001-01", "9999-12", "2026-1-1", "-"])
def test_a_month_that_is_none_is_the_days_around_today(client, db, month):
    page = client.get(DAYS, {"month": month})
    assert page.status_code == 200
    assert "today" in page.text


def test_a_freeze_that_was_ended_early_stood_until_then(client, service):
    begun = now() - timedelta(days=3)
    a_freeze(
        starts_at=begun, ends_at=now() + timedelta(days=3), removed_at=now() - timedelta(days=2)
    )
    page = client.get(DAYS).text
    assert "Frozen" in day_of(page, now() - timedelta(days=2))
    assert "Frozen" not in day_of(page, now() - timedelta(days=1))
