"""A browser that looks at pages as people do who cannot see well, and notes what is wrong there.

with walking(chromium, base_url, cookie) as walk:
    walk.look("/incidents/1")
assert walk.wrong == []
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Request, Response, sync_playwright

from opsboard.settings import SESSION_COOKIE_NAME

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
WIDE, NARROW, NARROWEST = 1440, 390, 320
HEIGHT = 900
# All of them but those of WCAG's AAA, and experiments.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERY_RULE = {"runOnly": TAGS, "resultTypes": ["violations"], "preload": False}
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"], "resultTypes": ["violations"]}
RUN_AXE = """async (options) => (await axe.run(document, options)).violations.flatMap((rule) =>
  rule.nodes.map((node) => `${rule.id}: ${node.html.slice(0, 160)} ${
    [...node.any, ...node.all, ...node.none].map((check) => check.message).join(" ")}`))"""
# What sticks out, named: the width alone would not say where to look. What scrolls in itself does
# not widen the page.
SIDEWAYS = """async () => {
  // What follows the width, as charts do, has been drawn anew a frame later.
  for (let frame = 0; frame < 2; frame++) await new Promise(requestAnimationFrame);
  const room = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= room) return [];
  const free = (one) => !one || one === document.body ||
    (getComputedStyle(one).overflowX === "visible" && free(one.parentElement));
  const wide = [...document.querySelectorAll("body *")].filter((one) =>
    one.getBoundingClientRect().right > room + 1 && free(one.parentElement));
  return [`${document.documentElement.scrollWidth} px: ` +
    wide.slice(-2).map((one) => one.outerHTML.slice(0, 160)).join(" | ")];
}"""
# A page's structure and words without what is new in each session.
LOOKS = """() => document.querySelector("main").outerHTML
  .replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, "")"""
REFUSED_BY_POLICY = """document.addEventListener("securitypolicyviolation",
  (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));"""
STRICT = "default-src 'none'"
# Looked at in full in this process already: the same page for another role is not looked at twice.
_looked_at: set[str] = set()


@dataclass
class Walk:
    page: Page
    base_url: str
    # One line each: where, and what.
    wrong: list[str] = field(default_factory=list)
    _here: str = ""
    _expected: int = 200

    def look(self, address: str, *, status: int = 200) -> None:
        """Open a page, and look at it in both themes and at every width."""
        self.open(address, status=status)
        self.look_here()

    def open(self, address: str, *, status: int = 200) -> None:
        self._here, self._expected = address, status
        self.page.set_viewport_size({"width": WIDE, "height": HEIGHT})
        answer = self.page.goto(address)
        assert answer
        if answer.status != status:
            self.complain(f"answers {answer.status}, expected {status}")
        self._check_policy(answer)

    def posted(self, act: Callable[[], object], here: str, *, status: int = 200) -> None:
        """Do what sends a form, and look at the page that comes back."""
        self._here, self._expected = here, status
        with self.page.expect_navigation() as navigation:
            act()
        if navigation.value.status != status:
            self.complain(f"answers {navigation.value.status}, expected {status}")
        self.look_here()

    def look_here(self) -> None:
        self._check_head()
        self._look_at(WIDE)
        self._look_at(NARROW)
        self.page.set_viewport_size({"width": NARROWEST, "height": HEIGHT})
        self._check_sideways(NARROWEST)

    def complain(self, what: str) -> None:
        self.wrong.append(f"{self._here}: {what}")

    def _check_policy(self, answer: Response) -> None:
        policy = answer.headers.get("content-security-policy", "")
        if STRICT not in policy or "unsafe" in policy or "*" in policy:
            self.complain(f"has the policy {policy!r}")

    def _check_head(self) -> None:
        heads = self.page.locator("h1").count()
        if heads != 1:
            self.complain(f"has {heads} elements h1")
        title = self.page.title()
        if not re.match(r"\S.+ · Opsboard$", title):
            self.complain(f"has the title {title!r}")

    def _look_at(self, width: int) -> None:
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self._check_sideways(width)
        looks = f"{width} {self.page.evaluate(LOOKS)}"
        seen = hashlib.sha256(re.sub(r"[0-9a-f]{8}[0-9a-f-]+|\d+", "0", looks).encode()).hexdigest()
        if seen in _looked_at:
            return
        _looked_at.add(seen)
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE)
        self._run_axe(EVERY_RULE, f"{width} px")
        # At this width a page shows the most: its colours are the same at the others.
        if width == WIDE:
            self.page.emulate_media(color_scheme="dark")
            self._run_axe(COLOURS, f"{width} px, dark")
            self.page.emulate_media(color_scheme="light")

    def _run_axe(self, options: dict[str, Any], where: str) -> None:
        for violation in self.page.evaluate(RUN_AXE, options):
            self.complain(f"{where}: {violation}")

    def _check_sideways(self, width: int) -> None:
        for part in self.page.evaluate(SIDEWAYS):
            self.complain(f"{width} px: scrolls sideways: {part}")

    def listen(self) -> None:
        """Whatever the browser complains of, wherever the walk is then."""
        self.page.add_init_script(REFUSED_BY_POLICY)
        self.page.on("console", lambda message: self._hear(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complain(f"error: {error}"))
        self.page.on("requestfailed", self._missed)
        self.page.on("request", self._asked)

    def _hear(self, kind: str, text: str) -> None:
        # Of the page itself, which was asked for so.
        if self._expected >= 400 and f"status of {self._expected} " in text:
            return
        if kind in ("error", "warning"):
            self.complain(f"console: {text}")

    def _missed(self, request: Request) -> None:
        # The walk goes on before all of a page has come.
        if request.failure != "net::ERR_ABORTED":
            self.complain(f"{request.url} failed: {request.failure}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.base_url}/", "data:")):
            self.complain(f"asks another origin: {request.url}")


@contextmanager
def walking(chromium: str, base_url: str, cookie: str = "", **context: Any) -> Iterator[Walk]:
    """Walk signed in by that session's cookie, or as nobody."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        opened = browser.new_context(
            # Colours are looked at as they stand, not on their way.
            base_url=base_url, reduced_motion="reduce", color_scheme="light", **context,
        )  # fmt: skip
        if cookie:
            of = {"name": SESSION_COOKIE_NAME, "value": cookie, "url": base_url}
            opened.add_cookies([of])  # type: ignore[list-item]
        walk = Walk(opened.new_page(), base_url)
        walk.listen()
        yield walk
        browser.close()
