"""Taking the right to sign in away ends everything a person could come in by, at once."""

import pytest
from django.test import Client
from django.utils import timezone

from opsboard.people import joining
from opsboard.people.links import make_link
from opsboard.people.models import SignInLink
from opsboard.rollbacks.models import NoteVersion
from opsboard.web.resuming import Draft, sealed
from tests.company import BY
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

EDIT = "/services/fares-api/rollback-note/edit"
NOTE = [
    ("title", "Go back"),
    ("step-0-do", "Hold releases"),
    ("step-TOTAL_FORMS", "1"),
    ("step-INITIAL_FORMS", "0"),
    ("base", "0"),
]


@pytest.fixture
def disable(client_of, editor):
    def act() -> None:
        client_of("administrator").post(f"/people/{editor.pk}/edit", {"role": "editor"})

    return act


@pytest.fixture
def enable(client_of, editor):
    def act() -> None:
        form = {"role": "editor", "may_sign_in": "on"}
        client_of("administrator").post(f"/people/{editor.pk}/edit", form)

    return act


def is_in(client: Client) -> bool:
    return client.get("/account").status_code == 200


def by_password() -> Client:
    client = Client()
    client.post("/sign-in", {"name": "Edith Moe", "password": PASSWORD})
    return client


def by_link(editor) -> Client:
    client = Client()
    client.post(make_link(editor, by=BY, now=timezone.now()))
    return client


def test_every_session_ends_however_it_began_and_stays_ended(editor, disable, enable):
    browsers = [by_password(), by_password(), by_link(editor)]
    assert [is_in(browser) for browser in browsers] == [True] * 3
    disable()
    assert [is_in(browser) for browser in browsers] == [False] * 3
    enable()
    assert [is_in(browser) for browser in browsers] == [False] * 3


def test_no_session_writes_any_more(editor, disable, service):
    browser = by_password()
    disable()
    assert browser.post(EDIT, dict(NOTE)).status_code == 403
    assert not NoteVersion.objects.exists()


def test_every_link_ends_and_none_is_made(client_of, editor, disable, enable):
    links = [make_link(editor, by=BY, now=timezone.now(), ends_older=False) for _ in range(2)]
    disable()
    assert [Client().post(link).status_code for link in links] == [410, 410]
    assert client_of("administrator").post(f"/people/{editor.pk}/link").status_code == 404
    enable()
    assert [Client().post(link).status_code for link in links] == [410, 410]
    assert not SignInLink.objects.exists()


def test_the_password_ends_and_does_not_come_back(disable, enable):
    disable()
    assert not is_in(by_password())
    enable()
    assert not is_in(by_password())


def test_a_draft_leads_nobody_in(disable, service):
    disable()
    seal = sealed(Draft(EDIT, NOTE))
    browser = Client()
    page = browser.post("/sign-in", {"name": "Edith Moe", "password": PASSWORD, "draft": seal})
    assert page.status_code == 422
    assert seal in page.text
    assert not is_in(browser)
    assert not NoteVersion.objects.exists()


def test_a_password_that_was_on_its_way_is_not_set(editor, disable, enable):
    held = type(editor).objects.get(pk=editor.pk)
    disable()
    now = timezone.now()
    assert not joining.choose_password(held, "eight crossings", by=BY, now=now)
    enable()
    editor.refresh_from_db()
    assert not editor.has_usable_password()
