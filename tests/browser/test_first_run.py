"""First run and the forms, as a person meets them in a real browser, with and without scripts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from opsboard.rollbacks.models import NoteVersion
from opsboard.services.models import CriticalPath, Environment
from tests.far_side import FarSide, answer, routes

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Before the server starts: it then shares the test's connection, and leaves none open.
    pytest.mark.usefixtures("django_db_setup"),
]

PHONE, DESK = 390, 1440
BOTH_WIDTHS = [PHONE, DESK]

Open = Callable[..., Any]


@pytest.fixture
def machine() -> Iterator[FarSide]:
    ok = answer(200, ("Content-Type", "application/json"), body=b'{"ok": true}')
    with FarSide(routes({"/health": ok, "/price": ok})) as machine:
        yield machine


@pytest.fixture
def browse(
    live_server: LiveServer, chromium: str, client_of: Callable[[str], Client]
) -> Callable[..., Any]:
    """A page in which an editor has signed in. What the browser complains of fails the test."""
    cookie = client_of("editor").cookies["opsboard"].value

    @contextmanager
    def open_page(
        *, scripts: bool = True, width: int = DESK, theme: Any = "light"
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
        # A form with mistakes answers 422, which the browser tells on its console.
        assert [said for said in complaints if "422" not in said] == []

    return open_page


@pytest.mark.parametrize("scripts", [True, False])
def test_pasting_an_address_puts_a_path_on_the_board(
    browse: Open, machine: FarSide, scripts: bool
) -> None:
    with browse(scripts=scripts) as page:
        page.goto("/add")
        page.get_by_label("An address, or the curl command").fill(machine.url("/price"))
        page.get_by_role("button", name="Ask it once").click()
        page.locator("#reply").get_by_text("Answered 200 in").wait_for()
        assert "json $.ok == true" in page.get_by_label("Expected result").input_value()
        page.get_by_label("Name of the path").fill("Price a crossing")
        page.get_by_label("Service").fill("Fares API")
        page.get_by_label("Owner").fill("Pricing")
        page.get_by_role("button", name="Put it on the board").click()
        page.wait_for_url("**/services/fares-api/price-a-crossing")
        assert page.get_by_text("Every service has the path health").is_visible()
        page.get_by_role("link", name="Edit it").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Edit Health"
    assert CriticalPath.objects.get(slug="price-a-crossing").expected_result.startswith("status ==")


@pytest.mark.parametrize("width", BOTH_WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_mistakes_stand_beside_their_fields_and_nothing_is_lost(
    browse: Open, environment: Environment, path: CriticalPath, width: int, theme: str
) -> None:
    with browse(width=width, theme=theme) as page:
        page.goto("/services/fares-api/price-a-crossing/edit")
        page.get_by_label("Headers").fill("Host: a")
        page.get_by_label("Where the user notices").fill("On step 3")
        page.get_by_role("button", name="Save").click()
        page.get_by_text("1\N{NO-BREAK SPACE}thing to fix first").wait_for()
        field = page.get_by_label("Headers")
        assert field.get_attribute("aria-invalid") == "true"
        named = str(field.get_attribute("aria-describedby")).split()
        told = [page.locator(f"#{name}").inner_text() for name in named]
        assert any("Leave out Host" in text for text in told)
        assert field.input_value() == "Host: a"
        assert page.get_by_label("Where the user notices").input_value() == "On step 3"
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scripts", [True, False])
def test_a_note_is_written_with_as_many_steps_as_it_needs(
    browse: Open, path: CriticalPath, scripts: bool
) -> None:
    with browse(scripts=scripts) as page:
        page.goto("/services/fares-api/rollback-note/edit")
        page.get_by_label("What it does").fill("Go back to 2026.11.2")
        page.get_by_label("Do this, step 1").fill("Hold releases")
        page.get_by_role("button", name="Add a step").click()
        page.get_by_label("Do this, step 4").fill("Go back")
        assert page.get_by_label("Do this, step 1").input_value() == "Hold releases"
        page.get_by_label("What changed, in one line").press("Enter")
        page.wait_for_url("**/services/fares-api/rollback-note")
    steps = NoteVersion.objects.get().steps
    assert [step["do"] for step in steps] == ["Hold releases", "Go back"]


@pytest.mark.parametrize("width", BOTH_WIDTHS)
def test_no_form_scrolls_sideways(browse: Open, path: CriticalPath, width: int) -> None:
    addresses = [
        "/add",
        "/teams",
        "/teams/new",
        "/teams/pricing/edit",
        "/services/new",
        "/services/fares-api/edit",
        "/services/fares-api/environments/new",
        "/services/fares-api/environments/production/edit",
        "/services/fares-api/paths/new",
        "/services/fares-api/price-a-crossing/rollback-note/edit",
        "/alerts/channels/new",
        "/search?q=price",
        "/removed",
        "/teams/pricing",
        "/teams/pricing/removal",
        "/services/fares-api/removal",
        "/services/fares-api/environments/production/removal",
        "/services/fares-api/price-a-crossing/removal",
    ]
    with browse(width=width) as page:
        for address in addresses:
            answered = page.goto(address)
            assert answered is not None
            assert answered.status == 200, address
            assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_clauses_are_judged_as_they_are_typed_and_the_reply_stands_beside_the_form(
    browse: Open, machine: FarSide, environment: Environment
) -> None:
    Environment.objects.update(base_url=machine.url(""))
    with browse() as page:
        page.goto("/services/fares-api/paths/new")
        page.get_by_label("Name", exact=True).fill("Price a crossing")
        page.get_by_label("Route").fill("/price")
        page.get_by_role("textbox", name="Expected result").fill("status == 200\ntme < 400 ms")
        page.get_by_text("did you mean `time`?").wait_for()
        assert page.locator("#clauses li").count() == 2
        page.get_by_role("textbox", name="Expected result").fill("status == 200")
        page.locator("#clauses li", has_text="tme").wait_for(state="detached")
        assert page.locator("#clauses li").count() == 1
        page.get_by_role("button", name="Ask now").click()
        page.locator("#reply").get_by_text("Answered 200 in").wait_for()
        assert page.get_by_label("Name", exact=True).input_value() == "Price a crossing"
        page.get_by_label("Route").fill("nonsense")
        page.get_by_role("button", name="Ask now").click()
        page.get_by_text("It cannot be asked yet").wait_for()
        assert page.get_by_label("Route").input_value() == "nonsense"
    assert not CriticalPath.objects.exists()


@pytest.mark.parametrize("scripts", [True, False])
def test_words_are_found_on_the_board_and_everywhere(
    browse: Open, path: CriticalPath, scripts: bool
) -> None:
    path.service.team.services.create(slug="quiet", name="Quiet")
    with browse(scripts=scripts) as page:
        page.goto("/")
        assert page.locator("#service-rows tr").count() == 2
        page.locator("#find").press_sequentially("step 2 of", delay=20)
        if not scripts:
            page.locator("#find").press("Enter")
        page.wait_for_url("**/?q=step*")
        page.locator("#service-quiet").wait_for(state="detached")
        assert page.locator("#service-fares-api").is_visible()
        assert page.locator("#find").input_value() == "step 2 of"
        page.goto("/search")
        page.locator("#find").press_sequentially("PRICE A", delay=20)
        if not scripts:
            page.locator("#find").press("Enter")
        page.locator("mark", has_text="Price a").first.wait_for()
        page.get_by_role("link", name="Price a crossing").click()
        page.wait_for_url("**/services/fares-api/price-a-crossing*")


@pytest.mark.parametrize("scripts", [True, False])
def test_what_is_removed_is_brought_back_straight_after(
    browse: Open, path: CriticalPath, scripts: bool
) -> None:
    with browse(scripts=scripts) as page:
        page.goto("/services/fares-api")
        page.get_by_role("link", name="Remove this service").click()
        page.get_by_role("button", name="Remove Fares API").click()
        page.get_by_text("Fares API is removed.").wait_for()
        assert page.locator("#service-fares-api").count() == 0
        page.get_by_role("button", name="Undo").click()
        page.get_by_text("Fares API is back on the board.").wait_for()
        page.wait_for_url("**/services/fares-api")
