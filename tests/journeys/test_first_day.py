"""The whole main job, as a person does it: start, paste, write the way back, break, hear, mend."""

import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Page, expect, sync_playwright

from tests.running.processes import PROJECT, clean_environment, free_port, running

pytestmark = pytest.mark.browser

NOTE = "Start the app again"
# Long enough for a slow machine; everything is waited for, nothing is slept through.
PATIENCE = 120

APP = """
from fastapi import FastAPI

app = FastAPI()


@app.get("/health")
def health():
    return {"ok": True}
"""


class Post:
    """A mail server on loopback that keeps what it gets."""

    def __init__(self) -> None:
        self.letters: list[str] = []

    async def handle_DATA(self, server: object, session: object, envelope: object) -> str:  # noqa: N802
        self.letters.append(envelope.content.decode())  # type: ignore[attr-defined]
        return "250 taken"

    def subjects(self) -> list[str]:
        lines = [line for letter in self.letters for line in letter.splitlines()]
        return [line for line in lines if line.startswith("Subject:")]


@contextmanager
def post_office() -> Iterator[tuple[Post, int]]:
    post, port = Post(), free_port()
    controller = Controller(post, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield post, port
    finally:
        controller.stop()


@contextmanager
def webhook_receiver() -> Iterator[tuple[list[dict[str, object]], str]]:
    got: list[dict[str, object]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield got, f"http://127.0.0.1:{server.server_port}/hook"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def the_app(directory: Path, port: int) -> Iterator[None]:
    """The source text's own app: FastAPI, run by uvicorn."""
    (directory / "source_app.py").write_text(APP)
    command = [sys.executable, "-m", "uvicorn", "source_app:app", "--port", str(port)]
    quiet = ["--log-level", "warning", "--app-dir", str(directory)]
    with running([*command, *quiet], clean_environment(), directory):
        wait_for(lambda: answers(port), "the app to listen")
        yield


def answers(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def wait_for(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"waited {PATIENCE} s for {what}"
        time.sleep(0.1)


@contextmanager
def browser_page(chromium: str) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE * 1000)
        yield page
        browser.close()


def become_administrator(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("Name").first.fill("ana")
    for field in page.locator("input[type=password]").all():
        field.fill("a long enough pass phrase")
    page.locator("main button").first.click()
    page.wait_for_url("**/add")


def paste_the_address(page: Page, url: str, address: str) -> None:
    page.goto(f"{url}add")
    page.locator("[name=pasted]").fill(address)
    page.get_by_role("button", name="Ask it once").click()
    expect(page.locator("[name=expected_result]")).to_contain_text("json $.ok == true")
    page.locator("[name=service]").fill("source-app")
    page.locator("[name=owner]").fill("Platform")
    page.get_by_role("button", name="Put it on the board").click()
    page.wait_for_url("**/services/source-app/health*")


def ask_it_often(page: Page, url: str) -> None:
    page.goto(f"{url}services/source-app/health/edit")
    page.locator("[name=interval]").fill("2 s")
    page.locator("[name=timeout]").fill("1 s")
    page.locator("main form button[type=submit].btn-main").click()
    page.wait_for_url("**/services/source-app/health*")


def write_the_rollback_note(page: Page, url: str) -> None:
    page.goto(f"{url}services/source-app/rollback-note/edit")
    page.locator("[name=title]").fill(NOTE)
    page.locator("[name=use_when]").fill("The process has ended.")
    page.locator("[name=does_not_undo]").fill("What was asked while it was down is lost.")
    page.locator("[name$='-0-do']").fill("Start it")
    page.locator("[name$='-0-run']").fill("systemctl start source-app")
    page.locator("[name$='-0-see']").fill("active (running)")
    page.locator("main form button[type=submit].btn-main").click()
    expect(page.locator("main")).to_contain_text(NOTE)


def add_channel(page: Page, url: str, kind: str, address: str) -> None:
    page.goto(f"{url}alerts/channels/new")
    page.locator("[name=name]").fill(f"Everybody by {kind}")
    page.locator("[name=kind]").select_option(kind)
    page.locator("[name=address]").fill(address)
    page.locator("main form button[type=submit].btn-main").click()
    page.wait_for_load_state()
    page.goto(f"{url}alerts")
    expect(page.locator("main")).to_contain_text(f"Everybody by {kind}")


def alerts_in(hooks: list[dict[str, object]]) -> list[dict[str, object]]:
    return [alert for hook in hooks for alert in hook["alerts"]]  # type: ignore[attr-defined]


def told(post: Post, hooks: list[dict[str, object]], event: str) -> tuple[int, int]:
    """How often it was told by mail and by webhook; a busy machine adds notices of its own."""
    letters = [subject for subject in post.subjects() if f"{event.capitalize()}:" in subject]
    return len(letters), len([one for one in alerts_in(hooks) if one["event"] == event])


def the_path_is(page: Page, url: str, state: str) -> bool:
    page.goto(f"{url}services/source-app/health")
    return page.locator(f"main :is(.head, .band) .st:has-text('{state}')").count() > 0


def the_board_says(page: Page, url: str, words: str) -> bool:
    page.goto(url)
    return words in page.locator("main").inner_text()


def test_a_person_puts_an_app_on_the_board_and_hears_when_it_breaks_and_recovers(
    tmp_path: Path, chromium: str
) -> None:
    data, port, app_port = tmp_path / "data", free_port(), free_port()
    command = [str(PROJECT / "script/up"), "--port", str(port), "--data", str(data)]
    with (
        post_office() as (post, mail_port),
        webhook_receiver() as (hooks, hook),
        running(
            command, clean_environment() | {"EMAIL_URL": f"smtp://127.0.0.1:{mail_port}"}, tmp_path
        ) as board,
        browser_page(chromium) as page,
    ):
        url = board.line().removeprefix("Opsboard: ")
        become_administrator(page, board.line().removeprefix("First administrator: "))
        with the_app(tmp_path, app_port):
            paste_the_address(page, url, f"http://127.0.0.1:{app_port}/health")
            ask_it_often(page, url)
            write_the_rollback_note(page, url)
            add_channel(page, url, "email", "ops@example.com")
            add_channel(page, url, "webhook", hook)
            wait_for(lambda: the_path_is(page, url, "Passing"), "the path to pass")
        # The app has ended: it is broken.
        wait_for(lambda: the_board_says(page, url, "1 path is failing"), "the board to say so")
        assert "health" in page.locator("main").inner_text().lower()
        assert page.get_by_role("link", name="rollback note").count()
        wait_for(lambda: told(post, hooks, "failing") == (1, 1), "one e-mail and one webhook")
        (letter,) = (one for one in post.letters if "Failing:" in one)
        assert NOTE in letter
        (failing,) = (one for one in alerts_in(hooks) if one["event"] == "failing")
        assert failing["note"]["title"] == NOTE  # type: ignore[index]

        with the_app(tmp_path, app_port):
            wait_for(lambda: the_path_is(page, url, "Passing"), "the path to pass again")
            wait_for(lambda: told(post, hooks, "resolved") == (1, 1), "the resolved messages")
        assert told(post, hooks, "failing") == (1, 1)
