"""A job of the night: a person copies its line, a real script reports, and the board shows it."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from opsboard.people.roles import RoleName
from opsboard.probes.drain import Drain
from opsboard.probes.models import stand_up
from opsboard.services.models import CriticalPath
from tests.company import SECOND
from tests.running.processes import until

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not shutil.which("curl"), reason="the lines for jobs need curl"),
]

HERE = "/services/fares-api/price-a-crossing"
# The script of a job, with the lines of the page where a person puts them.
SCRIPT = """\
set -u
job() {{ echo "copied $2 files"; return "$1"; }}
{start}
{end}
"""


@pytest.fixture
def worker(settings: Any) -> Iterator[None]:
    settings.REASK_AFTER_SECONDS = 0.1
    stop = threading.Event()
    thread = threading.Thread(target=_drain, args=(stop.is_set,))
    thread.start()
    yield
    stop.set()
    thread.join()


def _drain(is_stopping: Callable[[], bool]) -> None:
    Drain("default", lambda _: None, is_stopping).run()
    connections.close_all()


def line_of(page: str, words: str) -> str:
    """The command that the page has below these words."""
    return unescape(page.partition(f">{words}</p>")[2].partition("<code>")[2].partition("<")[0])


def run(script: str, directory: Path) -> None:
    subprocess.run(["sh", "-c", script], cwd=directory, check=True, timeout=60)


def test_a_script_reports_its_start_and_exit_code_and_the_board_shows_it(
    live_server: LiveServer,
    worker: None,
    path: CriticalPath,
    client_of: Callable[[RoleName], Client],
    settings: Any,
    tmp_path: Path,
):
    settings.URL = live_server.url
    path.kind, path.route, path.expected_result = "heartbeat", "", "time < 1 m"
    path.heartbeat = {"cron": "0 2 * * *", "zone": "Europe/Oslo", "grace": 60 * SECOND}
    path.save()
    stand_up(path.service, now=timezone.now(), location="default")
    editor = client_of("editor")

    def page() -> str:
        return editor.get(HERE).content.decode().replace("\u00a0", " ")

    assert until(lambda: "No report came yet: the first is due at 02:00" in page())
    start = line_of(page(), "When it starts, so that its time is measured")
    end = line_of(page(), "With the end of what it wrote")
    script = SCRIPT.format(start=start, end=end)

    run(script.replace("job >", "job 0 3 >"), tmp_path)
    assert until(lambda: "st-pass" in page().partition("<h1>")[2].partition("</div>")[0])
    assert "copied 3 files" in page()

    run(script.replace("job >", "job 3 1 >"), tmp_path)
    assert until(lambda: "The job failed with exit code 3, expected 0." in page())
    assert "copied 1 files" in page()
