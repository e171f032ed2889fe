"""The one-time link that makes the first administrator."""

import pytest
from django.test import Client
from django.utils import timezone

from opsboard.people.links import first_administrator_link
from opsboard.people.models import people

pytestmark = pytest.mark.django_db

FORM = {"name": "Layla Haddad", "password": "eight crossings", "again": "eight crossings"}


@pytest.fixture
def link():
    return first_administrator_link(now=timezone.now())


def test_looking_uses_nothing_up(link, client):
    assert [client.get(link).status_code for _ in range(3)] == [200, 200, 200]
    assert client.post(link, FORM).status_code == 302


def test_the_form_makes_an_administrator_signs_in_and_goes_on_to_the_first_service(link, client):
    assert client.post(link, FORM).headers["Location"] == "/add"
    response = client.get("/people")
    assert response.status_code == 200
    assert "One person uses this board" in response.text


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "opsboard-probe"}, "Somebody has this name already"),
        ({"password": "short", "again": "short"}, "too short"),
        ({"again": "another one"}, "Type the same twice"),
    ],
)
def test_a_mistake_keeps_the_link_and_says_what_to_do(link, client, wrong, says):
    response = client.post(link, FORM | wrong)
    assert response.status_code == 422
    assert says in response.text
    assert not people().exists()
    assert client.post(link, FORM).status_code == 302


def test_of_two_forms_on_the_same_link_one_wins(link):
    assert Client().post(link, FORM).status_code == 302
    late = Client().post(link, FORM | {"name": "Somebody Else"})
    assert late.status_code == 410
    assert "manage.py sign-in-link" in late.text
    assert [person.username for person in people()] == ["Layla Haddad"]


def test_a_link_that_never_was_makes_nobody(client):
    assert client.post("/first/never", FORM).status_code == 410
    assert not people().exists()
