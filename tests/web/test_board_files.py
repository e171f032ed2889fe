"""The page of board files, and their marks on the pages of what they declare."""

import pytest
from django.test import Client
from django.urls import reverse

from opsboard.board.models import Declaration
from opsboard.people import joining
from opsboard.services.models import CriticalPath, Environment, Service
from tests.board.files import FERRIES, apply_text

pytestmark = pytest.mark.django_db

MARK = "data-declared"


@pytest.fixture
def client(editor):
    client = Client()
    client.force_login(editor)
    return client


@pytest.fixture
def ferries(tmp_path, monkeypatch):
    monkeypatch.setenv("FARES_TOKEN", "first-token")
    assert apply_text(tmp_path, FERRIES).code == 0


def page(client, name, *names):
    return client.get(reverse(name, args=names)).text


def test_a_board_without_files_says_how_to_begin(client):
    text = page(client, "files")
    assert "No board file has been applied" in text
    assert "manage.py export &gt; board.yaml" in text


def test_files_are_listed_with_what_they_declare(client, ferries):
    text = page(client, "files")
    assert "The board is as its files say" in text
    assert "board.yaml" in text
    assert "1 team and 3 services" in text
    assert "the command line" in text


def test_the_person_who_applied_is_named(client, tmp_path):
    joining.add("Ana Berg", "editor")
    apply_text(tmp_path, FERRIES, "--as", "ana berg")
    assert "Ana Berg" in page(client, "files")


def test_what_is_changed_on_the_pages_is_listed_as_drift(client, ferries):
    CriticalPath.objects.filter(slug="health").update(interval=60_000_000)
    Environment.objects.filter(slug="staging").update(base_url="https://other.staging")
    text = page(client, "files")
    assert "2\N{NO-BREAK SPACE}things differ from the files" in text
    assert "path fares-api/health" in text
    assert '<span class="meta">interval</span></th><td class="long">30 s</td>' in text
    assert "https://other.staging" in text


def test_what_was_removed_is_drift_too(client, ferries):
    Service.objects.filter(slug="fares-db").update(removed_at="2026-11-01T00:00Z")
    text = page(client, "files")
    assert '<th scope="row">service fares-db</th>' in text
    assert "not on the board" in text


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("service", ["fares-api"]),
        ("path", ["fares-api", "health"]),
        ("note", ["fares-api"]),
    ],
)
def test_a_declared_thing_says_which_file_declares_it(name, names, client, ferries):
    text = page(client, name, *names)
    assert MARK in text
    assert "board.yaml</a>, a board file: what it says wins at the next apply." in text


@pytest.mark.parametrize(
    ("name", "names", "kind"),
    [
        ("team-edit", ["pricing"], "team"),
        ("service-edit", ["fares-api"], "service"),
        ("environment-edit", ["fares-api", "staging"], "environment"),
        ("path-edit", ["fares-api", "health"], "path"),
        ("note-edit", ["fares-api"], "rollback note"),
    ],
)
def test_the_form_of_a_declared_thing_says_that_the_file_will_win(
    name, names, kind, client, ferries
):
    text = page(client, name, *names)
    assert f"board.yaml</a> declares this {kind}: what it says wins at the next apply." in text


def test_what_no_file_declares_has_no_mark(client, ferries):
    service = Service.objects.get(slug="fares-api")
    service.paths.create(slug="typed", name="Typed", route="/")
    assert MARK not in page(client, "path-edit", "fares-api", "typed")
    assert MARK not in page(client, "path-note-edit", "fares-api", "health")
    assert MARK not in page(client, "service-new")
    assert MARK not in page(client, "team-new")


def test_a_page_of_files_takes_the_same_queries_however_large(
    client, tmp_path, django_assert_max_num_queries
):
    services = "".join(f"  s{n}: {{owner: t}}\n" for n in range(50))
    apply_text(tmp_path, "teams: {t: {}}\nservices:\n" + services)
    assert Declaration.objects.count() == 51
    with django_assert_max_num_queries(22):
        page(client, "files")
