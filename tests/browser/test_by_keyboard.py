"""The three main jobs, done with the keyboard alone. Where the focus is can be seen throughout."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.browser.everything import make_everything
from tests.browser.everything.releases import WAITS

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# More stops than any page has before its content: who needs more is lost.
MOST_STOPS = 80
# Its own name, whether a person sees where it is, and whether it is on the screen.
FOCUS = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  const drawn = [one, ...one.labels ?? [], one.parentElement].map((it) => getComputedStyle(it));
  const box = one.getBoundingClientRect();
  return {
    name: (one.getAttribute("aria-label") || one.labels?.[0]?.textContent || one.textContent)
      .replace(/\\s+/g, " ").trim(),
    tag: one.tagName.toLowerCase(),
    html: one.outerHTML.slice(0, 120),
    isDrawn: drawn.some((it) => it.outlineStyle !== "none" && parseFloat(it.outlineWidth) >= 2),
    isOnScreen: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}"""


@pytest.fixture
def page(
    transactional_db: None,
    editor: User,
    client_of: Callable[[Any], Client],
    live_server: LiveServer,
    chromium: str,
) -> Iterator[Page]:
    make_everything(editor)
    cookie = client_of("editor").cookies["opsboard"].value
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": 1440, "height": 900},
            reduced_motion="reduce",
        )
        context.add_cookies([{"name": "opsboard", "value": cookie, "url": live_server.url}])
        yield context.new_page()
        browser.close()


def stop(page: Page) -> dict[str, Any]:
    """Where the focus is. It has to be seen there."""
    here: dict[str, Any] | None = page.evaluate(FOCUS)
    assert here, "nothing has the focus"
    assert here["isDrawn"], f"the focus is not drawn on {here['html']}"
    assert here["isOnScreen"], f"the focus is off the screen on {here['html']}"
    return here


def tab_to(page: Page, name: str, *, tag: str = "") -> None:
    """Go on with the tab key until the element of that name has the focus."""
    passed = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        here = stop(page)
        if here["name"].startswith(name) and here["tag"].startswith(tag):
            return
        passed.append(here["name"][:30])
    raise AssertionError(f"{name} was not reached; passed {passed}")


def enter(page: Page, address: str) -> None:
    """Press Enter, and come to a page."""
    with page.expect_navigation(url=address):
        page.keyboard.press("Enter")


def head(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def test_what_is_broken_is_found_and_its_rollback_note_opened(page: Page) -> None:
    page.goto("/")
    tab_to(page, "Skip to content")
    page.keyboard.press("Enter")
    tab_to(page, "Price a crossing", tag="a")
    enter(page, "**/services/fares-api/price-a-crossing?environment=production")
    assert "Failing" in page.locator("main").inner_text()
    page.keyboard.press("n")
    stop(page)
    expect(page.locator("#note")).to_be_in_viewport()
    if not stop(page)["name"].startswith("Open rollback note"):
        tab_to(page, "Open rollback note", tag="a")
    enter(page, "**/price-a-crossing/rollback-note*")
    assert head(page).startswith("Go back")
    expect(page.get_by_text("ferryctl hold fares-api")).to_be_visible()


def test_a_row_of_the_board_is_opened_by_letters(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("j")
    first = stop(page)["name"]
    page.keyboard.press("j")
    assert stop(page)["name"] != first
    page.keyboard.press("k")
    assert stop(page)["name"] == first
    enter(page, "**/services/**")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_a_note_is_written(page: Page) -> None:
    page.goto("/rollback-notes")
    tab_to(page, "Write", tag="a")
    enter(page, "**/rollback-note/edit")
    tab_to(page, "What it does")
    page.keyboard.type("Go back to the one before")
    tab_to(page, "Do this, step 1")
    page.keyboard.type("Hold releases")
    tab_to(page, "Publish", tag="button")
    enter(page, "**/rollback-note")
    assert "Go back to the one before" in page.locator("main").inner_text()


def test_why_a_release_is_not_ready_is_read(page: Page) -> None:
    page.goto("/")
    tab_to(page, "Releases", tag="a")
    enter(page, "**/releases")
    tab_to(page, "Skip to content")
    page.keyboard.press("Enter")
    tab_to(page, f"fares-api {WAITS}", tag="a")
    enter(page, f"**/releases/fares-api/{WAITS}")
    assert "is not ready" in head(page)
    expect(page.get_by_text("To make it ready")).to_be_in_viewport()
    tab_to(page, "Evidence", tag="summary")
    page.keyboard.press("Enter")
    expect(page.locator("details[open] > :not(summary)").first).to_be_visible()
    tab_to(page, "Override", tag="a")


def test_nothing_keeps_the_focus(page: Page) -> None:
    """Tab goes through a page to its end and back again, also where text is typed and scrolled."""
    for address in ("/", "/services/fares-api/price-a-crossing", "/incidents/901", "/changes/901"):
        page.goto(address)
        page.keyboard.press("Tab")
        first, stops = stop(page)["html"], 1
        page.keyboard.press("Tab")
        while page.evaluate(FOCUS) and stop(page)["html"] != first:
            stops += 1
            assert stops < 200, f"{address} has no end"
            page.keyboard.press("Tab")
        assert stops > 10
        page.keyboard.press("Shift+Tab")
        stop(page)
