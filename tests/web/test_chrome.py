"""What every page has around it, and the pages for when there is no page."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from opsboard.incidents.models import Incident

TEMPLATES = sorted(Path(settings.BASE_DIR, "templates").rglob("*.html"))


@pytest.mark.parametrize(
    ("address", "current"),
    [
        ("/", "page"),
        ("/services/fares-api", "true"),
        ("/services/fares-api/price-a-crossing", "true"),
    ],
)
def test_the_place_one_is_at_is_marked(client_of, path, address, current):
    assert f'<a href="/" aria-current="{current}">Board' in client_of("viewer").get(address).text


@pytest.mark.parametrize(
    "address", ["/rollback-notes", "/services/fares-api/price-a-crossing/rollback-note/edit"]
)
def test_a_rollback_note_belongs_to_the_notes(client_of, path, address):
    text = client_of("editor").get(address).text
    assert re.search(r'<a href="/rollback-notes" aria-current="(page|true)">', text)
    assert '<a href="/">Board' in text


def test_open_incidents_are_counted_in_the_navigation(client_of, service, environment):
    Incident.objects.create(
        service=service, environment=environment, title="Hurts", opened_at=timezone.now()
    )
    assert (
        '<span class="count">1<span class="vh"> open</span>'
        in client_of("viewer").get("/account").text
    )


def test_people_is_offered_to_administrators_only(client_of):
    assert 'href="/people"' in client_of("administrator").get("/account").text
    assert 'href="/people"' not in client_of("editor").get("/account").text


def test_a_stranger_sees_no_navigation(client, db):
    assert '<nav class="nav"' not in client.get("/sign-in").text


def test_an_unknown_address_says_so_to_everybody(client, db):
    response = client.get("/no-such-page")
    assert response.status_code == 404
    assert "Nothing is at this address" in response.text


def test_the_page_for_our_own_failure_needs_neither_database_nor_request():
    assert "Opsboard could not answer" in render_to_string("500.html")


def test_the_frame_of_a_page_asks_the_database_little(client_of, django_assert_max_num_queries):
    client = client_of("viewer")
    # Session, person, role, open incidents, and three for the banner.
    with django_assert_max_num_queries(7):
        client.get("/account")


def test_a_poll_asks_for_no_frame(client_of, django_assert_max_num_queries):
    client = client_of("viewer")
    with django_assert_max_num_queries(3):
        client.get("/account", headers={"HX-Request": "true"})


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_script_or_style(template):
    text = template.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text.replace("json_script", ""))


def test_the_policy_allows_no_inline_script(client, db):
    policy = client.get("/sign-in").headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
