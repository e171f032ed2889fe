"""The pages of tokens: made and shown once, listed without being shown, revoked."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from opsboard.people import masking, tokens
from opsboard.people.models import ApiToken
from opsboard.services.models import Service

pytestmark = pytest.mark.django_db

type ClientOf = Callable[[str], Client]

FORM = {"name": "CI of fares", "scopes": ["read", "release"], "ends": "90"}


def make(person: User, name: str = "CI of fares", **more: Any) -> ApiToken:
    now = datetime.now(UTC)
    usual: dict[str, Any] = {"scopes": ["read"], "expires_at": now + timedelta(days=30)}
    return tokens.make(name=name, by=person, now=now, **usual | more)[0]


def test_a_token_is_shown_once_after_it_is_made(client_of: ClientOf, service: Service) -> None:
    client = client_of("editor")
    asked = FORM | {"services": "fares-api", "gates": "unit\nlint"}
    made = client.post("/tokens/new", asked)
    assert made.status_code == 200
    assert "no-store" in made["Cache-Control"]
    token = ApiToken.objects.get()
    assert (token.services, token.gates) == (["fares-api"], ["unit", "lint"])
    assert token.scopes == ["read", "release"]
    assert timedelta(days=89) < token.expires_at - datetime.now(UTC) <= timedelta(days=90)
    [shown] = set(re.findall(masking.PATTERN, made.text))
    assert tokens.find(shown, now=datetime.now(UTC)) == token
    for address in ("/tokens", "/tokens/new", f"/tokens/{token.pk}/revocation", "/account"):
        page = client.get(address).text
        assert shown not in page
        assert shown.split("_")[2] not in page
    assert token.prefix in client.get("/tokens").text


@pytest.mark.parametrize(
    ("changed", "field", "says"),
    [
        ({"name": ""}, "name", "Fill this in."),
        ({"scopes": []}, "scopes", "Choose at least one."),
        ({"scopes": ["apply"]}, "scopes", "Select a valid choice"),
        ({"scopes": ["everything"]}, "scopes", "Select a valid choice"),
        ({"services": "no-such"}, "services", "There is no service no-such."),
        ({"gates": "unit tests"}, "gates", "unit tests is no name of a gate."),
        ({"ends": ""}, "ends", "Fill this in."),
        ({"ends": "9999"}, "ends", "Select a valid choice"),
        ({"ends": "on"}, "day", "Write the last day on which it works."),
        ({"ends": "on", "day": "2020-01-01"}, "day", "This is past"),
        ({"ends": "on", "day": "2099-01-01"}, "day", "A token lasts a year at most"),
        ({"ends": "on", "day": "9999-12-31"}, "day", "A token lasts a year at most"),
        ({"ends": "on", "day": "tomorrow"}, "day", "Write a day of the calendar"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    client_of: ClientOf, changed: dict[str, Any], field: str, says: str
) -> None:
    answer = client_of("editor").post("/tokens/new", FORM | changed)
    assert answer.status_code == 422
    assert says in " ".join(answer.context["form"].errors[field])
    assert not ApiToken.objects.exists()


def test_a_day_is_its_whole_day(client_of: ClientOf) -> None:
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    client_of("editor").post("/tokens/new", FORM | {"ends": "on", "day": str(day)})
    expected = datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC)
    assert ApiToken.objects.get().expires_at == expected


def test_only_an_administrator_is_offered_board_files(client_of: ClientOf) -> None:
    words = tokens.SCOPES["apply"]
    assert words not in client_of("editor").get("/tokens/new").text
    assert words in client_of("administrator").get("/tokens/new").text


def test_an_editor_sees_their_own_and_an_administrator_everybodys(
    client_of: ClientOf, editor: User, administrator: User
) -> None:
    make(editor, "of Edith")
    make(administrator, "of Layla")
    mine, all_of_them = (
        client_of("editor").get("/tokens").text,
        client_of("administrator").get("/tokens").text,
    )
    assert "of Edith" in mine
    assert "of Layla" not in mine
    assert "of Edith" in all_of_them
    assert "of Layla" in all_of_them


def test_an_editor_cannot_revoke_what_is_not_theirs(
    client_of: ClientOf, administrator: User
) -> None:
    token = make(administrator)
    assert client_of("editor").post(f"/tokens/{token.pk}/revocation").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_revoking_asks_first_and_then_does_it(
    client_of: ClientOf, editor: User, administrator: User
) -> None:
    token = make(editor)
    client = client_of("administrator")
    assert "Revoke CI of fares?" in client.get(f"/tokens/{token.pk}/revocation").text
    assert ApiToken.objects.get().revoked_at is None
    page = client.post(f"/tokens/{token.pk}/revocation", follow=True).text
    assert "is revoked: it opens nothing any more." in page
    assert ApiToken.objects.get().revoked_by == administrator
    assert "was revoked before" in client.post(f"/tokens/{token.pk}/revocation", follow=True).text
    assert "is revoked" in client.get(f"/tokens/{token.pk}/revocation").text


def test_what_soon_ends_or_does_less_is_said(
    client_of: ClientOf, editor: User, administrator: User, viewer: User
) -> None:
    make(editor, expires_at=datetime.now(UTC) + timedelta(days=9))
    make(viewer, scopes=["release"])
    page = client_of("administrator").get("/tokens").text
    assert "2\xa0tokens let programs in, 1 of them ends within 14 days" in page
    assert "It allows less than it says: Vera Lind has another role now." in page


def test_an_empty_list_says_what_a_token_is_for(client_of: ClientOf) -> None:
    page = client_of("editor").get("/tokens").text
    assert "None of your tokens is in use" in page
    assert "A token lets a CI run or a script speak to Opsboard" in page


def test_many_tokens_cost_no_more_queries(
    client_of: ClientOf, editor: User, administrator: User, django_assert_max_num_queries: Any
) -> None:
    for number in range(40):
        make(editor, f"CI {number}")
    over = make(editor, "over")
    ApiToken.objects.filter(pk=over.pk).update(revoked_at=datetime.now(UTC), revoked_by=editor)
    client = client_of("administrator")
    with django_assert_max_num_queries(9):
        client.get("/tokens")


@pytest.mark.parametrize("address", ["/account", "/people", "/"])
def test_pages_lead_to_the_tokens(client_of: ClientOf, address: str) -> None:
    page = client_of("administrator").get(address).text
    assert 'href="/tokens"' in page
    assert 'href="/api-reference"' in page
