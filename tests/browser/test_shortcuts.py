"""Keys and sessions on the lists, in a real browser."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from opsboard.services.models import Service, Team
from tests.browser.test_reading import in_database, poll
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(
    live_server: LiveServer,
    chromium: str,
    service: Service,
    client_of: Callable[[str], Client],
) -> Iterator[Page]:
    """An editor's page on a laptop. Three teams, of which one owns Fares API."""
    Team.objects.create(slug="crew", name="Crew")
    Team.objects.create(slug="money", name="Money")
    cookie = client_of("editor").cookies["opsboard"].value
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            base_url=live_server.url, viewport={"width": 1440, "height": 900}
        )
        context.add_cookies([{"name": "opsboard", "value": cookie, "url": live_server.url}])
        yield context.new_page()
        browser.close()


def test_keys_walk_the_rows_of_a_list_and_enter_opens_one(page: Page) -> None:
    page.goto("/teams")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Crew")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Pricing")).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    page.wait_for_url("**/teams/money")
    page.go_back()
    page.wait_for_url("**/teams")


def test_keys_never_stop_at_a_button_that_acts(page: Page) -> None:
    in_database(_remove_crew)
    page.goto("/removed")
    expect(page.get_by_role("button", name="Bring back Crew")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("button", name="Bring back Crew")).not_to_be_focused()


def _remove_crew() -> None:
    Team.objects.filter(slug="crew").update(removed_at=datetime.now(UTC))


def test_keys_are_off_in_fields_and_can_be_switched_off_on_the_device(page: Page) -> None:
    page.goto("/teams")
    page.keyboard.press("/")
    page.wait_for_url("**/search")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("j?n/")
    expect(page.get_by_role("searchbox")).to_have_value("j?n/")
    expect(page.locator("#keys")).not_to_be_visible()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_focused()
    page.goto("/teams")
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.get_by_role("link", name="Crew")).not_to_be_focused()
    expect(page.locator("#keys")).not_to_be_visible()


def test_the_skip_link_and_the_theme_work_by_keyboard(page: Page) -> None:
    page.goto("/teams")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Add a team")).to_be_focused()
    theme = page.locator("[data-theme-toggle]")
    theme.focus()
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(theme).to_be_focused()
    page.goto("/incidents")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_poll_after_the_session_ended_leads_to_sign_in_and_back_to_the_same_page(
    page: Page,
) -> None:
    page.goto("/services/fares-api?environment=production")
    in_database(Session.objects.all().delete)
    poll(page)
    page.wait_for_url("**/sign-in?next=*")
    page.get_by_label("Name").fill("Edith Moe")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/services/fares-api?environment=production")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
