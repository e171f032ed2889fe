"""Teams are added and changed by editors, and looked at by everybody."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsboard.people.models import Role
from opsboard.services.models import Service, Team
from tests.web.standing import a_path, a_service

SignIn = Callable[[Any], Client]
GOOD = {"name": "Crossings", "slug": "", "contact": "#crossings", "zone": "Europe/Oslo"}


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("editor")


def test_a_team_is_added_with_a_name_for_addresses_from_its_name(client: Client) -> None:
    answered = client.post("/teams/new", GOOD | {"name": "Crossings & Ports"})
    assert answered["Location"] == "/teams/crossings-ports"
    team = Team.objects.get()
    assert (team.slug, team.contact, team.zone) == ("crossings-ports", "#crossings", "Europe/Oslo")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", "", "Fill this in."),
        ("name", "a\u202eb", "reverses the direction"),
        ("slug", "new", "word of the board"),
        ("slug", "Not A Slug", "small letters"),
        ("zone", "Europe/Atlantis", "Europe/Oslo or UTC"),
        ("zone", "../etc/passwd", "Europe/Oslo or UTC"),
        ("contact", "x" * 201, "At most 200"),
    ],
)
def test_a_mistake_is_told_beside_its_field(
    client: Client, field: str, value: str, says: str
) -> None:
    page = client.post("/teams/new", GOOD | {field: value})
    assert page.status_code == 422
    assert says in page.context["form"].errors[field][0]
    assert f'aria-describedby="id_{field}_' in page.text
    assert "#crossings" in page.text or field == "contact"
    assert not Team.objects.exists()


def test_a_taken_name_is_refused(client: Client, team: Team) -> None:
    page = client.post("/teams/new", GOOD | {"name": "Pricing"})
    assert page.context["form"].errors["slug"] == ["Pricing has this name already: choose another."]


def test_a_team_is_changed_and_keeps_its_address(client: Client, team: Team) -> None:
    shown = client.get("/teams/pricing/edit").context["form"]["shown"].value()
    client.post("/teams/pricing/edit", GOOD | {"slug": "other", "shown": shown})
    team.refresh_from_db()
    assert (team.slug, team.name, team.zone) == ("pricing", "Crossings", "Europe/Oslo")


def test_two_people_editing_see_both_versions_and_lose_nothing(client: Client, team: Team) -> None:
    shown = client.get("/teams/pricing/edit").context["form"]["shown"].value()
    Team.objects.update(contact="#fares")
    typed = {"name": "Pricing", "contact": "#mine", "zone": "UTC"}
    page = client.post("/teams/pricing/edit", typed | {"shown": shown})
    assert page.status_code == 422
    assert "Somebody else has saved this" in page.text
    assert "#fares" in page.text
    assert "#mine" in page.text
    team.refresh_from_db()
    assert team.contact == "#fares"
    again = page.context["form"]["shown"].value()
    client.post("/teams/pricing/edit", typed | {"shown": again})
    team.refresh_from_db()
    assert team.contact == "#mine"


def test_the_list_says_who_owns_how_much(client_of: SignIn, team: Team, service: object) -> None:
    page = client_of("viewer").get("/teams").text
    assert "#pricing-on-call" in page
    assert "/teams/pricing/edit" not in page


def test_without_a_team_the_list_says_what_to_do(client: Client) -> None:
    assert "Add the first team" in client.get("/teams").text


def test_people_belong_to_several_teams(client: Client, team: Team, viewer: User) -> None:
    client.post("/teams/new", GOOD | {"members": [viewer.pk]})
    shown = client.get("/teams/pricing/edit").context["form"]["shown"].value()
    typed = {"name": "Pricing", "contact": "", "zone": "UTC", "members": [viewer.pk]}
    assert client.post("/teams/pricing/edit", typed | {"shown": shown}).status_code == 302
    assert {one.slug for one in viewer.teams.all()} == {"crossings", "pricing"}


def test_the_page_of_a_team_says_who_is_in_it_and_what_it_owns(
    client_of: SignIn, team: Team, service: Service, viewer: User
) -> None:
    team.members.add(viewer)
    page = client_of("viewer").get("/teams/pricing").text
    assert "Vera Lind" in page
    assert 'href="/services/fares-api"' in page
    assert "/teams/pricing/edit" not in page
    service.remove(by=None, now=datetime.now(UTC))
    assert "What a team owns stands here." in client_of("viewer").get("/teams/pricing").text


def test_two_editors_see_both_lists_of_members(
    client: Client, team: Team, viewer: User, editor: User
) -> None:
    shown = client.get("/teams/pricing/edit").context["form"]["shown"].value()
    team.members.add(viewer)
    typed = {"name": "Pricing", "contact": "#pricing-on-call", "zone": "UTC"}
    page = client.post("/teams/pricing/edit", typed | {"members": [editor.pk], "shown": shown})
    rows = [(row.label, row.theirs, row.yours) for row in page.context["form"].differences]
    assert len(rows) == 1
    assert rows[0][0] == "Members"
    assert "Vera Lind" in rows[0][1]
    assert "Edith Moe" in rows[0][2]


def test_the_queries_of_a_team_do_not_grow_with_what_it_owns(client: Client, team: Team) -> None:
    def add(count: int) -> int:
        for _ in range(count):
            a_path(a_service(), owner=team)
            person = User.objects.create_user(f"Person {User.objects.count()}")
            Role.objects.create(user=person, name="viewer")
            team.members.add(person)
        with CaptureQueriesContext(connection) as captured:
            for address in ("/teams/pricing", "/teams/pricing/edit", "/teams/pricing/removal"):
                assert client.get(address).status_code == 200
        return len(captured)

    assert add(1) == add(5)
