"""What was typed survives a lost sign-in and a stale token; nobody is made to post anything."""

import re
from html import unescape

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from opsboard.people import joining
from opsboard.rollbacks.models import NoteVersion
from opsboard.services.models import Service
from opsboard.web.resuming import Draft, opened, sealed
from tests.company import BY, NOON
from tests.conftest import PASSWORD

pytestmark = pytest.mark.django_db

OURS = "http://testserver"
EDIT = "/services/fares-api/rollback-note/edit"
EVIL = "http://evil.example"
USE_WHEN = 'When <b>prices</b> & "fares" differ.\r\nSecond line: =cmd()'


@pytest.fixture
def browser(editor, service) -> Client:
    """A browser with an editor's session, in which tokens are checked."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(editor)
    return client


def token_on(page) -> str:
    return re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]


def hidden_in(page) -> dict[str, str]:
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
    return {unescape(name): unescape(value) for name, value in pairs}


def note(client, **more) -> dict[str, str]:
    """The form of the note as a person fills it in."""
    form = hidden_in(client.get(EDIT))
    typed = {
        "title": "Go back to 2026.11.2",
        "use_when": USE_WHEN,
        "step-0-do": "Hold releases",
        "act": "save",
    }
    return form | typed | more


def send(client, form, to=EDIT, *, origin=OURS, **headers):
    headers |= {"Origin": origin} if origin else {}
    return client.post(to, form, headers=headers)


def sign_in(client, page, name="Edith Moe", password=PASSWORD):
    form = hidden_in(page) | {"name": name, "password": password}
    return client.post("/sign-in", form, headers={"Origin": OURS})


def lose_the_session() -> None:
    Session.objects.all().delete()


def test_a_note_survives_a_lost_session_and_is_saved_with_one_button(browser):
    form = note(browser)
    lose_the_session()
    page = send(browser, form)
    assert page.status_code == 403
    assert "Nothing was saved yet, and what you typed is kept" in page.text
    assert "no-store" in page.headers["Cache-Control"]
    resumed = sign_in(browser, page)
    assert resumed.status_code == 200
    assert "You are signed in again. Nothing was saved yet." in resumed.text
    assert "When &lt;b&gt;prices&lt;/b&gt; &amp; &quot;fares&quot; differ." in resumed.text
    assert not NoteVersion.objects.exists()
    assert f'<form class="mt4" method="post" action="{EDIT}">' in resumed.text
    saved = send(browser, hidden_in(resumed))
    assert saved.status_code == 302
    version = NoteVersion.objects.get()
    assert version.title == "Go back to 2026.11.2"
    assert version.steps[0]["do"] == "Hold releases"


def test_what_is_posted_after_it_is_what_was_typed_to_the_letter(browser):
    form = note(browser)
    lose_the_session()
    resumed = sign_in(browser, send(browser, form))
    carried = hidden_in(resumed)
    del carried["csrfmiddlewaretoken"], form["csrfmiddlewaretoken"]
    assert carried == form


def test_a_wrong_password_on_the_way_loses_nothing(browser):
    form = note(browser)
    lose_the_session()
    again = sign_in(browser, send(browser, form), password="wrong")
    assert again.status_code == 422
    assert "You are signed in again" in sign_in(browser, again).text


def test_the_form_it_leads_to_still_judges(browser):
    form = note(browser, title="")
    lose_the_session()
    resumed = sign_in(browser, send(browser, form))
    judged = send(browser, hidden_in(resumed))
    assert judged.status_code == 422
    assert "Hold releases" in judged.text


def test_a_stale_token_while_signed_in_is_one_save_away(browser):
    form = note(browser) | {"csrfmiddlewaretoken": "x" * 64}
    page = send(browser, form)
    assert page.status_code == 403
    assert "The form was opened before you last signed in or out" in page.text
    assert send(browser, hidden_in(page)).status_code == 302
    assert NoteVersion.objects.get().title == "Go back to 2026.11.2"


def test_signing_in_elsewhere_meanwhile_loses_nothing(browser, editor):
    form = note(browser)
    browser.cookies.clear()
    browser.force_login(editor)
    browser.get("/")
    page = send(browser, form)
    assert send(browser, hidden_in(page)).status_code == 302


def test_lost_session_and_lost_token_together_lose_nothing(browser):
    form = note(browser)
    browser.cookies.clear()
    resumed = sign_in(browser, send(browser, form))
    assert send(browser, hidden_in(resumed)).status_code == 302


def test_sending_the_sign_in_form_twice_shows_the_page_again(browser):
    form = note(browser)
    lose_the_session()
    page = send(browser, form)
    sign_in(browser, page)
    again = sign_in(browser, page)
    assert again.status_code == 403
    assert send(browser, hidden_in(again)).status_code == 302


@pytest.mark.parametrize(
    ("origin", "headers"),
    [
        (EVIL, {}),
        ("null", {}),
        (None, {}),
        (OURS + ".evil.example", {}),
        (OURS, {"Sec-Fetch-Site": "cross-site"}),
        (OURS, {"Sec-Fetch-Site": "same-site"}),
        (OURS, {"Sec-Fetch-Site": "none"}),
    ],
)
def test_what_a_page_of_somebody_else_sends_is_not_carried(browser, origin, headers):
    form = note(browser)
    lose_the_session()
    page = send(browser, form, origin=origin, **headers)
    assert page.status_code == 403
    assert "Go back to 2026.11.2" not in page.text
    assert 'name="draft"' not in page.text


def test_it_is_not_carried_with_a_stale_token_either(browser):
    form = note(browser) | {"csrfmiddlewaretoken": "x" * 64}
    page = send(browser, form, origin=EVIL)
    assert "This form is too old to be sent" in page.text
    assert "Go back to 2026.11.2" not in page.text


def test_a_draft_that_this_board_did_not_seal_is_not_shown(editor):
    client = Client()
    for seal in ("", "x", sealed(Draft(EDIT, [("title", "x")]))[:-1] + "_"):
        form = {"name": "Edith Moe", "password": PASSWORD, "draft": seal, "next": "/alerts"}
        assert client.post("/sign-in", form).headers["Location"] == "/alerts"


def test_a_draft_is_not_shown_after_a_day(monkeypatch, settings):
    seal = sealed(Draft(EDIT, [("title", "x")]))
    assert opened(seal) == Draft(EDIT, [("title", "x")])
    monkeypatch.setattr("opsboard.web.resuming.LASTS_SECONDS", -1)
    assert opened(seal) is None


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/x",
        "///",
        "/\\evil.example",
        "/sign-in",
        "/sign-out",
        "/nowhere",
    ],
)
def test_a_draft_leads_to_nothing_but_a_form_of_this_board(editor, path):
    seal = sealed(Draft(path, [("title", "Some text")]))
    page = Client().post("/sign-in", {"name": "Edith Moe", "password": PASSWORD, "draft": seal})
    assert "Some text" in page.text
    assert "Send what is below" not in page.text
    assert 'action="' + path not in page.text


def test_somebody_without_the_role_can_copy_it_and_not_send_it(browser, viewer):
    form = note(browser)
    lose_the_session()
    page = sign_in(browser, send(browser, form), name="Vera Lind")
    assert "which needs the role editor. Your role is viewer." in page.text
    assert "Go back to 2026.11.2" in page.text
    assert "Send what is below" not in page.text


def test_a_disabled_person_resumes_nothing(browser, editor):
    form = note(browser)
    joining.change(editor, role="editor", may_sign_in=False, by=BY, now=NOON)
    page = send(browser, form)
    assert 'name="draft"' in page.text
    assert sign_in(browser, page).status_code == 422
    assert not NoteVersion.objects.exists()


def test_a_button_alone_is_not_carried(browser, service):
    token = token_on(browser.get(EDIT))
    lose_the_session()
    form = {"csrfmiddlewaretoken": token, "act": "save"}
    page = send(browser, form, to="/services/fares-api/health/removal")
    assert "Nothing was changed. Sign in" in page.text
    assert 'name="draft"' not in page.text


def test_a_poll_gets_the_answer_of_today(browser):
    form = note(browser)
    lose_the_session()
    page = send(browser, form, **{"HX-Request": "true"})
    assert "Nothing was changed. Sign in" in page.text
    assert 'name="draft"' not in page.text


def test_secrets_are_not_shown_and_are_sent(client_of, environment):
    client = client_of("editor")
    edit = "/services/fares-api/environments/production/edit"
    form = {
        "base_url": "http://127.0.0.1:9",
        "variable-0-name": "TOKEN",
        "variable-0-value": "s3cr3t",
    }
    lose_the_session()
    resumed = sign_in(client, send(client, form, to=edit))
    listed = resumed.text.partition("What was typed</h2>")[2]
    assert "TOKEN" in listed
    assert "Variable 1 value" in listed
    assert "s3cr3t" not in listed
    assert hidden_in(resumed)["variable-0-value"] == "s3cr3t"


def test_two_values_of_one_field_are_both_carried(client_of, path):
    client = client_of("editor")
    lose_the_session()
    form = {"name": "Price", "environments": ["1", "2"]}
    resumed = sign_in(client, send(client, form, to="/services/fares-api/paths/new"))
    assert resumed.text.count('name="environments"') == 2


def test_a_megabyte_is_carried(client_of, service):
    client = client_of("editor")
    lose_the_session()
    text = "ferry crossing price æøå\r\n" * 28_000
    resumed = sign_in(client, send(client, {"use_when": text}))
    assert hidden_in(resumed)["use_when"] == text


def test_what_cannot_be_carried_is_said_to_be_too_long(client_of, service, monkeypatch):
    monkeypatch.setattr("opsboard.web.resuming.MOST_SEALED", 10)
    client = client_of("editor")
    lose_the_session()
    page = send(client, {"use_when": "text"})
    assert page.status_code == 403
    assert "go back in your browser first, and copy it" in page.text


def test_nothing_is_stored_for_somebody_who_is_not_signed_in(browser):
    form = note(browser)
    lose_the_session()
    send(browser, form)
    assert not Session.objects.exists()
    assert Service.objects.count() == 1
