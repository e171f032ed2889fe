"""Walks the pages in one browser and takes their pictures: a page is loaded once, then turned."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import ConsoleMessage, FloatRect, Page, Response
from playwright.sync_api import Error as BrowserError

HEIGHT = 900
# Of a page that goes on and on, as the reference of the API, the beginning is enough.
TALLEST = 6_000
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
WIDTHS = (1440, 390)
# Fonts are there, and what follows the size (charts) has been drawn anew.
DRAWN = """async () => {
  await document.fonts.ready;
  await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
CHARTS_FOLLOW_MS = 120


@dataclass(frozen=True)
class Picture:
    """What is to be seen under this name, and how it answers."""

    name: str
    address: str
    status: int = 200
    # By the words of its button: a form that is sent as it is, and comes back with what is wrong.
    sent: str = ""


@dataclass
class Camera:
    directory: Path
    themes: Sequence[Theme] = THEMES
    widths: Sequence[int] = WIDTHS
    scripts: bool = True
    taken: list[Path] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def take(self, page: Page, url: str, one: Picture) -> None:
        """All pictures of a page. What the page or the browser complains of is kept."""
        with self._listening(page, one) as complain:
            try:
                reply = page.goto(url + one.address)
                if one.sent:
                    reply = _send(page, one.sent)
                if (status := reply.status if reply else 0) != one.status:
                    complain(f"it answered {status}, not {one.status}")
                for theme in self.themes:
                    page.emulate_media(color_scheme=theme)
                    for width in self.widths:
                        self._press(page, one.name, theme, width)
            except BrowserError as failure:
                complain(failure.message.partition("\n")[0])

    def _press(self, page: Page, name: str, theme: Theme, width: int) -> None:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        self._let_draw(page)
        file = self.directory / f"{name}{self._suffix}-{theme}-{width}.png"
        height = min(page.evaluate("document.documentElement.scrollHeight"), TALLEST)
        whole: FloatRect = {"x": 0, "y": 0, "width": width, "height": height}
        page.screenshot(path=file, full_page=True, clip=whole, animations="disabled")
        self.taken.append(file)

    def take_top(
        self, page: Page, url: str, one: Picture, file: Path, *, width: int, height: int
    ) -> None:
        """What is seen of a page before anybody scrolls, in the light theme."""
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": width, "height": height})
        with self._listening(page, one):
            page.goto(url + one.address)
            self._let_draw(page)
            page.screenshot(path=file, animations="disabled")
        self.taken.append(file)

    def print(self, page: Page, url: str, one: Picture) -> None:
        """As paper: A4, light."""
        page.goto(url + one.address)
        file = self.directory / f"{one.name}{self._suffix}.pdf"
        page.pdf(path=file, format="A4", print_background=True)
        self.taken.append(file)

    @property
    def _suffix(self) -> str:
        return "" if self.scripts else "-no-script"

    def _let_draw(self, page: Page) -> None:
        if not self.scripts:
            page.wait_for_timeout(CHARTS_FOLLOW_MS)
            return
        page.evaluate(DRAWN)
        if page.locator("main canvas").count():
            page.wait_for_timeout(CHARTS_FOLLOW_MS)

    @contextmanager
    def _listening(self, page: Page, one: Picture) -> Iterator[Callable[[str], None]]:
        def complain(what: str) -> None:
            self.complaints.append(f"{one.name} ({one.address}): {what}")

        def of_console(message: ConsoleMessage) -> None:
            # A page that is to answer 404 is told of by the browser as one that failed to load.
            is_expected = one.status >= 400 and f"status of {one.status}" in message.text
            if message.type in ("error", "warning") and not is_expected:
                complain(f"the console says: {message.text}")

        def of_error(error: object) -> None:
            complain(f"a script failed: {error}")

        page.on("console", of_console)
        page.on("pageerror", of_error)
        try:
            yield complain
        finally:
            page.remove_listener("console", of_console)
            page.remove_listener("pageerror", of_error)


def _send(page: Page, words: str) -> Response | None:
    """As it is: what the browser itself would hold back is the board's to answer."""
    button = page.locator("main form").get_by_role("button", name=words).first
    button.evaluate("one => { one.form.noValidate = true }")
    with page.expect_navigation() as sent:
        button.click()
    return sent.value
