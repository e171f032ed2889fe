"""A long note and a lost session, in a real browser, with and without scripts."""

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from opsboard.rollbacks.models import NoteVersion
from opsboard.services.models import Service
from tests.browser.test_reading import in_database
from tests.conftest import PASSWORD

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("django_db_setup"),
]

TEXT = "Prices differ from the fare rules.\n\n  <b>Second</b> paragraph & more."


@pytest.mark.parametrize(("scripts", "width"), [(True, 1440), (False, 390)])
def test_a_note_typed_before_the_session_was_lost_is_saved_with_one_click(
    live_server: LiveServer,
    chromium: str,
    editor: User,
    service: Service,
    scripts: bool,
    width: int,
) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(
            base_url=live_server.url,
            java_script_enabled=scripts,
            viewport={"width": width, "height": 900},
        )
        page.goto("/services/fares-api/rollback-note/edit")
        _sign_in(page)
        page.get_by_label("What it does").fill("Go back to 2026.11.2")
        page.get_by_label("Use it when").fill(TEXT)
        page.get_by_label("Do this, step 1").fill("Hold releases")
        in_database(Session.objects.all().delete)
        page.get_by_role("button", name="Publish").last.click()
        page.get_by_text("what you typed is kept").wait_for()
        _sign_in(page)
        page.get_by_role("heading", name="Nothing was saved yet").wait_for()
        assert page.get_by_text("<b>Second</b> paragraph & more.").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.get_by_role("button", name="Send what is below").click()
        page.wait_for_url("**/services/fares-api/rollback-note")
        browser.close()
    version = NoteVersion.objects.get()
    assert (version.title, version.use_when) == ("Go back to 2026.11.2", TEXT)


def _sign_in(page: Page) -> None:
    page.get_by_label("Name").fill("Edith Moe")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
