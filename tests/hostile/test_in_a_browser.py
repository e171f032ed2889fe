"""The pages people read most, in a real browser, full of what would run if it could."""

from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from opsboard.alerts.models import Message
from opsboard.changes.models import Change
from opsboard.incidents.models import Incident
from tests.hostile.board import build
from tests.hostile.conftest import program
from tests.hostile.texts import LONG, WRITTEN
from tests.hostile.writing import Hand, writing

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PAGES = [
    "/",
    "/services/fares-api",
    "/services/fares-api/price-a-crossing",
    "/services/fares-api/price-a-crossing/rollback-note",
    "/incidents",
    "/releases/fares-api/2026.11.9",
    "/search?q=QZ",
    "/audit",
]
TAILS = {"runs": WRITTEN["markup"] + WRITTEN["image"], "is long": LONG}
WATCH = "document.addEventListener('securitypolicyviolation', (e) => console.error(e.blockedURI))"


@pytest.fixture(params=TAILS)
def written(request: pytest.FixtureRequest, administrator) -> Hand:
    with writing(TAILS[request.param]) as hand:
        build(program(administrator))
    return hand


def test_nothing_runs_nothing_is_complained_of_and_nothing_is_too_wide(
    written: Hand, live_server: LiveServer, chromium: str, client_of: Callable[[str], Client]
):
    cookie = client_of("administrator").cookies["opsboard"].value
    message = Message.objects.filter(channel__kind="email").last()
    incident, change = Incident.objects.earliest("pk"), Change.objects.earliest("pk")
    numbered = [f"/incidents/{incident.pk}", f"/changes/{change.pk}"]
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 390, "height": 800})
        context.add_cookies([{"name": "opsboard", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.add_init_script(WATCH)
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        for address in (*PAGES, *numbered, f"/alerts/messages/{message.key}"):
            page.goto(live_server.url + address, wait_until="load")
            wrong += [f"{address}: {one}" for one in looked_at(page)]
        browser.close()
    assert not wrong, "\n".join(wrong)


def looked_at(page: Page) -> list[str]:
    """What is wrong with the page as it stands there, everything on it opened."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert "QZ" in page.inner_text("body").upper()
    width = page.evaluate("document.documentElement.scrollWidth")
    wide = """[...document.querySelectorAll('main *')].filter((one) =>
        one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.wide, .vh, pre, svg'))
        .slice(0, 3).map((one) => one.outerHTML.slice(0, 150))"""
    return [f"{width} px: {one}" for one in [page.evaluate(wide)]] if width > 390 else []
