"""Administrators add people, give roles, and take the right to sign in away."""

import re

import pytest
from django.test import Client
from django.utils.html import escape

from opsboard.people import joining
from opsboard.people.models import people
from tests.company import BY, NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(client_of):
    return client_of("administrator")


def link_on(response) -> str:
    return re.search(r"<code>(http[^<]+)</code>", response.text)[1]


def test_a_new_person_gets_a_link_that_is_shown_once(client, settings):
    settings.URL = "http://testserver"
    response = client.post("/people/new", {"name": "Tomasz Wilk", "email": "", "role": "editor"})
    link = link_on(response)
    assert "no-store" in response.headers["Cache-Control"]
    assert link not in client.get("/people").text
    theirs = Client()
    theirs.post(link)
    assert theirs.get("/account").context["role"].name == "editor"


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"name": "layla haddad"}, "Somebody has this name already"),
        ({"role": "owner"}, "owner is not one of the available choices"),
        ({"email": "nonsense"}, "Enter a valid email address"),
    ],
)
def test_a_mistake_keeps_what_was_written(client, form, says):
    whole = {"name": "Tomasz Wilk", "email": "tomasz@skerry.example", "role": "editor"} | form
    response = client.post("/people/new", whole)
    assert response.status_code == 422
    assert says in response.text
    assert f'value="{whole["name"]}"' in response.text
    assert people().count() == 1


def test_a_role_is_changed(client, viewer):
    client.post(f"/people/{viewer.pk}/edit", {"role": "editor", "may_sign_in": "on"})
    assert people().get(pk=viewer.pk).role.name == "editor"


def test_disabling_somebody_ends_their_sessions_at_once(client, client_of, viewer):
    theirs = client_of("viewer")
    client.post(f"/people/{viewer.pk}/edit", {"role": "viewer"})
    assert theirs.get("/").status_code == 302
    assert "May not sign in" in client.get("/people").text


def test_the_last_administrator_cannot_be_changed_away(client, administrator):
    response = client.post(
        f"/people/{administrator.pk}/edit", {"role": "viewer", "may_sign_in": "on"}
    )
    assert response.status_code == 422
    assert "Layla Haddad is the last administrator who can sign in." in response.text


def test_a_new_link_ends_the_older_one(client, viewer):
    older = link_on(client.post(f"/people/{viewer.pk}/link"))
    newer = link_on(client.post(f"/people/{viewer.pk}/link"))
    assert Client().get(older).status_code == 410
    assert Client().get(newer).status_code == 200


def test_no_link_is_made_for_somebody_who_may_not_sign_in(client, viewer):
    joining.change(viewer, role="viewer", may_sign_in=False, by=BY, now=NOON)
    assert client.post(f"/people/{viewer.pk}/link").status_code == 404


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("x" * 121, "At most 120 characters go here, and these are 121"),
        ("x" * 10_000, "at most 150 characters"),
        ("\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 100, "At most 120 characters"),
        ("Vera\nLind", "one line without control characters"),
        ("Vera\x07Lind", "one line without control characters"),
        ("Vera\0Lind", "Null characters are not allowed"),
        ("Vera \N{RIGHT-TO-LEFT OVERRIDE}dniL", "reverses the direction of writing"),
        ("\N{ZERO WIDTH SPACE}", "A name needs a letter, a digit or a sign"),
        ("  ", "This field is required"),
    ],
)
def test_a_name_that_cannot_be_shown_is_refused_with_the_reason(client, name, says):
    response = client.post("/people/new", {"name": name, "email": "", "role": "editor"})
    assert response.status_code == 422
    assert says in response.text
    assert people().count() == 1


@pytest.mark.parametrize(
    "name",
    ["Åse Ødegård", "\N{GRINNING FACE}", "<img src=x onerror=alert(1)>", "=cmd()", "x" * 120],
)
def test_every_other_name_is_kept_and_shown_literally(client, name):
    assert (
        client.post("/people/new", {"name": name, "email": "", "role": "editor"}).status_code == 200
    )
    for address in ("/people", "/audit"):
        page = client.get(address)
        assert escape(name) in page.text
        assert "<img" not in page.text
    assert people().filter(username=name).exists()


def test_an_address_is_entered_later(client, viewer):
    form = {"role": "viewer", "email": "vera@skerry.example", "may_sign_in": "on"}
    client.post(f"/people/{viewer.pk}/edit", form)
    viewer.refresh_from_db()
    assert viewer.email == "vera@skerry.example"
    refused = client.post(f"/people/{viewer.pk}/edit", form | {"email": "nonsense"})
    assert refused.status_code == 422
    assert 'value="nonsense"' in refused.text
