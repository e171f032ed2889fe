"""The pictures of the pages come from one command, which leaves nothing running behind."""

import signal
from pathlib import Path

import pytest

from tests.running.processes import (
    PATIENCE_SECONDS,
    PROJECT,
    Running,
    clean_environment,
    running,
    status,
    until,
)

pytestmark = pytest.mark.browser

START_SECONDS = 5 * PATIENCE_SECONDS
A_FEW = ("--plain", "--pages", "board,sign-in", "--widths", "390", "--themes", "light,dark")


def screenshots(directory: Path, chromium: str) -> tuple[list[str], dict[str, str]]:
    command = [str(PROJECT / "script/screenshots"), str(directory), *A_FEW]
    return command, clean_environment() | {"OPSBOARD_CHROMIUM": chromium}


def address_of_its_board(process: Running) -> str:
    said = process.line(START_SECONDS)
    assert said.startswith("A board of its own answers at "), said
    return said.rpartition(" ")[2]


def is_gone(address: str) -> bool:
    return until(lambda: status(address) == 0)


def test_one_command_makes_the_pictures_that_were_asked_for(tmp_path: Path, chromium: str) -> None:
    pictures = tmp_path / "pictures"
    with running(*screenshots(pictures, chromium), tmp_path) as process:
        address = address_of_its_board(process)
        process.process.wait(START_SECONDS)
        assert process.process.returncode == 0, process.lines_left()
        assert process.lines_left()[-1].startswith(f"4 pictures in {pictures}, in ")
    names = [
        f"{page}-{theme}-390.png" for page in ("board", "sign-in") for theme in ("dark", "light")
    ]
    assert sorted(file.name for file in pictures.iterdir()) == sorted(names)
    assert is_gone(address)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopped_half_way_it_ends_its_board_too(
    number: signal.Signals, code: int, tmp_path: Path, chromium: str
) -> None:
    with running(*screenshots(tmp_path / "pictures", chromium), tmp_path) as process:
        address = address_of_its_board(process)
        process.end(number)
        assert process.process.returncode == code
        assert is_gone(address)
        assert "Traceback" not in process.errors
