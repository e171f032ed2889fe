"""The pages of releases, and of an incident after one, in a real browser.

Wide and narrow, light and dark, with and without scripts, on paper, and while they are left open.
"""

import re
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
from tests.browser.test_reading import in_database
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
        *, scripts: bool = True, width: int = 1440, theme: Any = "light", refused: str = ""
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
        assert [one for one in complaints if not refused or refused not in one] == []

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


# While a page is left open


def poll(page: Page) -> int:
    """Ask for the live part now instead of in 15 s. The status of the answer."""
    with page.expect_response(lambda response: "hx-request" in response.request.headers) as heard:
        page.eval_on_selector(
            "[data-live]", "part => part.dispatchEvent(new Event('opsboard:seen'))"
        )
    return heard.value.status


@pytest.mark.parametrize("address", [HERE, "/incidents/1"])
def test_a_poll_of_what_has_not_changed_brings_nothing(browse: Open, address: str) -> None:
    with browse() as page:
        page.goto(address)
        # A minute may pass between two of them, which the page shows; not between all.
        assert 304 in [poll(page) for _ in range(4)]


def test_what_is_open_and_focused_stays_when_evidence_comes(browse: Open, company: Release) -> None:
    with browse() as page:
        page.goto(HERE)
        page.get_by_text("The steps, filled for").click()
        page.get_by_text("Evidence, and 1 earlier").click()
        edit = page.get_by_role("link", name="Edit plan")
        edit.focus()
        in_database(
            lambda: evidence(company, "tag", facts={"tag": company.tag, "object": "e" * 40})
        )
        assert poll(page) == 200
        expect(page.locator("#gate-tag")).to_contain_text("Not met")
        expect(edit).to_be_focused()
        assert page.get_by_text("ferryctl back").is_visible()
        assert page.get_by_label("The end of the log of unit").is_visible()


def test_the_end_of_an_incident_is_said_once(browse: Open) -> None:
    with browse() as page:
        page.goto("/incidents/1")
        page.evaluate(
            """() => { window.said = []; new MutationObserver(() => {
              const words = document.getElementById("say").textContent;
              if (words) window.said.push(words);
            }).observe(document.getElementById("say"), { childList: true, subtree: true }); }"""
        )
        in_database(lambda: Incident.objects.update(resolved_at=now()))
        poll(page)
        expect(page.locator("#say")).to_have_text("INC-0001 is resolved")
        in_database(lambda: Incident.objects.update(title="It failed"))
        poll(page)
        page.wait_for_timeout(300)
        assert page.evaluate("window.said") == ["INC-0001 is resolved"]


@pytest.mark.parametrize("address", [HERE, "/incidents/1"])
def test_while_the_server_fails_the_last_good_content_stays_and_the_clock_says_so(
    browse: Open, address: str
) -> None:
    with browse(refused="500") as page:
        page.clock.install()
        page.goto(address)
        title = page.get_by_role("heading", level=1).inner_text()
        page.route(
            f"**{address}*",
            lambda route: route.fulfill(status=500, body="<h1>Something went wrong</h1>"),
        )
        assert poll(page) == 500
        page.clock.run_for(65_000)
        expect(page.locator("#live")).to_contain_text(
            re.compile(r"No update for 1 min|for [45]\d s")
        )
        expect(page.locator("#live").get_by_role("link", name="Reload")).to_be_visible()
        assert page.get_by_role("heading", level=1).inner_text() == title


# On paper


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    "address", [f"{HERE}/record", "/incidents/1", "/services/fares-api/rollback-note"]
)
def test_paper_is_black_on_white_and_has_nothing_to_press(
    browse: Open, address: str, theme: str
) -> None:
    with browse(theme=theme) as page:
        page.goto(address)
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        page.emulate_media(media="print")
        looks = page.evaluate(
            "() => { const look = getComputedStyle(document.body);"
            " return [look.color, look.backgroundColor]; }"
        )
        assert looks == ["rgb(18, 22, 28)", "rgb(255, 255, 255)"]
        for gone in page.locator(".topbar, .foot, .crumbs, .btn").all():
            assert not gone.is_visible()


def test_a_step_is_not_cut_by_the_end_of_a_page(browse: Open) -> None:
    with browse() as page:
        page.goto("/services/fares-api/rollback-note")
        page.emulate_media(media="print")
        step = page.locator(".steps > li").first
        assert step.evaluate("one => getComputedStyle(one).breakInside") == "avoid"
        assert page.get_by_text(re.compile("^Printed .* UTC")).is_visible()
