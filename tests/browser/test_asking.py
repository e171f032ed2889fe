"""The sheet editor asks a real server: clauses are checked as typed, the reply is in sight."""

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from opsboard.services.models import Environment
from tests.far_side import FarSide, answer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
KINDS = ("HTTP", "TCP connection", "TLS certificate", "DNS answer", "Heartbeat")


@pytest.mark.parametrize(
    ("scripts", "width"), [(True, 1440), (True, 390), (False, 1440), (False, 320)]
)
def test_the_reply_is_shown_beside_the_form_and_nothing_typed_is_lost(
    live_server: LiveServer,
    chromium: str,
    environment: Environment,
    client_of: Callable[[str], Client],
    scripts: bool,
    width: int,
) -> None:
    cookie = client_of("editor").cookies["opsboard"].value
    with FarSide(answer(body=b'{"price": 12}')) as far, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(
            base_url=live_server.url,
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
        )
        context.add_cookies([{"name": "opsboard", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.goto("/services/fares-api/paths/new")
        _walk_the_kinds(page, width)
        page.get_by_label("Route").fill(far.url("/price"))
        _write_the_clauses(page, scripts=scripts)
        page.get_by_role("button", name="Ask now, without saving").click()
        reply = page.get_by_role("region", name="What came back")
        expect(reply).to_contain_text("Answered 200")
        expect(reply).to_contain_text('"price": 12')
        if scripts and width == 1440:
            expect(reply).to_be_in_viewport()
            expect(page.get_by_role("button", name="Ask now")).to_be_focused()
        assert page.get_by_label("Name", exact=True).input_value() == "Price a crossing"
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()


def _walk_the_kinds(page: Page, width: int) -> None:
    page.get_by_label("Name", exact=True).fill("Price a crossing")
    for kind in (*KINDS[1:], KINDS[0]):
        page.get_by_role("button", name=kind, exact=True).click()
        chosen = page.get_by_role("button", name=kind, exact=True)
        expect(chosen).to_have_attribute("aria-pressed", "true")
        assert page.get_by_label("Name", exact=True).input_value() == "Price a crossing"
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def _write_the_clauses(page: Page, *, scripts: bool) -> None:
    clauses = page.locator("[name=expected_result]")
    clauses.fill("")
    clauses.press_sequentially("statsu == 200")
    if scripts:
        expect(page.locator("#clauses")).to_contain_text("did you mean `status`?")
    clauses.fill("status == 200\njson $.price < 10")
    if scripts:
        expect(page.locator("#clauses")).to_contain_text("can be read")
