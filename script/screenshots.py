"""Pictures of every page: makes a board, sets a scene on it, and walks it in a real browser.

Exit code 0 when every page answered as it should and the browser had nothing to say, else 1.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as BrowserError

from script.screenshots_asking import NotStaged
from script.screenshots_board import a_far_side, own_board
from script.screenshots_camera import THEMES, WIDTHS, Camera, Picture
from script.screenshots_readme import take_for_readme

if TYPE_CHECKING:
    from script.screenshots_scene import Scene

# For a busy machine.
PAGE_MS = 60_000
# Of what the board wrote: the end tells most.
LONGEST_TOLD = 4_000
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")


def arguments() -> argparse.ArgumentParser:
    told = argparse.ArgumentParser(prog="script/screenshots", description=__doc__)
    told.add_argument("directory", nargs="?", default="screenshots", type=Path)
    told.add_argument("--pages", help="only these, as in board,path,release-ready", default="")
    told.add_argument("--themes", default=",".join(THEMES), help="light, dark, or both")
    told.add_argument("--widths", default=",".join(map(str, WIDTHS)), help="in pixels")
    told.add_argument("--no-script", action="store_true", help="with scripts switched off")
    told.add_argument("--print", action="store_true", help="only what is made for paper, as PDF")
    told.add_argument("--readme", action="store_true", help="only the three of the README, anew")
    told.add_argument("--plain", action="store_true", help="a new board, without the ferry company")
    told.add_argument("--from", dest="caller", default=".", type=Path, help=argparse.SUPPRESS)
    return told


def say(words: str) -> None:
    print(words, flush=True)


@contextmanager
def a_browser() -> Iterator[Browser]:
    from script.real_servers import chromium

    path = os.environ.get("OPSBOARD_CHROMIUM") or chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def main(told: Sequence[str]) -> int:
    asked = arguments().parse_args(told)
    # Ended from outside it ends what it started, as by Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    directory: Path = asked.caller / asked.directory
    directory.mkdir(parents=True, exist_ok=True)
    camera = Camera(
        directory,
        themes=asked.themes.split(","),
        widths=[int(width) for width in asked.widths.split(",")],
        scripts=not asked.no_script,
    )
    began = time.monotonic()
    try:
        staged = _make(asked, camera)
    except KeyboardInterrupt:
        say("Stopped; what was started for it has ended.")
        return 130
    except (NotStaged, BrowserError) as refusal:
        say(f"WRONG: {refusal}")
        return 1
    for complaint in camera.complaints:
        say(f"WRONG: {complaint}")
    took = f"{_words_of(time.monotonic() - began)}, of which the scene took {_words_of(staged)}"
    say(f"{len(camera.taken)} pictures in {directory}, in {took}.")
    return 1 if camera.complaints or not camera.taken else 0


def _make(asked: argparse.Namespace, camera: Camera) -> float:
    """How many seconds it took to set the scene."""
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="opsboard-pictures-") as place,
        a_browser() as browser,
        a_far_side() as hook,
        own_board(Path(place), demo=not asked.plain) as board,
    ):
        say(f"A board of its own answers at {board.url}")
        _set_django_up(Path(place))
        # They name pages by urls.py, and commits by the demo.
        from script.screenshots_scene import stage, stage_plain

        if asked.plain:
            scene = stage_plain(browser, board)
        else:
            scene = stage(browser, board, hook, Path(place), say)
        staged = time.monotonic() - began
        if asked.readme:
            page = _window(browser, scene.layla.page.context, camera)
            take_for_readme(page, scene.url, scene.addresses, camera)
        else:
            _take_all(asked, camera, browser, scene)
        if wrote := _failures_in(board.errors()):
            camera.complaints.append(f"the board wrote:\n{wrote[-LONGEST_TOLD:]}")
    return staged


def _failures_in(wrote: str) -> str:
    """Without the refusals, which pages are asked for here; "" where nothing failed."""
    lines = [line for line in wrote.splitlines() if " WARNING django.request: " not in line]
    kept = "\n".join(lines).strip()
    return kept if any(word in kept for word in ("Traceback", " ERROR ", " CRITICAL ")) else ""


def _set_django_up(place: Path) -> None:
    import django

    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "opsboard.settings",
        "OPSBOARD_DATA": str(place / "data"),
    }
    django.setup()


def _take_all(asked: argparse.Namespace, camera: Camera, browser: Browser, scene: "Scene") -> None:
    from script import screenshots_album as album

    url, wanted = scene.url, set(filter(None, asked.pages.split(",")))
    layla = _window(browser, scene.layla.page.context, camera)
    signed_in = album.pages_of(layla.context.request, url, scene.addresses, say)
    groups: list[tuple[Page, Sequence[Picture]]] = [
        (layla, [*signed_in, album.NOT_THERE, *(() if asked.plain else album.WITH_MISTAKES)]),
        (_window(browser, None, camera), album.SIGNED_OUT),
    ]
    if scene.viewer:
        groups.append((_window(browser, scene.viewer.page.context, camera), album.AS_VIEWER))
    for page, pictures in groups:
        for one in pictures:
            if not wanted or one.name in wanted:
                _take_one(asked, camera, page, url, one)


def _take_one(
    asked: argparse.Namespace, camera: Camera, page: Page, url: str, one: Picture
) -> None:
    from script.screenshots_album import PRINTED

    began, before = time.monotonic(), len(camera.taken)
    if not asked.print:
        camera.take(page, url, one)
    if one.name in PRINTED and camera.scripts:
        camera.print(page, url, one)
    if count := len(camera.taken) - before:
        say(f"{one.name:<26} {count} in {time.monotonic() - began:.1f} s   {one.address}")


def _window(browser: Browser, of: BrowserContext | None, camera: Camera) -> Page:
    """A window of its own for the pictures, signed in as the other one is."""
    page = browser.new_context(
        java_script_enabled=camera.scripts,
        storage_state=of.storage_state() if of else None,
        reduced_motion="reduce",
    ).new_page()
    page.set_default_timeout(PAGE_MS)
    return page


def _words_of(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
