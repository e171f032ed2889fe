"""Routes: listed, written and removed by editors; a mistake is told; who would hear is tried."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from opsboard.alerts.models import Channel, Route
from opsboard.people.models import AuditEntry
from opsboard.services.models import Service, Team
from tests.web.standing import text_of

ROUTES = "/alerts/routes"


def a_channel(name: str, team: Team | None = None, **fields: Any) -> Channel:
    channel = Channel(name=name, kind=Channel.Kind.WEBHOOK, team=team, **fields)
    channel.keep(address="https://hooks.skerry.example/1")
    channel.save()
    return channel


@pytest.fixture
def desk(db: None) -> Channel:
    return a_channel("Desk")


@pytest.fixture
def chief(db: None) -> Channel:
    return a_channel("Chief")


@pytest.fixture
def client(client_of: Callable[[Any], Client]) -> Client:
    return client_of("editor")


@pytest.fixture
def good(desk: Channel) -> dict[str, Any]:
    return {"name": "Nights", "zone": "Europe/Oslo", "channels": [desk.pk]}


def a_route(*channels: Channel, **fields: Any) -> Route:
    route = Route.objects.create(**{"name": "Nights"} | fields)
    route.channels.set(channels)
    return route


def test_without_a_route_the_default_route_is_explained(client: Client) -> None:
    page = text_of(client.get(ROUTES).text)
    assert "No routes yet: the default route says who hears" in page
    assert "the channels of the team that owns the path and those of everybody" in page
    assert f'href="{ROUTES}"' in client.get("/alerts").text or not Channel.objects.exists()


def test_the_page_of_alerts_leads_here(client: Client, desk: Channel) -> None:
    assert f'href="{ROUTES}"' in client.get("/alerts").text


def test_a_route_is_added_with_all_that_it_says(
    client: Client, good: dict[str, Any], team: Team, environment: Any, chief: Channel
) -> None:
    typed = good | {
        "team": team.pk, "tier": "1", "environment_slug": "production", "kind": "page",
        "days": ["4", "5", "6"], "from_time": "22:00", "to_time": "6:30",
        "remind_every": "10", "remind_most": "3", "escalate_after": "15",
        "escalate_to": [chief.pk],
    }  # fmt: skip
    page = client.post(f"{ROUTES}/new", typed, follow=True)
    assert page.redirect_chain == [(ROUTES, 302)]
    shown = text_of(page.text)
    assert "1 route says who hears what" in shown
    assert "Nights Pages of Pricing, tier 1, in production" in shown
    assert "Friday to Sunday, 22:00 to 06:30, Europe/Oslo" in shown
    assert "If nobody acknowledges within 15 min: Chief as well." in shown
    assert "Again every 10 min until somebody acknowledges, at most 3 times." in shown
    route = Route.objects.get()
    assert (route.days, route.tier, route.remind_most) == ([4, 5, 6], 1, 3)
    entry = AuditEntry.objects.get()
    assert (entry.act, entry.kind, entry.subject) == ("added", "alert route", "Nights")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "", "Fill this in."),
        ("zone", "Europe/Atlantis", "Europe/Oslo or UTC"),
        ("channels", [], "Choose at least one channel: a route leads somewhere."),
        ("to_time", "06:00", "Write both times, or leave both empty for the whole day."),
        ("from_time", "25:00", "Write the time as 09:00"),
        ("remind_every", "4", "Write a whole number from 5 to 1440."),
        ("remind_every", "1441", "Write a whole number from 5 to 1440."),
        ("remind_most", "21", "Write a whole number from 1 to 20."),
        ("escalate_after", "0", "Write a whole number from 1 to 1440."),
        ("escalate_after", "15", "Choose who hears in the second step."),
        ("tier", "9", "not one of the available choices"),
        ("days", ["7"], "not one of the available choices"),
    ],
)
def test_a_mistake_is_told_and_nothing_typed_is_lost(
    client: Client, good: dict[str, Any], field: str, value: Any, says: str
) -> None:
    page = client.post(f"{ROUTES}/new", good | {field: value})
    assert page.status_code == 422
    told = " ".join(error for errors in page.context["form"].errors.values() for error in errors)
    assert says in told
    assert 'value="Nights"' in page.text or field == "name"
    assert not Route.objects.exists()


def test_a_second_step_is_of_other_channels_and_needs_its_minutes(
    client: Client, good: dict[str, Any], desk: Channel
) -> None:
    page = client.post(f"{ROUTES}/new", good | {"escalate_to": [desk.pk]})
    errors = page.context["form"].errors
    assert errors["escalate_to"] == ["Desk hears at once already: choose another."]
    assert "after how many minutes" in errors["escalate_after"][0]


def test_the_same_time_twice_is_refused(client: Client, good: dict[str, Any]) -> None:
    page = client.post(f"{ROUTES}/new", good | {"from_time": "9:00", "to_time": "09:00"})
    assert "leave both empty for all day" in page.context["form"].errors["to_time"][0]


def test_a_route_is_changed_and_says_what(
    client: Client, good: dict[str, Any], desk: Channel
) -> None:
    address = f"{ROUTES}/{a_route(desk, zone='Europe/Oslo').pk}/edit"
    shown = client.get(address).context["form"]["shown"].value()
    client.post(address, good | {"name": "Days", "kind": "page", "shown": shown})
    assert Route.objects.get().name == "Days"
    changes = {one["field"]: one["new"] for one in AuditEntry.objects.get().changes}
    assert changes == {"name": "Days", "alerts": "Pages of every team"}


def test_nobody_overwrites_what_they_have_not_seen(
    client: Client, good: dict[str, Any], desk: Channel
) -> None:
    route = a_route(desk)
    shown = client.get(f"{ROUTES}/{route.pk}/edit").context["form"]["shown"].value()
    Route.objects.update(kind="notice")
    page = client.post(f"{ROUTES}/{route.pk}/edit", good | {"shown": shown})
    assert page.status_code == 422
    assert "Somebody else has saved this since you opened it." in page.text


def test_a_removed_route_says_nothing_any_more(client: Client, desk: Channel) -> None:
    route = a_route(desk)
    page = client.post(f"{ROUTES}/{route.pk}/removal", follow=True)
    assert "No routes yet" in page.text
    assert client.get(f"{ROUTES}/{route.pk}/edit").status_code == 404
    assert client.post(f"{ROUTES}/{route.pk}/removal").status_code == 404
    assert AuditEntry.objects.get().act == "removed"


def test_a_route_whose_channels_are_gone_says_so(client: Client, desk: Channel) -> None:
    a_route(desk)
    Channel.objects.update(removed_at="2026-11-01T00:00Z")
    assert "No channel is left: it is passed over" in text_of(client.get(ROUTES).text)


ASKED = {
    "service": "fares-api", "environment": "production", "kind": "page",
    "on": "2026-11-27", "at": "22:30", "zone": "Europe/Oslo",
}  # fmt: skip


def test_who_would_hear_is_tried_at_any_time(
    client_of: Callable[[Any], Client], environment: Any, desk: Channel, chief: Channel
) -> None:
    Channel.objects.filter(pk=chief.pk).update(team=Team.objects.create(slug="x", name="X"))
    a_route(chief, from_time="22:00", to_time="06:00", zone="Europe/Oslo", remind_every=30)
    client = client_of("viewer")
    night = text_of(client.get(ROUTES, ASKED).text)
    assert "Pages, by the route Nights Chief" in night
    assert "Again every 30 min until somebody acknowledges, at most 5 times." in night
    day = text_of(client.get(ROUTES, ASKED | {"at": "12:00"}).text)
    assert "Pages, by the default route Desk" in day
    assert "Notices, by the route Nights Chief" in text_of(
        client.get(ROUTES, ASKED | {"kind": "notice"}).text
    )


def test_it_says_when_nobody_would(client: Client, environment: Any) -> None:
    page = text_of(client.get(ROUTES, ASKED).text)
    assert "Nobody would be told: no alert channel hears about it, and no mail server is set." in (
        page
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("service", "nothing"), ("environment", "moon"), ("kind", "song"), ("on", "2026-02-30"),
        ("on", "9999-12-31"), ("at", "24:00"), ("zone", "../etc/passwd"),
    ],
)  # fmt: skip
def test_a_question_that_cannot_be_answered_says_why(
    client: Client, environment: Any, field: str, value: str
) -> None:
    page = client.get(ROUTES, ASKED | {field: value})
    assert page.status_code == 200
    assert page.context["form"].errors[field]
    assert "hearing" not in page.context


def test_the_list_takes_as_many_queries_for_many_routes(
    client: Client, desk: Channel, service: Service, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        a_route(desk, name=f"Route {number}")
    with django_assert_max_num_queries(14):
        client.get(ROUTES)
