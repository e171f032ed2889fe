"""The first ten minutes without wiring anything: look, break the fares database, watch, mend it."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.test_first_day import become_administrator, browser_page, wait_for
from tests.running.processes import PROJECT, clean_environment, free_port, running

pytestmark = pytest.mark.browser

PRICE = "services/fares-api/price-a-crossing"
NOTE = "Go back to 2026.11.2 and flush fare tables"


def price_is(page: Page, url: str, state: str) -> bool:
    page.goto(url + PRICE)
    return page.locator(f"main :is(.head, .band) .st:has-text('{state}')").count() > 0


def turn(page: Page, switches: str, way: str) -> None:
    page.goto(switches)
    page.get_by_role("button", name=f"Turn {way} Fares database").click()
    row = page.get_by_role("row", name="Fares database")
    expect(row.get_by_role("cell").nth(1)).to_have_text("On" if way == "on" else "Off")


def bytes_of(page: Page, address: str) -> list[int]:
    """What came over the wire for a page with all it loads, and the bodies of two polls of it."""
    came: list[int] = []
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    line.on("Network.loadingFinished", lambda event: came.append(round(event["encodedDataLength"])))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    sizes = [sum(came)]
    for _ in range(2):
        with page.expect_response(lambda answer: "hx-request" in answer.request.headers) as poll:
            page.eval_on_selector(
                "[data-live]", "part => part.dispatchEvent(new Event('opsboard:seen'))"
            )
        # Packed, as it is sent; nothing changed, nothing sent.
        sizes.append(int(poll.value.headers.get("content-length", 0)))
        page.wait_for_load_state("networkidle")
    line.detach()
    return sizes


def pages_are_light(page: Page, url: str) -> None:
    """In a browser that has nothing yet: everything counts, fonts and scripts too."""
    kept = page.context.storage_state()
    context = page.context.browser.new_context(storage_state=kept)
    other = context.new_page()
    first, *polls = bytes_of(other, url)
    then, *more_polls = bytes_of(other, url + PRICE)
    context.close()
    print(f"board {first}, its polls {polls}, then a path {then}, its polls {more_polls}")
    assert first <= 200_000
    assert then <= 60_000
    assert max(*polls, *more_polls) <= 5_000


def test_a_person_breaks_the_fares_database_sees_it_on_the_board_and_mends_it(
    tmp_path: Path, chromium: str
) -> None:
    up = [str(PROJECT / "script/up"), "--demo", "--port", str(free_port())]
    with (
        running([*up, "--data", str(tmp_path / "data")], clean_environment(), tmp_path) as board,
        browser_page(chromium) as page,
    ):
        url = board.line().removeprefix("Opsboard: ")
        become_administrator(page, board.line().removeprefix("First administrator: "))
        switches = board.line().removeprefix("Sample services: ")
        wait_for(lambda: price_is(page, url, "Passing"), "the price to pass")
        page.goto(url)
        expect(page.locator("#services tbody tr")).to_have_count(19)
        expect(page.locator("main")).to_contain_text("are examples.")
        pages_are_light(page, url)

        turn(page, switches, "on")
        wait_for(lambda: price_is(page, url, "Failing"), "the price to fail")
        expect(page.locator("#note")).to_contain_text(NOTE)
        page.goto(url)
        broken = page.locator("#now li", has_text="Price a crossing")
        expect(broken).to_contain_text("We could not price this crossing")
        broken.get_by_role("link", name="rollback note").click()
        expect(page.locator("main")).to_contain_text(NOTE)
        expect(page.locator("main")).to_contain_text("/__switch/fares-database?on=0")

        turn(page, switches, "off")
        wait_for(lambda: price_is(page, url, "Passing"), "the price to pass again")
    assert board.errors == ""
