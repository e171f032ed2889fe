"""A fix that was none, because the cache was warm; and the same fix, measured on misses."""

import hashlib
import json
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.test_first_day import PATIENCE, browser_page, wait_for
from tests.journeys.test_release import demo, make_token
from tests.running.processes import PROJECT, clean_environment

pytestmark = pytest.mark.browser

CONFOUNDED = 8
SAMPLES = 60
AT_ONCE = "10"


def post(address: str) -> str:
    request = urllib.request.Request(address, data=b"")  # noqa: S310 - a loopback address
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
        said: str = reply.read().decode()
        return said


def ask_one_by_one(switches: str, way: str) -> None:
    """The fault is put in, or mended. Either empties the cache, as a deploy would."""
    post(f"{switches}seats-one-by-one?on={way}")


def clear(switches: str) -> int:
    cache = switches.replace("__switch/", "__cache/")
    cleared: int = json.loads(post(f"{cache}sailings-api"))["cleared"]
    return cleared


@contextmanager
def cache_emptied_again_and_again(switches: str) -> Iterator[None]:
    """So that about four requests of ten are misses."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.25):
            clear(switches)

    emptying = threading.Thread(target=go_on)
    emptying.start()
    try:
        yield
    finally:
        over.set()
        emptying.join()


def declare(page: Page, url: str, title: str, *, mode: str) -> str:
    """The address of the change."""
    page.goto(f"{url}/changes/new?path=sailings-api/timetable")
    page.locator("[name=title]").fill(title)
    page.locator("[name=environment]").select_option("production")
    page.get_by_label("Query", exact=True).check()
    page.get_by_label("A burst of requests").check()
    page.locator("#of-a-burst").evaluate("one => { one.open = true }")
    page.locator("[name=mode]").select_option(mode)
    page.locator("[name=rate]").fill(AT_ONCE)
    page.locator("[name=samples]").fill(str(SAMPLES))
    page.locator("#more").evaluate("one => { one.open = true }")
    page.locator("[name=warm_up_seconds]").fill("0")
    page.locator("[name=warm_up_samples]").fill("0")
    page.get_by_role("button", name="Declare change").click()
    page.wait_for_url(re.compile(r"/changes/\d+$"))
    expect(page.locator("h1")).to_have_text(title)
    return page.url


def burst(page: Page, until: Locator) -> None:
    """A busy machine may end one early: what Opsboard's own loop delays is no sample."""
    start = page.get_by_role("button", name="Start a burst")
    deadline = time.monotonic() + 3 * PATIENCE
    while not until.is_visible():
        assert time.monotonic() < deadline, page.locator("#change").inner_text()
        if start.is_visible():
            start.click()
            # No figure tempts anybody to stop early. A burst of the last few samples may be over.
            figures = page.locator("table.strata, table.bridge").count()
            assert not figures or until.is_visible()
        time.sleep(0.5)


def seal_the_baseline(page: Page) -> None:
    page.get_by_role("button", name="Open baseline").click()
    burst(page, page.get_by_role("link", name="It is applied"))


def say_applied(page: Page, command: str) -> None:
    page.get_by_role("link", name="It is applied").click()
    page.locator("[name=command]").fill(command)
    page.locator("[name=exit_code]").fill("0")
    page.get_by_role("button", name="Record as applied").click()
    page.wait_for_url(re.compile(r"/changes/\d+$"))


def verdict(page: Page) -> str:
    word = page.locator(".verdict-big:has(svg)")
    burst(page, word)
    return word.inner_text().strip()


def is_said(page: Page, words: str) -> bool:
    page.reload()
    return words in page.locator("#change").inner_text()


def repeated_from_its_file(page: Page, directory: Path) -> tuple[int, dict[str, object]]:
    """Anybody can take the samples away, and judge them again without the board."""
    with page.expect_download() as taken:
        page.get_by_role("link", name=re.compile("CSV")).first.click()
    file = directory / "samples.csv"
    taken.value.save_as(file)
    told = subprocess.run(
        [
            *(sys.executable, str(PROJECT / "manage.py"), "compare", str(file)),
            *("--changed", "query", "--format", "json"),
        ],
        env=clean_environment() | {"OPSBOARD_DATA": str(directory / "data")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert told.stdout, told.stderr
    return told.returncode, json.loads(told.stdout)


def compare(url: str, token: str, change: str, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROJECT / "script/opsboard"), "compare", change.rpartition("/")[2], *more],
        env=clean_environment() | {"OPSBOARD_URL": url, "OPSBOARD_TOKEN": token},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def a_fix_behind_a_warm_cache(page: Page, url: str, switches: str, directory: Path) -> str:
    ask_one_by_one(switches, "1")
    change = declare(page, url, "Ask for all seats at once", mode="as is")
    with cache_emptied_again_and_again(switches):
        seal_the_baseline(page)
    # What was "fixed" is nothing: the cache is left alone from here on, and is warm.
    say_applied(page, "ferryctl deploy sailings-api --to seats-at-once")
    assert verdict(page) == "Confounded"
    bridge = page.get_by_role("table", name="Where the average went")
    expect(bridge).to_contain_text("From more cache hits")
    mix = bridge.get_by_role("row", name="From more cache hits").locator("td").last
    expect(mix).to_contain_text("−")
    code, judged = repeated_from_its_file(page, directory)
    assert (code, judged["verdict"]) == (CONFOUNDED, "confounded")
    return change


def the_fix_measured_on_misses(page: Page, url: str, switches: str) -> str:
    change = declare(page, url, "Ask for all seats at once, on misses", mode="misses")
    seal_the_baseline(page)
    ask_one_by_one(switches, "0")
    say_applied(page, "curl -X POST …/__switch/seats-one-by-one?on=0")
    page.get_by_role("link", name="Cache cleared").click()
    page.get_by_label("All keys of a prefix").check()
    page.locator("[name=pattern]").fill("sailings-api")
    page.locator("[name=count]").fill(str(clear(switches)))
    page.get_by_role("button", name="Record what was cleared").click()
    page.wait_for_url(re.compile(r"/changes/\d+$"))
    assert verdict(page) == "Improved"
    # A burst of misses says nothing of the clear: the path's own next probe does.
    wait_for(lambda: is_said(page, "The first answer after it was a miss"), "the probe's answer")
    calls = page.locator("p", has_text="Database calls:")
    expect(calls).to_contain_text(re.compile(r"12\D+3\D"))
    return change


def test_a_fix_behind_a_warm_cache_is_confounded_and_on_misses_it_is_improved(
    tmp_path: Path, chromium: str
) -> None:
    with browser_page(chromium) as page, demo(tmp_path, page) as (url, switches):
        lucky = a_fix_behind_a_warm_cache(page, url, switches, tmp_path)
        real = the_fix_measured_on_misses(page, url, switches)
        page.goto(f"{url}/changes")
        rows = page.locator("main tbody tr")
        expect(rows.nth(0)).to_contain_text("Improved")
        expect(rows.nth(1)).to_contain_text("Confounded")
        token = make_token(page, url)
        assert compare(url, token, lucky).returncode == CONFOUNDED
        found = compare(url, token, real, "--expect", "improved")
        assert found.returncode == 0, found.stdout + found.stderr
        assert "12" in found.stdout
        # The digests are of the moment at which this page was made, and so are its downloads.
        page.goto(f"{real}/record")
        with page.expect_download() as taken:
            page.get_by_role("link", name="Markdown").click()
        text = Path(taken.value.path()).read_bytes()
        expect(page.locator("main")).to_contain_text(hashlib.sha256(text).hexdigest())
        assert b"seats-one-by-one?on=0" in text
