"""A service is made with production and its health path, and changed afterwards."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from opsboard.probes.models import Probe
from opsboard.services.models import Service, Team

SignIn = Callable[[Any], Client]
GOOD = {
    "name": "Fares API",
    "slug": "",
    "summary": "Prices a crossing",
    "tier": "1",
    "team": "Pricing",
    "base_url": "http://127.0.0.1:9/",
    "health_route": "/health",
}


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("editor")


def test_a_new_service_has_production_a_health_path_and_a_probe(client: Client) -> None:
    assert client.post("/services/new", GOOD)["Location"] == "/services/fares-api"
    service = Service.objects.get()
    assert (service.name, service.tier, service.team.name) == ("Fares API", 1, "Pricing")
    assert service.environments.get().base_url == "http://127.0.0.1:9"
    health = service.paths.get()
    assert (health.slug, health.route) == ("health", "/health")
    assert Probe.objects.filter(path=health).count() == 1


def test_a_team_that_is_there_is_used(client: Client, team: Team) -> None:
    client.post("/services/new", GOOD | {"team": "pricing"})
    assert Service.objects.get().team == team


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "x" * 121, "At most 120"),
        ("name", "a\nb", "control characters"),
        ("team", "", "Fill this in."),
        ("tier", "9", "valid choice"),
        ("slug", "edit", "word of the board"),
        ("base_url", "ftp://a.test", "Only http:// or https://"),
        ("base_url", "http://a.test/?x=1", "Leave out ?"),
        ("base_url", "http://169.254.169.254", "metadata service"),
        ("base_url", "http://127.1", "a.b.c.d"),
        ("base_url", "http://ana:pw@a.test", "Take user and password out"),
        ("health_route", "health", "Begin with /"),
        ("health_route", "http://169.254.169.254/x", "metadata service"),
    ],
)
def test_a_mistake_is_told_beside_its_field(
    client: Client, field: str, value: str, says: str
) -> None:
    page = client.post("/services/new", GOOD | {field: value})
    assert page.status_code == 422
    assert says in page.context["form"].errors[field][0]
    assert not Service.objects.exists()


def test_a_taken_name_is_refused(client: Client, service: Service) -> None:
    page = client.post("/services/new", GOOD)
    assert "Fares API has this name already" in page.context["form"].errors["slug"][0]


def test_text_that_looks_like_markup_is_shown_as_text(client: Client) -> None:
    page = client.post("/services/new", GOOD | {"name": "<img onerror=x>", "tier": ""})
    assert "&lt;img onerror=x&gt;" in page.text
    assert "<img onerror" not in page.text


def test_a_service_is_changed_and_keeps_its_address(client: Client, service: Service) -> None:
    shown = client.get("/services/fares-api/edit").context["form"]["shown"].value()
    typed = {"name": "Fares", "summary": "", "tier": "3", "team": "Crossings", "slug": "other"}
    client.post("/services/fares-api/edit", typed | {"shown": shown})
    service.refresh_from_db()
    assert (service.slug, service.name, service.tier) == ("fares-api", "Fares", 3)
    assert service.team.name == "Crossings"


def test_two_people_editing_see_both_versions(client: Client, service: Service) -> None:
    shown = client.get("/services/fares-api/edit").context["form"]["shown"].value()
    Service.objects.update(tier=3, summary="theirs")
    typed = {"name": "Fares API", "summary": "mine", "tier": "2", "team": "Pricing"}
    page = client.post("/services/fares-api/edit", typed | {"shown": shown})
    rows = {row.label: (row.theirs, row.yours) for row in page.context["form"].differences}
    assert rows == {"What it does": ("theirs", "mine"), "Tier": ("Tier 3", "Tier 2")}
    service.refresh_from_db()
    assert service.summary == "theirs"


def test_viewers_may_not(client_of: SignIn, service: Service) -> None:
    client = client_of("viewer")
    assert client.get("/services/new").status_code == 403
    assert client.post("/services/fares-api/edit", {}).status_code == 403
