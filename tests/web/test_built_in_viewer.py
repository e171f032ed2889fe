"""Opsboard's own probes read its pages with a signed header, and can do nothing else."""

from datetime import timedelta

import pytest
from django.utils import timezone

from opsboard.people.probe_pass import HEADER, issue

pytestmark = pytest.mark.django_db


def ask(client, method="GET", path="/", *, signed=None, age=0):
    now = timezone.now() - timedelta(seconds=age)
    value = issue(*(signed or (method, path)), now)
    return client.generic(method, path, headers={HEADER: value})


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_probe_sees_the_board_as_a_viewer(client, method):
    response = ask(client, method)
    assert response.status_code == 200
    assert response.context["user"].username == "opsboard-probe"
    assert response.context["role"].name == "viewer"


def test_the_query_does_not_matter(client):
    assert ask(client, "GET", "/?team=pricing", signed=("GET", "/")).status_code == 200


def test_no_session_is_opened(client):
    ask(client)
    assert "opsboard" not in client.cookies
    assert client.get("/").status_code == 302


def test_a_probe_may_not_open_what_needs_more_than_a_viewer(client):
    assert ask(client, "GET", "/people").status_code == 403


def test_a_probe_writes_nothing(client):
    assert ask(client, "POST", "/account").status_code == 403


@pytest.mark.parametrize(
    ("signed", "age"), [(("GET", "/alerts"), 0), (("HEAD", "/"), 0), (("GET", "/"), 120)]
)
def test_a_pass_for_something_else_or_too_old_is_ignored(client, signed, age):
    response = ask(client, signed=signed, age=age)
    assert response.headers["Location"] == "/sign-in?next=%2F"


def test_a_made_up_pass_is_ignored(client):
    assert client.get("/", headers={HEADER: "let-me-in"}).status_code == 302


def test_a_pass_makes_an_administrator_no_more_than_a_viewer(client_of):
    assert ask(client_of("administrator"), "GET", "/people").status_code == 403


def test_a_probe_is_told_the_database_calls_and_that_the_page_was_made(client):
    response = ask(client)
    assert response.headers["Server-Timing"].startswith("db;dur=")
    assert response.headers["Cache-Status"] == "django; fwd=bypass"
