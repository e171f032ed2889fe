"""The three pictures of the README: light, 1440 wide, cropped, small enough for a repository."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Page

from script.screenshots_camera import Camera, Picture

PLACE = Path(__file__).resolve().parents[1] / ".github"
WIDTH, COLOURS, MOST_BYTES = 1440, 128, 200_000
# Shown on every page while something is wrong with the board itself.
NOT_WELL = "#banner:visible"
WELL_WITHIN, LOOK_EVERY = 420, 10
TOO_BUSY = "this machine is too busy just now, and the board says so. The README keeps what it has."
# How much is shown of each page, in pixels from the top.
SHOWN = {"board": 900, "incident": 900, "release": 900}


def take_for_readme(page: Page, url: str, addresses: Mapping[str, str], camera: Camera) -> None:
    """Made in the camera's directory, and put in their place when nothing is wrong with them."""
    _wait_until_well(page, url)
    for name, height in SHOWN.items():
        file = camera.directory / f"{name}.png"
        one = Picture(name, addresses.get(name, "/"))
        camera.take_top(page, url, one, file, width=WIDTH, height=height)
        if page.locator(NOT_WELL).count():
            camera.complaints.append(f"{file.name}: {TOO_BUSY}")
        _make_small(file)
        if file.stat().st_size > MOST_BYTES:
            camera.complaints.append(f"{file.name} has {file.stat().st_size} bytes")
    if not camera.complaints:
        for file in camera.taken:
            shutil.copy(file, PLACE)


def _wait_until_well(page: Page, url: str) -> None:
    """Setting the scene keeps a small machine busy; what was late then is told for minutes."""
    page.goto(url)
    for _ in range(WELL_WITHIN // LOOK_EVERY):
        if not page.locator(NOT_WELL).count():
            return
        page.wait_for_timeout(LOOK_EVERY * 1000)
        page.reload()


def _make_small(file: Path) -> None:
    """As few colours as the pages need; left as it is where ImageMagick is not installed."""
    program = shutil.which("magick") or shutil.which("convert")
    if program is None:
        return
    small = ["-strip", "-dither", "None", "-colors", str(COLOURS), f"PNG8:{file}"]
    subprocess.run([program, str(file), *small], check=True, timeout=60)
