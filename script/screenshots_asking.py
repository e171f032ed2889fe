"""How the scene is set: by the forms that people fill in, and by the API that programs use."""

import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import BrowserContext, Locator, Page

# For a busy machine; nothing is slept through.
PATIENCE_SECONDS = 300.0
PASSWORD = "a long enough pass phrase"  # noqa: S105 - of a board that ends in minutes
FORM_MS = 60_000
MAIN = "main form button.btn-main"

type Value = str | bool | Sequence[str]


class NotStaged(Exception):
    """The message says what was asked of the board, and what it said."""


def wait_for[T](look: Callable[[], T], what: str) -> T:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (seen := look()):
        if time.monotonic() > deadline:
            raise NotStaged(f"Waited {PATIENCE_SECONDS:.0f} s for {what}.")
        time.sleep(0.5)
    return seen


@dataclass(frozen=True)
class Api:
    url: str
    token: str

    def ask(self, address: str, body: object = None) -> Any:
        """GET without a body, else POST. Raises NotStaged with what was refused."""
        request = urllib.request.Request(  # noqa: S310 - a board on loopback
            f"{self.url}/api/v1{address}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
                return json.load(reply)
        except urllib.error.HTTPError as refused:
            said = refused.read().decode(errors="replace")
            raise NotStaged(f"{address} answered {refused.code}: {said[:500]}") from None


def post(address: str) -> str:
    """To the sample services, whose switches want nothing else."""
    request = urllib.request.Request(address, data=b"")  # noqa: S310 - on loopback
    with urllib.request.urlopen(request, timeout=30) as reply:  # noqa: S310
        said: str = reply.read().decode()
        return said


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in, with a browser window of their own."""

    page: Page
    url: str

    def send(self, at: str, /, **fields: Value) -> None:
        self.fill(at, **fields)
        self.press()

    def fill(self, at: str, /, **fields: Value) -> None:
        self.page.goto(self.url + at)
        self.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        for name, value in fields.items():
            _put(self.page, name, value)

    def press(self, button: str = MAIN) -> None:
        """A selector, or the words of a button. Raises NotStaged when the form has a mistake."""
        if button.startswith("main "):
            found = self.page.locator(button).first
        else:
            found = self.page.get_by_role("button", name=re.compile(button)).first
        with self.page.expect_navigation():
            found.click()
        if self.page.locator("[aria-invalid=true]").count():
            said = self.page.locator("main").inner_text()
            raise NotStaged(f"{self.page.url} found a mistake: {said[:800]}")


def _put(page: Page, name: str, value: Value) -> None:
    """Ticks by their label, choices by value or label, the rest as it is typed."""
    field = page.locator(f"main [name='{name}']")
    if not isinstance(value, str):
        for one in [value] if isinstance(value, bool) else value:
            which = field if one is True else page.get_by_label(str(one), exact=True)
            which.first.check()
    elif field.first.evaluate("one => one.tagName") == "SELECT":
        field.first.select_option(_choice(field, value))
    elif field.first.get_attribute("type") == "radio":
        page.locator(f"main [name='{name}'][value='{value}']").check()
    else:
        field.first.fill(value)


def _choice(field: Locator, words: str) -> str:
    """The value of the option that is called so, or begins so. Raises NotStaged."""
    options = field.locator("option").all()
    called = {one.inner_text(): one.get_attribute("value") or "" for one in options}
    if words in called.values():
        return words
    for name, value in called.items():
        if name.startswith(words):
            return value
    raise NotStaged(f"There is no {words} among {', '.join(called)}.")


def choose_password(context: BrowserContext, link: str, url: str, name: str = "") -> Person:
    """Follow a one-time link and be signed in by it."""
    page = context.new_page()
    page.set_default_timeout(FORM_MS)
    page.goto(link)
    if name:
        page.get_by_label("Name").first.fill(name)
    for field in page.locator("input[type=password]").all():
        field.fill(PASSWORD)
    person = Person(page, url)
    person.press("main button")
    return person
