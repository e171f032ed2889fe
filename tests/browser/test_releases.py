"""The pages of releases in a real browser: wide and narrow, light and dark, with and without
scripts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from opsboard.incidents.models import Incident
from opsboard.releases.models import Release
from opsboard.services.models import Running
from tests.web.releases import (
    HOUR,
    MINUTE,
    a_freeze,
    a_note,
    a_release,
    an_override,
    evidence,
    now,
    went_out,
)
from tests.web.standing import a_path, a_service

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., Any]
HERE = "/releases/fares-api/2026.11.4"
PAGES = [
    "/releases",
    "/releases?service=nothing",
    "/releases/new",
    "/releases/days",
    "/releases/freezes",
    "/releases/freezes/new",
    "/releases/holds/new",
    "/releases/holds/900/end",
    HERE,
    "/releases/fares-api/2026.11.3",
    f"{HERE}/edit",
    f"{HERE}/override",
    f"{HERE}/release",
    f"{HERE}/rollback",
    f"{HERE}/withdrawal",
    f"{HERE}/record",
    "/incidents/1/record",
    "/incidents/1",
    "/services/fares-api",
]


@pytest.fixture
def company(transactional_db: None, editor: Any) -> Release:
    """A release that is not ready and one that went out, with a long word wherever words go."""
    service = a_service("fares-api", environments=2)
    path = a_path(service)
    a_note(service, editor)
    gone = a_release(service, "2026.11.3", commit="3" * 40, summary="Move surcharges")
    evidence(gone, "lint")
    went_out(gone, now() - timedelta(days=2), kind="anyway", reason="r" * 120)
    release = a_release(
        service,
        summary="s" * 120,
        tag="v" * 100,
        planned_at=now() + HOUR,
        commits=4,
        migrations=["0148_" + "m" * 100],
    )
    release.paths.add(path)
    evidence(release, "lint", by_name="c" * 100)
    evidence(release, "unit", "failed", started_at=now() - HOUR, exit_code=2)
    evidence(
        release,
        "unit",
        command="pytest -q " + "p" * 200,
        log_tail="l" * 300 + "\n3 passed",
        assumptions=["a" * 120],
        metrics={"k" * 90: 1.5},
        url="https://ci.example/" + "u" * 200,
    )
    evidence(release, "integration", "failed", environment_slug="staging")
    an_override(release, "integration", by=editor, needs_second=True, reason="o" * 200)
    a_freeze(service=service, reason="f" * 120)
    service.holds.create(pk=900, reason="h" * 120, at=now(), by=editor)
    place = service.environments.get(slug="production")
    Running.objects.create(
        environment=place, commit="3" * 40, commit_since=now() - HOUR, told_at=now()
    )
    incident = Incident.objects.create(
        pk=1, service=service, environment=place, title="It fails", opened_at=now() - 20 * MINUTE
    )
    incident.paths.create(path=path, joined_at=now(), reason="r" * 120)
    incident.timeline.create(at=now(), act="opened", path=path, text="t" * 120)
    return release


@pytest.fixture
def browse(
    live_server: LiveServer, chromium: str, company: Release, client_of: Callable[[str], Client]
) -> Open:
    """A page in which an editor has signed in. What the browser complains of fails the test."""
    cookie = client_of("editor").cookies["opsboard"].value

    @contextmanager
    def open_page(
        *, scripts: bool = True, width: int = 1440, theme: Any = "light"
    ) -> Iterator[Page]:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            context = browser.new_context(
                base_url=live_server.url,
                viewport={"width": width, "height": 900},
                color_scheme=theme,
                java_script_enabled=scripts,
            )
            context.add_cookies([{"name": "opsboard", "value": cookie, "url": live_server.url}])
            page = context.new_page()
            complaints: list[str] = []
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            yield page
            browser.close()
        assert complaints == []

    return open_page


# What a reader of the page's structure needs: checked in the page, as axe does.
WRONG = """() => {
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at);
  const lost = [...document.querySelectorAll("[aria-labelledby], [aria-describedby], label[for]")]
    .flatMap((one) => [one.getAttribute("aria-labelledby"), one.getAttribute("aria-describedby"),
      one.getAttribute("for")])
    .filter(Boolean).flatMap((names) => names.split(" "))
    .filter((id) => !document.getElementById(id));
  const nameless = [...document.querySelectorAll("main :is(a, button, input, select, textarea)")]
    .filter((one) => one.type !== "hidden" && !one.textContent.trim() && !one.labels?.length
      && !one.getAttribute("aria-label")).map((one) => one.outerHTML.slice(0, 120));
  const levels = [...document.querySelectorAll("h1, h2, h3")].map((one) => Number(one.tagName[1]));
  const jumps = levels.filter((level, at) => at && level > levels[at - 1] + 1);
  return { twice, lost, nameless, jumps, titles: document.querySelectorAll("h1").length };
}"""
RIGHT = {"twice": [], "lost": [], "nameless": [], "jumps": [], "titles": 1}


@pytest.mark.parametrize(
    ("width", "theme"), [(1440, "light"), (1440, "dark"), (390, "dark"), (320, "light")]
)
def test_every_page_opens_whole_and_none_scrolls_sideways(
    browse: Open, width: int, theme: str
) -> None:
    with browse(width=width, theme=theme) as page:
        for address in PAGES:
            answer = page.goto(address)
            assert (address, answer.status) == (address, 200)
            assert (address, page.evaluate(WRONG)) == (address, RIGHT)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert (address, wide) == (address, width)


def test_a_release_is_overridden_and_recorded_without_scripts(browse: Open) -> None:
    with browse(scripts=False) as page:
        for address in PAGES:
            assert page.goto(address).status == 200
        page.goto(HERE)
        page.get_by_text("Evidence, and 1 earlier").click()
        assert page.get_by_label("The end of the log of unit").is_visible()
        page.get_by_role("link", name="Record anyway").click()
        page.get_by_label("Why does it go out all the same?").fill("The ferry sails at noon today")
        page.get_by_role("button", name="Record anyway").click()
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("fares-api 2026.11.4 is released")
        assert page.get_by_text("The ferry sails at noon today.").is_visible()


def test_the_reason_is_counted_while_it_is_typed(browse: Open) -> None:
    with browse() as page:
        page.goto(f"{HERE}/override")
        reason = page.get_by_label("Why is it safe enough?")
        reason.fill("Nearly")
        expect(page.get_by_text("6 of at least 20 characters.")).to_be_visible()
        reason.fill("It is read by nobody before Friday")
        expect(page.get_by_text("At least 20 characters.")).to_be_visible()
