"""Three hundred targets fail at once: a few messages tell of all of them, and of every end."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.test_first_day import (
    add_channel,
    become_administrator,
    browser_page,
    post_office,
    the_app,
    the_board_says,
    wait_for,
    webhook_receiver,
)
from tests.running.processes import MANAGE, PROJECT, clean_environment, free_port, running

pytestmark = pytest.mark.browser

SERVICES = 300
FEW = 10


def board_file(port: int) -> str:
    return "teams: {platform: {}}\nservices:\n" + "".join(
        f"  target-{n:03}:\n"
        "    owner: platform\n"
        f"    environments: {{production: {{base_url: 'http://127.0.0.1:{port}'}}}}\n"
        "    paths:\n"
        f"      health: {{route: GET /health?{n}, interval: 10 s, timeout: 2 s}}\n"
        for n in range(SERVICES)
    )


def incidents_told(hooks: list[dict[str, object]], event: str) -> set[str]:
    """The incidents that a webhook was told `event` of, by their names."""
    told = re.compile(rf'"event": "{event}".*?"incident": "(INC-\d+)')
    alerts = [json.dumps(one, sort_keys=True) for hook in hooks for one in hook["alerts"]]
    return {found[1] for alert in alerts if (found := told.search(alert))}


def test_three_hundred_targets_fail_at_once_and_a_few_messages_tell_of_each(
    tmp_path: Path, chromium: str
) -> None:
    data, app_port = tmp_path / "data", free_port()
    up = [str(PROJECT / "script/up"), "--port", str(free_port()), "--data", str(data)]
    with (
        post_office() as (post, mail_port),
        webhook_receiver() as (hooks, hook),
        running(
            up, clean_environment() | {"EMAIL_URL": f"smtp://127.0.0.1:{mail_port}"}, tmp_path
        ) as board,
        browser_page(chromium) as page,
    ):
        url = board.line().removeprefix("Opsboard: ")
        become_administrator(page, board.line().removeprefix("First administrator: "))
        add_channel(page, url, "email", "ops@example.com")
        add_channel(page, url, "webhook", hook)
        with the_app(tmp_path, app_port):
            (tmp_path / "board.yaml").write_text(board_file(app_port))
            apply = [sys.executable, MANAGE, "apply", str(tmp_path / "board.yaml")]
            at_home = clean_environment() | {"OPSBOARD_DATA": str(data)}
            subprocess.run(apply, env=at_home, check=True, capture_output=True, timeout=120)
            # Those, and what the board asks of itself.
            all_pass = f"{SERVICES + 3} of {SERVICES + 3} critical paths pass"
            wait_for(lambda: the_board_says(page, url, all_pass), "all to pass")
        wait_for(lambda: len(incidents_told(hooks, "failing")) == SERVICES, "all to be told")
        assert len(hooks) <= FEW
        assert len(post.letters) <= FEW
        page.goto(f"{url}incidents")
        expect(page.locator("h1")).to_contain_text(f"{SERVICES} incidents are open")

        with the_app(tmp_path, app_port):
            wait_for(lambda: len(incidents_told(hooks, "resolved")) == SERVICES, "every end")
        assert len(hooks) <= 2 * FEW
        page.goto(f"{url}incidents")
        expect(page.locator("h1")).to_contain_text("No incident is open")
    assert board.errors == ""
