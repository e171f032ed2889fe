"""Maintenance windows are planned for times to come, said wherever they are open, and ended."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.models import Channel, Delivery
from opsboard.alerts.planning import react
from opsboard.incidents.models import Incident
from opsboard.people.models import AuditEntry
from opsboard.probes.models import ServiceDay
from opsboard.probes.rules import State
from opsboard.services.models import MaintenanceWindow
from tests.company import production
from tests.web.standing import stands, text_of

SignIn = Callable[[Any], Client]
HERE = "/maintenance"
DAY = timedelta(days=1)


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("editor")


def typed(**fields: object) -> dict[str, object]:
    tomorrow = datetime.now(UTC).date() + DAY
    values: dict[str, object] = {
        "name": "nightly import",
        "zone": "UTC",
        "starts_on": tomorrow.isoformat(),
        "starts_at": "02:30",
        "lasts": "90 m",
        "repeats": "once",
    }
    return values | fields


def a_window(*, begins: datetime, minutes: int = 60, **fields: object) -> MaintenanceWindow:
    values: dict[str, object] = {
        "name": "nightly import",
        "starts_on": begins.date(),
        "starts_at": begins.time(),
        "minutes": minutes,
        "planned_at": begins - DAY,
    }
    return MaintenanceWindow.objects.create(**(values | fields))


def an_open_window(**fields: object) -> MaintenanceWindow:
    return a_window(begins=datetime.now(UTC) - timedelta(minutes=30), **fields)


def test_a_window_is_planned(client, service, environment, editor):
    answered = client.post(
        f"{HERE}/new", typed(service=service.pk, environment="production", zone="Europe/Oslo")
    )
    assert answered["Location"] == HERE
    window = MaintenanceWindow.objects.get()
    assert (window.service, window.environment_slug, window.minutes) == (service, "production", 90)
    assert (window.planned_by, window.until, window.zone) == (editor, None, "Europe/Oslo")
    entry = AuditEntry.objects.get()
    assert (entry.act, entry.kind, entry.subject) == (
        "added",
        "maintenance window",
        "nightly import",
    )


def test_one_that_repeats_has_weekdays_and_a_last_day(client, environment):
    first = datetime.now(UTC).date() + DAY
    last = first + 30 * DAY
    client.post(f"{HERE}/new", typed(repeats="weekly", weekdays=["0", "6"], until=last.isoformat()))
    window = MaintenanceWindow.objects.get()
    assert (window.weekdays, window.until) == ([0, 6], last)


def test_the_minute_that_has_begun_is_not_past(client, environment):
    now = datetime.now(UTC)
    answered = client.post(
        f"{HERE}/new", typed(starts_on=now.date().isoformat(), starts_at=f"{now:%H:%M}")
    )
    # Unless the next minute began between the two.
    assert answered.status_code == 302 or datetime.now(UTC).minute != now.minute


LATER = "2999-01-01"


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"name": ""}, "name", "Fill this in."),
        ({"zone": "Europe/Atlantis"}, "zone", "Europe/Oslo or UTC"),
        ({"starts_on": "2020-01-01"}, "starts_on", "a window cannot start in the past"),
        ({"starts_on": "2026-02-30"}, "starts_on", "a day of the calendar"),
        ({"starts_on": ""}, "starts_on", "Fill this in."),
        ({"starts_at": "25:00"}, "starts_at", "from 00:00 to 23:59"),
        ({"starts_at": ""}, "starts_at", "Fill this in."),
        ({"lasts": "4 m"}, "lasts", "from 5 m to 7 d"),
        ({"lasts": "8 d"}, "lasts", "from 5 m to 7 d"),
        ({"lasts": "301 s"}, "lasts", "whole minutes"),
        ({"lasts": "long"}, "lasts", "a number and a unit"),
        ({"repeats": "daily"}, "until", "a window always ends"),
        ({"repeats": "daily", "until": "2020-01-01"}, "until", "before the first day"),
        ({"repeats": "daily", "until": LATER}, "until", "at most 366 days"),
        ({"repeats": "weekly", "until": LATER}, "weekdays", "at least one day"),
        ({"repeats": "daily", "until": LATER, "lasts": "25 h"}, "lasts", "24 h at most"),
        (
            {"repeats": "weekly", "until": LATER, "weekdays": ["0", "2"], "lasts": "3 d"},
            "lasts",
            "48 h at most",
        ),
        ({"repeats": "yearly"}, "repeats", "Select a valid choice"),
        ({"repeats": "weekly", "weekdays": ["9"]}, "weekdays", "Select a valid choice"),
    ],
)
def test_a_mistake_is_told_beside_its_field(client, environment, fields, field, says):
    page = client.post(f"{HERE}/new", typed(**fields))
    assert page.status_code == 422
    assert says in page.context["form"].errors[field][0]
    assert not MaintenanceWindow.objects.exists()


def test_the_sentence_of_a_past_start_says_the_moment_in_utc(client, environment):
    page = client.post(f"{HERE}/new", typed(starts_on="2026-03-29", zone="Europe/Oslo"))
    assert page.context["form"].errors["starts_on"] == [
        "It would have begun at 01:30 UTC on 29 March 2026, and a window cannot start in the past: "
        "write a time to come."
    ]


def test_a_week_without_the_chosen_day_is_refused(client, environment):
    first = datetime.now(UTC).date() + DAY
    other = str((first.weekday() + 3) % 7)
    page = client.post(
        f"{HERE}/new", typed(repeats="weekly", weekdays=[other], until=first.isoformat())
    )
    assert "None of the chosen days" in page.context["form"].errors["until"][0]


def test_one_to_come_is_changed_and_two_editors_see_both(client, environment):
    window = a_window(begins=datetime.now(UTC) + 2 * DAY)
    address = f"{HERE}/{window.pk}/edit"
    shown = client.get(address).context["form"]["shown"].value()
    page = client.post(address, typed(name="move of the database", shown=shown, lasts="2 h"))
    assert page.status_code == 302
    window.refresh_from_db()
    assert (window.name, window.minutes) == ("move of the database", 120)
    page = client.post(address, typed(name="mine", shown=shown))
    assert page.status_code == 422
    assert "has saved this" in page.text
    assert AuditEntry.objects.get().act == "changed"


def test_one_that_has_begun_is_history(client, environment):
    window = an_open_window()
    page = client.post(f"{HERE}/{window.pk}/edit", typed(name="other"), follow=True)
    assert "has begun: end it, and plan another" in page.text
    window.refresh_from_db()
    assert window.name == "nightly import"


def test_ended_early_what_fails_still_is_told(client, path):
    channel = Channel(name="Everybody", kind=Channel.Kind.EMAIL)
    channel.keep(address="everybody@skerry.example")
    channel.save()
    window = an_open_window(service=path.service)
    stands(path, State.FAILING)
    react(path.pk, production(path.service).pk, now=datetime.now(UTC))
    assert Delivery.objects.get().held_by == "window"
    assert "Held back still" in client.get("/alerts/suppressed").text
    assert client.post(f"{HERE}/{window.pk}/end").status_code == 302
    assert Delivery.objects.get().outcome() == "waiting"
    client.post(f"{HERE}/{window.pk}/end")
    assert [entry.act for entry in AuditEntry.objects.all()] == ["ended"]


def test_one_to_come_is_called_off(client, environment):
    window = a_window(begins=datetime.now(UTC) + DAY)
    client.post(f"{HERE}/{window.pk}/end")
    assert AuditEntry.objects.get().act == "called off"
    text = text_of(client.get(HERE).text)
    assert "No window is planned." in text
    assert "called off today" in text


def test_the_page_says_the_next_three_in_the_zone_and_in_utc(client, environment):
    begins = datetime(2998, 6, 1, 2, 30, tzinfo=UTC)
    a_window(
        begins=begins,
        zone="Europe/Oslo",
        repeats="weekly",
        weekdays=[0],
        until=date(2998, 9, 1),
        planned_at=datetime.now(UTC),
    )
    text = text_of(client.get(HERE).text)
    assert "Every Monday at 02:30 in Europe/Oslo for 1 h, until 1 Sep 2998." in text
    assert text.count("02:30 to 03:30") == 3
    assert text.count("00:30 to 01:30") == 3


def test_what_is_in_maintenance_says_so_on_its_pages(client, path):
    an_open_window(service=path.service)
    stands(path, State.FAILING)
    react(path.pk, production(path.service).pk, now=datetime.now(UTC))
    number = Incident.objects.get().pk
    pages = ("/services/fares-api", "/services/fares-api/price-a-crossing", f"/incidents/{number}")
    for address in pages:
        text = text_of(client.get(address).text)
        assert "nightly import. Nobody is told, and it is left out of availability." in text
    assert "In maintenance until" in text_of(client.get("/").text)


def test_what_is_not_in_maintenance_says_nothing(client, path):
    an_open_window(service=path.service, environment_slug="staging")
    stands(path)
    for address in ("/", "/services/fares-api", "/services/fares-api/price-a-crossing"):
        assert "In maintenance" not in client.get(address).text


def test_the_service_page_says_how_long_it_was_in_maintenance(client, path):
    stands(path)
    today = datetime.now(UTC).date()
    place = production(path.service)
    ServiceDay.objects.create(
        environment=place, day=today - DAY, passing=600, maintenance=5400, worst="passing"
    )
    ServiceDay.objects.create(environment=place, day=today, maintenance=600, worst="paused")
    text = text_of(client.get("/services/fares-api").text)
    assert "100% of the known time not failing; 1 h 40 min in maintenance left out" in text
    assert "1 day passing, 1 in maintenance." in text


def test_a_service_that_was_only_in_maintenance_has_no_availability(client, path):
    stands(path)
    ServiceDay.objects.create(
        environment=production(path.service),
        day=datetime.now(UTC).date(),
        maintenance=600,
        worst="paused",
    )
    assert client.get("/services/fares-api").context["availability"] == "no data"


def test_a_viewer_sees_windows_and_no_buttons(client_of, environment):
    a_window(begins=datetime.now(UTC) + DAY)
    page = client_of("viewer").get(HERE).text
    assert "nightly import" in page
    assert "Call off" not in page
    assert "maintenance/new" not in page


def test_the_queries_of_the_list_do_not_grow(client, service, environment, editor):
    def count(more: int) -> int:
        for _ in range(more):
            an_open_window(service=service, planned_by=editor)
            a_window(begins=datetime.now(UTC) + DAY, team=service.team)
        with CaptureQueriesContext(connection) as captured:
            client.get(HERE)
        return len(captured)

    assert count(1) == count(5)
