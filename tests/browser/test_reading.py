"""The pages people read, in a real browser: with and without scripts, narrow and wide."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from opsboard.alerts.models import Channel, Delivery, Message
from opsboard.incidents.models import Incident
from opsboard.probes.models import Exchange, Probe, ServiceDay
from opsboard.probes.rules import State
from opsboard.probes.stored import CACHE
from opsboard.rollbacks.models import RollbackNote
from tests.web.standing import a_path, a_service, observed, stands

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., Any]
PATH = "/services/fares-api/price-a-crossing"
KEY = UUID("8f14e45f-ceea-467f-a8e9-5c2c3c6a1b7d")
PAGES = [
    "/",
    "/services/fares-api",
    PATH,
    f"{PATH}?range=90d",
    f"{PATH}/rollback-note?compare=1,2",
    f"{PATH}/removal",
    "/services/hold-web/rollback-note",
    "/incidents",
    "/incidents/1",
    "/rollback-notes",
    "/incidents/new",
    "/alerts",
    "/alerts/channels/900",
    f"/alerts/messages/{KEY}",
    "/alerts/notices",
    "/alerts/routes",
    "/alerts/routes/new",
    "/alerts/silences",
    "/alerts/suppressed",
    "/maintenance",
    "/maintenance/new",
    "/teams/pricing/rota",
]


@pytest.fixture
def company(transactional_db: None) -> Probe:
    """A service that hurts, with a long word in every place that takes words."""
    service = a_service("fares-api", environments=2)
    path = a_path(
        service,
        route="/" + "v" * 120,
        body='{"' + "x" * 200 + '": 1}',
        user_notices="w" * 150,
        slow_query_or_command="SELECT " + "y" * 200,
    )
    probe = stands(
        path,
        State.FAILING,
        reason="status is 503, expected 200: " + "z" * 120,
        clauses=[("status == 200", False, "g" * 200)],
    )
    stands(a_path(a_service("hold-web"), "Hold a fare"))
    observed(probe, [300, 2_800] * 40, cache=CACHE.index("hit"), db_calls=12, db_time=90_000)
    Exchange.objects.create(
        probe=probe, slot_at=1, status=503, headers=[["Server", "q" * 150]], excerpt="e" * 300
    )
    ServiceDay.objects.create(
        environment=probe.environment, day=datetime.now(UTC).date(), failing=600, passing=3000,
        worst=State.FAILING,
    )  # fmt: skip
    _note(path)
    _incident(probe)
    return probe


def _note(path: Any) -> None:
    note = RollbackNote.objects.create(service=path.service, path=path)
    for base in (0, 1):
        note.write(
            title=f"Go back {'n' * 60}", use_when="w" * 90, does_not_undo="", minutes=4 + base,
            steps=[{"do": "Go back", "run": "ferryctl " + "d" * 150, "see": "6 healthy"}],
            reason="", by=None, now=datetime.now(UTC), base=base,
        )  # fmt: skip


def _incident(probe: Probe) -> None:
    now = datetime.now(UTC)
    incident = Incident.objects.create(
        pk=1, service=probe.path.service, environment=probe.environment,
        title="Price a crossing is failing", opened_at=now,
    )  # fmt: skip
    incident.paths.create(path=probe.path, joined_at=now, reason="r" * 120)
    incident.timeline.create(at=now, act="opened", path=probe.path, text="t" * 120)
    channel = Channel(pk=900, name="Pricing on call", kind=Channel.Kind.WEBHOOK)
    channel.keep(address="https://hooks.example/secret")
    channel.save()
    message = Message.objects.create(
        key=KEY, channel=channel, made_at=now, next_attempt_at=0,
        content={"subject": "s" * 90, "text": "m" * 200, "alerts": []},
    )  # fmt: skip
    Delivery.objects.create(
        channel=channel, incident=incident, event="failing", created_at=now, wanted_at=0,
        message=message,
    )  # fmt: skip


@pytest.fixture
def browse(
    live_server: LiveServer, chromium: str, company: Probe, client_of: Callable[[str], Client]
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


def in_database(act: Callable[[], object]) -> None:
    """Change the database from a thread of its own: the browser's loop runs in this one."""

    def act_and_close() -> None:
        try:
            act()
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=1) as pool:
        pool.submit(act_and_close).result()


def stand(state: State, **which: object) -> None:
    """As an observation would make it stand."""
    counted = F("counted_failing") + 1
    in_database(lambda: Probe.objects.filter(**which).update(state=state, counted_failing=counted))


def poll(page: Page) -> None:
    """Ask for the live part now instead of in 15 s, and wait until it is there."""
    with page.expect_response(lambda response: "hx-request" in response.request.headers):
        page.eval_on_selector(
            "[data-live]", "part => part.dispatchEvent(new Event('opsboard:seen'))"
        )


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (1440, "dark"), (390, "light")])
def test_every_page_opens_without_a_complaint(browse: Open, width: int, theme: str) -> None:
    with browse(width=width, theme=theme) as page:
        for address in PAGES:
            answer = page.goto(address)
            assert (address, answer.status) == (address, 200)
            page.wait_for_load_state("networkidle")
            assert page.locator("h1").count() == 1


def test_no_page_scrolls_sideways_at_320(browse: Open) -> None:
    with browse(width=320) as page:
        for address in PAGES:
            page.goto(address)
            width = page.evaluate("document.documentElement.scrollWidth")
            assert (address, width) == (address, 320)


def test_every_page_is_whole_without_scripts(browse: Open) -> None:
    with browse(scripts=False) as page:
        for address in PAGES:
            assert page.goto(address).status == 200
        page.goto(PATH)
        assert page.locator(".chart-static").is_visible()
        assert not page.locator("[data-chart]").is_visible()
        assert not page.get_by_role("button", name="Copy").first.is_visible()
        page.get_by_role("button", name="Run probe now").click()
        page.get_by_text("Asked. The answer appears here within seconds.").wait_for()
        page.get_by_role("button", name="Pause").click()
        page.get_by_text("paused it in every environment").wait_for()
        page.get_by_role("button", name="Resume").click()
        page.goto("/?q=hold")
        assert page.locator("#services tbody tr").count() == 1


def test_the_board_follows_without_losing_what_a_person_does(browse: Open, company: Probe) -> None:
    with browse() as page:
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_have_text("1 path is failing")
        find = page.get_by_label("Find services by name")
        find.fill("fares")
        stand(State.WARNING)
        poll(page)
        expect(page.get_by_role("heading", level=1)).to_contain_text("2 paths have warnings")
        expect(page.locator("#say")).to_contain_text("Price a crossing has a warning")
        assert find.input_value() == "fares"
        expect(find).to_be_focused()
        expect(page.locator("#service-fares-api")).to_be_visible()
        expect(page.locator("#service-hold-web")).to_be_hidden()


def test_rows_do_not_jump_under_the_pointer(browse: Open, company: Probe) -> None:
    def rows() -> list[str]:
        return page.locator("#services tbody tr").evaluate_all("rows => rows.map(row => row.id)")

    with browse() as page:
        page.goto("/")
        assert rows() == ["service-fares-api", "service-hold-web"]
        page.locator("#service-hold-web").hover()
        stand(State.FAILING, path__slug="hold-a-fare")
        stand(State.PASSING, pk=company.pk)
        poll(page)
        expect(page.locator("#service-hold-web")).to_contain_text("Failing")
        assert rows() == ["service-fares-api", "service-hold-web"]
        page.get_by_role("heading", level=1).hover()
        poll(page)
        expect(page.locator("#services tbody tr").first).to_have_id("service-hold-web")


def test_a_poll_leaves_alone_the_rows_that_are_as_they_were(browse: Open, company: Probe) -> None:
    with browse() as page:
        page.goto("/")
        page.eval_on_selector("#service-hold-web", "row => row.dataset.mark = 'untouched'")
        for state in (State.WARNING, State.FAILING):
            stand(state, pk=company.pk)
            poll(page)
            expect(page.locator("#service-fares-api")).to_contain_text(state.words.capitalize())
        row = page.locator("#service-hold-web")
        expect(row).to_have_attribute("data-mark", "untouched")
        expect(row).to_contain_text("What hold-web does")
        expect(page.locator("[data-same]")).to_have_count(0)


def test_a_part_that_lacks_a_named_row_asks_for_all_of_it(browse: Open, company: Probe) -> None:
    with browse() as page:
        page.goto("/")
        page.eval_on_selector("#service-hold-web", "row => row.remove()")
        stand(State.WARNING, pk=company.pk)
        poll(page)
        expect(page.locator("#service-hold-web")).to_contain_text("What hold-web does")
        expect(page.locator("[data-same]")).to_have_count(0)


def test_a_team_is_opened_and_folded_with_the_keyboard(browse: Open) -> None:
    def add_fifty() -> None:
        for number in range(50):
            stands(a_path(a_service(f"ferry-{number:02}", team="Ferries")))

    in_database(add_fifty)
    with browse() as page:
        page.goto("/")
        expect(page.locator("#service-ferry-07")).to_have_count(0)
        fold = page.locator("#team-ferries a")
        fold.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#service-ferry-07")).to_be_visible()
        expect(fold).to_be_focused()
        expect(fold).to_have_attribute("aria-expanded", "true")
        poll(page)
        expect(page.locator("#service-ferry-07")).to_be_visible()
        page.keyboard.press("Enter")
        expect(page.locator("#service-ferry-07")).to_have_count(0)
        # The address says what is open: a page loaded again is the same.
        assert "open=" in page.url


def test_the_path_page_follows_and_keeps_what_is_open(browse: Open, company: Probe) -> None:
    with browse() as page:
        page.goto(PATH)
        expect(page.locator("[data-chart] canvas")).to_have_count(4)
        page.locator("#reply-1 summary").click()
        table = page.get_by_text("Show as a table")
        table.click()
        stand(State.PASSING, pk=company.pk)
        poll(page)
        expect(page.locator("main .band")).to_have_count(0)
        assert page.locator("#reply-1 pre").is_visible()
        assert page.get_by_role("table", name="One row each").is_visible()
        expect(page.locator("[data-chart] canvas")).to_have_count(4)


def test_what_was_asked_appears_by_itself(browse: Open) -> None:
    with browse() as page:
        page.goto(PATH)
        page.get_by_role("button", name="Run probe now").click()
        page.get_by_text("Asked. The answer appears here within seconds.").wait_for()
        in_database(lambda: Probe.objects.update(ask_now_at=None))
        # It asks every two seconds while it waits.
        expect(page.locator("#asked")).to_have_count(0)


def test_the_chart_and_the_strip_are_read_with_the_arrow_keys(browse: Open) -> None:
    with browse() as page:
        page.goto(PATH)
        page.locator("[data-chart]").focus()
        read = page.locator("[data-chart-read]")
        # The newest minutes may hold no reply yet: they say so.
        for _ in range(5):
            page.keyboard.press("ArrowLeft")
            expect(read).to_contain_text(re.compile("no data|wrong"))
            if "wrong" in read.inner_text():
                break
        expect(read).to_contain_text("wrong")
        page.goto("/services/fares-api")
        slider = page.get_by_role("slider")
        slider.focus()
        expect(slider).to_have_attribute(
            "aria-valuetext", slider.get_attribute("aria-valuetext") or ""
        )
        expect(page.locator("#day-read")).to_contain_text("failing for 10 min")
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#day-read")).to_contain_text("not watched yet")


def test_a_day_of_the_strip_opens_its_incidents_with_enter_or_a_click(browse: Open) -> None:
    today = datetime.now(UTC).date()
    with browse() as page:
        page.goto("/services/fares-api")
        slider = page.get_by_role("slider", name="Enter opens its incidents")
        slider.focus()
        # Nothing is known of the days before: they open nothing.
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Enter")
        page.keyboard.press("End")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/incidents?service=fares-api&environment=production&day={today}")
        expect(page.get_by_role("heading", level=1)).to_contain_text("1 incident of fares-api")
        page.get_by_role("link", name="fares-api, 90 days").click()
        box = page.get_by_role("slider").bounding_box()
        assert box
        page.mouse.click(box["x"] + box["width"] - 2, box["y"] + 20)
        page.wait_for_url("**/incidents?*")


def test_without_scripts_the_days_are_links(browse: Open) -> None:
    with browse(scripts=False, width=390) as page:
        page.goto("/services/fares-api")
        page.get_by_text("Days that were not passing").click()
        page.locator("#noted a").first.click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("1 incident of fares-api")


def test_a_chart_is_looked_at_closer_and_the_way_back_is_in_sight(browse: Open) -> None:
    with browse() as page:
        page.goto(f"{PATH}?range=1h")
        whole = page.get_by_role("button", name="Whole range")
        over = page.locator("[data-row=time] .u-over")
        expect(whole).to_be_hidden()
        drag(page, over, 0.4, 0.6)
        expect(whole).to_be_visible()
        # A poll brings new points and leaves the sight as it is.
        poll(page)
        expect(whole).to_be_visible()
        over.dblclick()
        expect(whole).to_be_hidden()
        drag(page, page.locator("[data-row=errors] .u-over"), 0.2, 0.5)
        whole.click()
        expect(whole).to_be_hidden()
        expect(page.locator("[data-chart]")).to_be_focused()
        page.keyboard.press("+")
        expect(whole).to_be_visible()
        page.keyboard.press("Escape")
        expect(whole).to_be_hidden()


def drag(page: Page, over: Any, begin: float, end: float) -> None:
    over.scroll_into_view_if_needed()
    box = over.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + begin * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + end * box["width"], y, steps=4)
    page.mouse.up()


def test_commands_are_copied(browse: Open) -> None:
    with browse() as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.goto("/incidents/1")
        page.get_by_role("button", name="Copy command of step 1").click()
        expect(page.locator("#say")).to_have_text("Copied")
        assert page.evaluate("navigator.clipboard.readText()").startswith("ferryctl d")


def test_a_note_on_paper_has_its_steps_and_nothing_to_press(browse: Open) -> None:
    with browse() as page:
        page.goto(f"{PATH}/rollback-note")
        page.emulate_media(media="print")
        assert page.get_by_text("ferryctl d").is_visible()
        for gone in (".topbar", ".foot", ".no-print", ".btn"):
            assert not page.locator(gone).first.is_visible()
