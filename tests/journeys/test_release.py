"""A release from its name to its record: a CI shell gives evidence, people do the rest."""

import hashlib
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from opsboard.demo.configuration import KEY, environment_file
from tests.journeys.test_first_day import PATIENCE, become_administrator, browser_page, wait_for
from tests.running.processes import PROJECT, clean_environment, free_port, running

pytestmark = pytest.mark.browser

SCRIPT = Path(__file__).with_name("ci_run.sh")
VERSION = "2026.12.1"
OTHER_COMMIT = "0123456789abcdef0123456789abcdef01234567"
READY, BLOCKED, INCOMPLETE, OUT_OF_DATE, OVERRIDDEN = 0, 1, 3, 4, 6
REFUSED = 9
HEADS = {READY: "is ready", OVERRIDDEN: "may go out"}
WHY = "The way back was gone twice on Monday, with other words for step 1."
# The seconds of a day in those of a test.
SCALED = {
    "OPSBOARD_SEE_VERSIONS_SECONDS": "2",
    "OPSBOARD_GREEN_FOR_SECONDS": "3",
    "OPSBOARD_TOKEN_REQUESTS_A_MINUTE": "600",
}


@dataclass
class Ci:
    """The shell of a CI, in a directory of its own: it has the command and nothing of the board."""

    directory: Path
    board: str
    token: str
    commit: str

    @property
    def environment(self) -> dict[str, str]:
        found = clean_environment()
        return found | {
            "PATH": f"{PROJECT / 'script'}:{found['PATH']}",
            "OPSBOARD_URL": self.board,
            "OPSBOARD_TOKEN": self.token,
            "OPSBOARD_SERVICE": "fares-api",
            "OPSBOARD_RELEASE": VERSION,
            "OPSBOARD_COMMIT": self.commit,
            "OPSBOARD_CONFIG_KEY": KEY,
        }

    def step(self, *words: str) -> subprocess.CompletedProcess[str]:
        bash = shutil.which("bash") or "bash"
        return subprocess.run(
            [bash, str(SCRIPT), *words],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def code(self, *words: str) -> int:
        return self.step(*words).returncode

    def gate(self) -> tuple[int, dict[str, Any]]:
        """The exit code, and what was said of each gate."""
        said = self.step("gate")
        assert said.stdout, said.stderr
        told = json.loads(said.stdout)
        return said.returncode, {one["gate"]: one for one in told["gates"]}

    def post(self, body: dict[str, Any]) -> int:
        """The HTTP status of evidence as it is given here."""
        request = urllib.request.Request(  # noqa: S310 - a loopback address
            f"{self.board}/api/v1/services/fares-api/releases/{VERSION}/evidence",
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
                status: int = reply.status
                return status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code


@contextmanager
def demo(directory: Path, page: Page) -> Iterator[tuple[str, str]]:
    """The demo, with somebody signed in: its address, and that of the switches."""
    up = [str(PROJECT / "script/up"), "--demo", "--port", str(free_port())]
    command = [*up, "--data", str(directory / "data")]
    with running(command, clean_environment() | SCALED, directory) as board:
        url = board.line().removeprefix("Opsboard: ")
        become_administrator(page, board.line().removeprefix("First administrator: "))
        yield url.rstrip("/"), board.line().removeprefix("Sample services: ")


def make_token(page: Page, url: str) -> str:
    page.goto(f"{url}/tokens/new")
    page.get_by_label("What it is for").fill("CI of fares-api")
    for scope in ("Read services", "Name releases"):
        page.get_by_label(scope).check()
    page.get_by_role("button", name="Make the token").click()
    return page.locator("code", has_text="obs_ci_").first.inner_text()


def a_ci(directory: Path, page: Page, url: str, switches: str) -> Ci:
    directory.mkdir()
    for name in ("production", "staging"):
        (directory / f"{name}.env").write_text(environment_file("fares-api", name))
    sample = switches.removesuffix("__switch/") + "staging/fares-api/version"
    with urllib.request.urlopen(sample, timeout=10) as reply:  # noqa: S310
        commit = json.load(reply)["commit"]
    return Ci(directory, url, make_token(page, url), commit)


def agree(page: Page, ci: Ci, code: int) -> dict[str, Any]:
    """The command and the page say the same, of the whole and of each gate."""
    gates = reached(ci, code)
    page.goto(f"{ci.board}/releases/fares-api/{VERSION}")
    expect(page.locator("h1")).to_contain_text(HEADS.get(code, "is not ready"))
    for name, one in gates.items():
        said = page.locator(f"#gate-{name} .g-state")
        expect(said).to_contain_text(one["word"].capitalize())
    return gates


def reached(ci: Ci, code: int) -> dict[str, Any]:
    """What is said of each gate once the command ends with `code`: probes need their seconds."""
    deadline = time.monotonic() + PATIENCE
    while (said := ci.gate())[0] != code:
        why = [f"{one['name']} {one['word']}: {one['reason']}" for one in said[1].values()]
        assert time.monotonic() < deadline, "\n".join([f"{said[0]}, not {code}", *why])
    return said[1]


def say_still_true(page: Page, url: str) -> None:
    page.goto(f"{url}/services/fares-api/rollback-note")
    page.get_by_role("button", name="Still true").first.click()
    expect(page.locator("main")).to_contain_text("Fresh")


def rehearse(page: Page, url: str) -> None:
    page.goto(f"{url}/services/fares-api/rollback-note/rehearsals/new")
    page.locator("[name=environment]").select_option("staging")
    page.locator("[name=release]").fill(VERSION)
    started = datetime.now(UTC) - timedelta(minutes=5)
    page.locator("[name=at]").fill(f"{started:%Y-%m-%d %H:%M}")
    page.locator("[name=took]").fill("3 min 50 s")
    for step in range(1, 5):
        page.locator(f"[name=step-{step}-outcome]").select_option("worked")
    page.get_by_role("button", name="Write it down").click()
    page.wait_for_url("**/rollback-note")
    expect(page.locator("main")).to_contain_text("3 min 50 s")


def change_the_first_step(page: Page, url: str) -> None:
    page.goto(f"{url}/services/fares-api/rollback-note/edit")
    page.locator("main input[value='Hold new releases of fares-api']").fill("Hold fares-api")
    page.get_by_label("What changed").fill("Shorter")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("main")).to_contain_text("Hold fares-api")


def override(page: Page, url: str) -> None:
    page.goto(f"{url}/releases/fares-api/{VERSION}/override")
    page.get_by_label("Rollback rehearsed").check()
    page.get_by_label("Why is it safe enough?").fill(WHY)
    page.get_by_role("button", name="Override and accept the risk").click()


def turn_back(switches: str, way: str) -> None:
    """An earlier commit begins to run, on staging too; or it ends."""
    request = urllib.request.Request(  # noqa: S310 - a loopback address
        f"{switches}old-commit?on={way}&service=fares-api", data=b""
    )
    with urllib.request.urlopen(request, timeout=10) as reply:  # noqa: S310
        assert reply.status == 200


def the_suite_is_judged_by_what_ran(page: Page, ci: Ci) -> None:
    assert ci.code("unit-without-counts") == 0
    assert "tests ran" in agree(page, ci, BLOCKED)["unit"]["reason"]
    assert ci.code("unit-all-skipped") == 0
    assert agree(page, ci, BLOCKED)["unit"]["word"] == "not met"
    assert ci.code("unit-failing") == 1
    assert "1 of 12" in agree(page, ci, BLOCKED)["unit"]["reason"]
    assert ci.code("unit") == 0
    assert agree(page, ci, INCOMPLETE)["unit"]["word"] == "met"


def the_configuration_is_checked_and_never_told(page: Page, ci: Ci) -> None:
    assert ci.code("config-debug") == 1
    gates = agree(page, ci, BLOCKED)
    assert "DEBUG" in page.locator("#gate-config").inner_text()
    assert gates["config"]["word"] == "not met"
    assert ci.code("config") == 0
    assert agree(page, ci, INCOMPLETE)["config"]["word"] == "met"


def other_code_than_this_commit_shows_nothing(page: Page, ci: Ci, switches: str) -> None:
    turn_back(switches, "1")
    wait_for(lambda: ci.gate()[1]["paths"]["word"] == "no evidence", "the other commit")
    reason = agree(page, ci, INCOMPLETE)["paths"]["reason"]
    with urllib.request.urlopen(  # noqa: S310
        switches.removesuffix("__switch/") + "staging/fares-api/version", timeout=10
    ) as reply:
        assert json.load(reply)["commit"][:12] in reason
    turn_back(switches, "0")
    reached(ci, READY)


def the_record_repeats_it(page: Page, ci: Ci) -> None:
    # It is as of a whole second: what was done within that one comes with the next.
    page.wait_for_timeout(1000)
    page.goto(f"{ci.board}/releases/fares-api/{VERSION}/record")
    shown = page.locator("dl.sheet code").all_inner_texts()
    where = page.get_by_role("link", name="Download JSON").get_attribute("href")
    reply = page.request.get(f"{ci.board}{where}")
    assert hashlib.sha256(reply.body()).hexdigest() in shown
    record = reply.text()
    told = [ci.commit, "0 problems in 41 files", WHY, "Rollback rehearsed", '"seconds": 230']
    assert not [one for one in told if one not in record]


def test_a_release_is_ready_when_the_evidence_says_so_and_not_before(
    tmp_path: Path, chromium: str
) -> None:
    with browser_page(chromium) as page, demo(tmp_path, page) as (url, switches):
        ci = a_ci(tmp_path / "ci", page, url, switches)
        assert ci.code("create") == 0
        assert ci.code("create-with-another-commit") == REFUSED
        said = {"gate": "lint", "outcome": "passed", "commit": OTHER_COMMIT, "exit_code": 0}
        times = {"started_at": "2026-11-28T08:00:00Z", "finished_at": "2026-11-28T08:00:01Z"}
        assert ci.post(said | times | {"command": "lint"}) == 409
        agree(page, ci, INCOMPLETE)
        assert ci.code("lint") == 0
        assert agree(page, ci, INCOMPLETE)["lint"]["word"] == "met"
        the_suite_is_judged_by_what_ran(page, ci)
        assert ci.code("integration") == 0
        the_configuration_is_checked_and_never_told(page, ci)
        assert ci.code("tag") == 0
        say_still_true(page, url)
        wait_for(lambda: ci.gate()[1]["paths"]["word"] == "met", "staging to be green")
        assert agree(page, ci, INCOMPLETE)["rehearsal"]["word"] == "no evidence"
        rehearse(page, url)
        agree(page, ci, READY)

        assert ci.code("tag-moved") == 0
        assert "moved" in agree(page, ci, OUT_OF_DATE)["tag"]["reason"]
        assert ci.code("tag") == 0
        agree(page, ci, READY)
        other_code_than_this_commit_shows_nothing(page, ci, switches)

        change_the_first_step(page, url)
        assert "steps" in agree(page, ci, OUT_OF_DATE)["rehearsal"]["reason"]
        override(page, url)
        assert agree(page, ci, OVERRIDDEN)["rehearsal"]["word"] == "out of date"
        assert ci.code("gate", "--allow-overridden") == READY
        assert page.locator("#gate-rehearsal use[href='#g-met']").count() == 0
        assert ci.code("released") == 0
        page.goto(f"{url}/releases/fares-api/{VERSION}")
        expect(page.locator("h1")).to_have_text(f"fares-api {VERSION} is released")
        the_record_repeats_it(page, ci)
