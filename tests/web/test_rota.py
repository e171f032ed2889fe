"""The rota of a team: who is on duty in its zone and in UTC, who is next, who covers."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from opsboard.people import joining
from opsboard.people.models import AuditEntry
from opsboard.services.models import Rota, RotaCover, Team
from tests.web.standing import text_of

HERE = "/teams/pricing/rota"
# A Saturday, in the week of the clocks going back.
NOW = datetime(2026, 10, 24, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _the_clock_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)


@pytest.fixture
def ida(db: None) -> User:
    return joining.add("Ida Berg", "editor", password="correct horse battery")


@pytest.fixture
def ole(db: None) -> User:
    return joining.add("Ole Dahl", "viewer", password="correct horse battery")


@pytest.fixture
def client(client_of: Callable[[Any], Client]) -> Client:
    return client_of("editor")


@pytest.fixture
def oslo(team: Team) -> Team:
    team.zone = "Europe/Oslo"
    team.save()
    return team


def a_rota(team: Team, *people: User) -> Rota:
    rota = Rota.objects.create(team=team, starts_on=date(2026, 10, 12), hand_over_at=time(9))
    for position, person in enumerate(people, start=1):
        rota.turns.create(position=position, person=person)
    return rota


def typed(*people: User, **fields: str) -> dict[str, Any]:
    chosen = {f"person_{number}": one.pk for number, one in enumerate(people, start=1)}
    usual = {"starts_on": "2026-10-12", "hand_over_at": "09:00", "days": "7"}
    return usual | chosen | fields


def test_without_a_rota_nobody_is_on_duty(client: Client, oslo: Team) -> None:
    page = text_of(client.get(HERE).text)
    assert "Nobody is on duty for Pricing: there is no rota" in page
    assert "Make a rota" in page
    assert "On duty Rota Nobody." in text_of(client.get("/teams/pricing").text)


def test_it_says_who_is_on_duty_until_when_in_both_clocks_and_who_is_next(
    client: Client, oslo: Team, ida: User, ole: User
) -> None:
    a_rota(oslo, ida, ole)
    page = text_of(client.get(HERE).text)
    assert "Ole Dahl is on duty for Pricing" in page
    # Until Monday after the clocks went back: nine o'clock is 08:00 UTC, no longer 07:00.
    assert "Until Mon 26 Oct 09:00 in Europe/Oslo, 08:00 UTC, then Ida Berg." in page
    assert (
        "Ole Dahl now Mon 19 Oct 09:00 Mon 19 Oct 07:00 UTC Mon 26 Oct 09:00 Mon 26 Oct 08:00 UTC"
        in page
    )
    assert page.count("Europe/Oslo To ") == 1
    team = text_of(client.get("/teams/pricing").text)
    assert "Ole Dahl Until Mon 26 Oct 09:00 in Europe/Oslo, 08:00 UTC, then" in team


def test_who_has_no_address_or_may_not_sign_in_is_said(
    client: Client, oslo: Team, ida: User, ole: User
) -> None:
    a_rota(oslo, ida, ole)
    assert "Ole Dahl has no e-mail address." in text_of(client.get(HERE).text)
    ole.is_active = False
    ole.save()
    page = text_of(client.get(HERE).text)
    assert "Ida Berg is on duty for Pricing" in page
    assert "Ole Dahl may not sign in any more and is passed over" in page
    ida.is_active = False
    ida.save()
    assert "Nobody is on duty for Pricing" in text_of(client.get(HERE).text)


def test_before_its_first_day_it_says_when_it_begins(client: Client, oslo: Team, ida: User) -> None:
    a_rota(oslo, ida)
    Rota.objects.update(starts_on=date(2026, 11, 2))
    page = text_of(client.get(HERE).text)
    assert "The rota begins Mon 2 Nov 09:00 in Europe/Oslo, 08:00 UTC" in page


def test_a_rota_is_made_changed_and_removed_and_the_log_says_so(
    client: Client, oslo: Team, ida: User, ole: User
) -> None:
    assert client.post(f"{HERE}/edit", typed(ida, ole))["Location"] == HERE
    form = client.get(f"{HERE}/edit").context["form"]
    changed = typed(ole, ida, shown=form["shown"].value(), days="1")
    assert client.post(f"{HERE}/edit", changed).status_code == 302
    turns = Rota.objects.get().turns.order_by("position")
    assert [turn.person for turn in turns] == [ole, ida]
    client.post(f"{HERE}/removal")
    assert not Rota.objects.exists()
    log = list(AuditEntry.objects.order_by("pk").values_list("act", "kind", "subject"))
    assert log == [(act, "rota", "pricing") for act in ("added", "changed", "removed")]
    said = AuditEntry.objects.get(act="changed").changes
    assert {"field": "people", "old": "Ida Berg, Ole Dahl", "new": "Ole Dahl, Ida Berg"} in said


def test_members_come_first_in_the_list(client: Client, oslo: Team, ida: User, ole: User) -> None:
    oslo.members.add(ole)
    names = [
        words for _, words in client.get(f"{HERE}/edit").context["form"]["person_1"].field.choices
    ]
    assert names[:2] == ["Nobody", "Ole Dahl (has no e-mail address)"]


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"starts_on": ""}, "starts_on", "Fill this in."),
        ({"starts_on": "12/10/2026"}, "starts_on", "Write the day as 2026-11-30."),
        ({"hand_over_at": "9"}, "hand_over_at", "Write the time as 09:00"),
        ({"days": "0"}, "days", "Write a whole number from 1 to 28."),
        ({"days": "29"}, "days", "Write a whole number from 1 to 28."),
        ({"person_1": ""}, "person_1", "Choose at least one person."),
        ({"person_1": "99999"}, "person_1", "not one of the available choices"),
    ],
)
def test_a_mistake_is_told_beside_its_field(
    client: Client, oslo: Team, ida: User, fields: dict[str, str], field: str, says: str
) -> None:
    page = client.post(f"{HERE}/edit", typed(ida) | fields)
    assert page.status_code == 422
    assert says in page.context["form"].errors[field][0]
    assert not Rota.objects.exists()


def test_nobody_stands_in_it_twice(client: Client, oslo: Team, ida: User) -> None:
    page = client.post(f"{HERE}/edit", typed(ida, ida))
    assert "twice" in page.context["form"].errors["person_2"][0]


def test_nobody_overwrites_what_they_have_not_seen(
    client: Client, oslo: Team, ida: User, ole: User
) -> None:
    rota = a_rota(oslo, ida)
    shown = client.get(f"{HERE}/edit").context["form"]["shown"].value()
    rota.turns.create(position=2, person=ole)
    page = client.post(f"{HERE}/edit", typed(ida, shown=shown))
    assert page.status_code == 422
    assert rota.turns.count() == 2


COVER = {
    "from_day": "2026-10-24", "from_time": "12:00", "to_day": "2026-10-25", "to_time": "12:00",
}  # fmt: skip


def test_a_cover_is_on_duty_until_it_ends_or_is_removed(
    client: Client, oslo: Team, ida: User, ole: User
) -> None:
    a_rota(oslo, ole)
    client.post(f"{HERE}/covers/new", COVER | {"person": ida.pk})
    page = text_of(client.get(HERE).text)
    assert "Ida Berg is on duty for Pricing As a cover. Until Sun 25 Oct 12:00" in page
    cover = RotaCover.objects.get()
    assert cover.ends_at == datetime(2026, 10, 25, 11, tzinfo=UTC)
    client.post(f"{HERE}/covers/{cover.pk}/removal")
    assert "Ole Dahl is on duty for Pricing" in text_of(client.get(HERE).text)
    log = list(AuditEntry.objects.order_by("pk").values_list("act", "kind"))
    assert log == [("added", "cover of a rota"), ("removed", "cover of a rota")]


@pytest.mark.parametrize(
    ("fields", "field", "says"),
    [
        ({"person": ""}, "person", "Choose who covers."),
        ({"to_day": "2026-10-23"}, "to_day", "It ends before it begins"),
        ({"from_day": "2026-10-01", "to_day": "2026-10-02"}, "to_day", "It has ended already"),
        ({"to_day": "2027-10-25"}, "to_day", "At most 60 days"),
        ({"to_time": ""}, "to_time", "Fill this in."),
    ],
)
def test_a_cover_that_cannot_be_says_why(
    client: Client, oslo: Team, ida: User, fields: dict[str, str], field: str, says: str
) -> None:
    a_rota(oslo, ida)
    page = client.post(f"{HERE}/covers/new", COVER | {"person": ida.pk} | fields)
    assert page.status_code == 422
    assert says in page.context["form"].errors[field][0]
    assert not RotaCover.objects.exists()


def test_a_cover_belongs_to_a_rota_of_this_team(client: Client, oslo: Team, ida: User) -> None:
    assert client.get(f"{HERE}/covers/new").status_code == 404
    other = Team.objects.create(slug="freight", name="Freight")
    cover = a_rota(other, ida).covers.create(person=ida, starts_at=NOW, ends_at=NOW.replace(day=25))
    assert client.post(f"{HERE}/covers/{cover.pk}/removal").status_code == 404


def test_viewers_look_and_get_no_buttons(
    client_of: Callable[[Any], Client], oslo: Team, ida: User
) -> None:
    a_rota(oslo, ida)
    page = client_of("viewer").get(HERE)
    assert page.status_code == 200
    assert "Edit rota" not in page.text
    assert "Remove" not in page.text
