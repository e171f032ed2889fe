"""What people do with a change in a real browser: wide and narrow, and without scripts."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from opsboard.changes.models import Act, Change, Sample, Window
from opsboard.probes.models import microseconds
from tests.browser.test_releases import RIGHT, WRONG
from tests.web.changes import HOUR, a_change, a_window, an_attempt, judged, now
from tests.web.standing import a_path, a_service, stands

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., Any]
HERE = "/changes/900"
PAGES = [
    "/changes",
    "/changes?stands=improved&service=fares-api",
    "/changes?service=nothing",
    "/changes/new",
    "/changes/new?path=fares-api/price-a-crossing",
    f"{HERE}/edit",
    f"{HERE}/applied",
    f"{HERE}/cleared",
    f"{HERE}/give-up",
    f"{HERE}/withdrawal",
    "/services/fares-api/price-a-crossing",
]


@pytest.fixture
def company(transactional_db: None, editor: Any) -> Change:
    """A change that may be applied, and others of every kind, with a long word in each."""
    path = a_path(a_service("fares-api", environments=2), "Price a crossing")
    other = a_path(path.service, "Q" * 80)
    stands(path)
    for verdict in ("improved", "regressed", "confounded"):
        judged(a_change(other, title="t" * 120, variables=["index", "cache"]), verdict)
    change = a_change(path, pk=900, title="Index fare rules", sampling="sent", commands=["c" * 90])
    ago = now() - HOUR
    a_window(an_attempt(change), sealed_at=ago, ended_at=ago, count=60, sha256="0" * 64)
    return change


@pytest.fixture
def browse(
    live_server: LiveServer, chromium: str, company: Change, client_of: Callable[[str], Client]
) -> Open:
    """A page in which an editor has signed in. What the browser complains of fails the test."""
    cookie = client_of("editor").cookies["opsboard"].value

    @contextmanager
    def open_page(*, scripts: bool = True, width: int = 1440) -> Iterator[Page]:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            context = browser.new_context(
                base_url=live_server.url,
                viewport={"width": width, "height": 900},
                java_script_enabled=scripts,
            )
            context.add_cookies([{"name": "opsboard", "value": cookie, "url": live_server.url}])
            page = context.new_page()
            complaints: list[str] = []
            page.on("pageerror", lambda error: complaints.append(str(error)))
            yield page
            browser.close()
        assert complaints == []

    return open_page


@pytest.mark.parametrize("width", [1440, 390, 320])
def test_every_page_opens_whole_and_none_scrolls_sideways(browse: Open, width: int) -> None:
    with browse(width=width) as page:
        for address in PAGES:
            answer = page.goto(address)
            assert (address, answer.status) == (address, 200)
            page.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
            assert (address, page.evaluate(WRONG)) == (address, RIGHT)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert (address, wide) == (address, width)


def test_a_change_is_declared_measured_and_applied_without_scripts(browse: Open) -> None:
    with browse(scripts=False) as page:
        page.goto("/services/fares-api/price-a-crossing")
        page.get_by_role("link", name="Compare a change").click()
        page.get_by_label("What is changed").fill("Cache fares")
        page.get_by_role("button", name="Declare change").click()
        assert page.get_by_text("Choose what is varied.").is_visible()
        expect(page.get_by_label("What is changed")).to_have_value("Cache fares")
        page.get_by_role("checkbox", name="Cache").check()
        page.get_by_role("radio", name="Samples sent by a program").check()
        page.get_by_text("Margin, guardrails").click()
        page.get_by_label("Warm-up, in seconds").fill("0")
        page.get_by_role("button", name="Declare change").click()
        page.get_by_role("button", name="Open baseline").click()
        assert page.get_by_text("Change nothing yet.").is_visible()
        with ThreadPoolExecutor(1) as beside:
            beside.submit(collected).result()
        page.reload()
        page.get_by_role("button", name="Seal now").click()
        page.get_by_role("link", name="It is applied").click()
        page.get_by_label("Exit code").fill("0")
        page.get_by_role("button", name="Record as applied").click()
        page.get_by_role("link", name="Cache cleared").click()
        page.get_by_role("radio", name="Everything").check()
        page.get_by_role("button", name="Record what was cleared").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Was everything cleared?")
        page.get_by_label("Yes, everything was cleared").check()
        page.get_by_role("button", name="Record that everything was cleared").click()
        assert page.get_by_text("What was cleared is recorded.").is_visible()
    change = Change.objects.get(title="Cache fares")
    kinds = Act.objects.filter(comparison__change=change).order_by("pk")
    assert list(kinds.values_list("kind", flat=True)) == ["applied", "cleared"]


def collected() -> None:
    """A program sends what it measured a moment ago."""
    window = Window.objects.get(comparison__change__title="Cache fares")
    at = microseconds(window.opened_at) - 200
    window.starts_at = window.opened_at - HOUR
    window.save()
    Sample.objects.bulk_create(
        Sample(window=window, at=at + number, latency=20_000) for number in range(80)
    )
    connection.close()
