"""An apply that was asked for on the pages outlives the board that was doing it."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.running.processes import PROJECT, ask, board, board_environment, until, write

SERVICES = 300
ASK_FOR_IT = """
import json, sys
import django
django.setup()
from django.utils import timezone
from opsboard.board import errands
from opsboard.board.sources import Source
from opsboard.people import joining
from opsboard.people.audit import Actor, Via
by = Actor(joining.add("Layla Haddad", "administrator"), Via.PAGES)
now = timezone.now()
prepared, errand = errands.plan([Source("b.yaml", sys.stdin.read())], prune=False, by=by, now=now)
errands.ask(errand, by=by, now=now)
print(json.dumps(errand.plan["count"]))
"""
ENDS = "SELECT done_at, failed_at, given_up_at, tries, outcome FROM board_errand"


def files() -> str:
    sheets = "".join(f"      path-{n}: {{route: GET /{n}}}\n" for n in range(5))
    return "teams: {t: {}}\nservices:\n" + "".join(
        f"  s{n}:\n    owner: t\n    environments: {{production: {{base_url: https://a.test}}}}\n"
        f"    paths:\n{sheets}"
        for n in range(SERVICES)
    )


def ask_for_an_apply(data: Path, port: int) -> int:
    """As the page does. Returns how many things it adds."""
    ran = subprocess.run(
        [sys.executable, "-c", ASK_FOR_IT],
        input=files(),
        env=board_environment(data, port),
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return int(json.loads(ran.stdout))


def services(data: Path) -> int:
    found = ask(data, "SELECT count(*) FROM services_service WHERE slug LIKE 's%'")
    return int(str(found[0][0]))


def test_killed_in_the_middle_of_an_apply_the_next_board_does_all_of_it_once(
    data: Path, port: int
) -> None:
    with board(data, port) as process:
        process.line()
        process.end(signal.SIGTERM)
    count = ask_for_an_apply(data, port)
    with board(data, port) as process:
        process.line()
        assert until(lambda: ask(data, "SELECT 1 FROM board_errand WHERE claim_id IS NOT NULL"))
        process.end(signal.SIGKILL)
    assert ask(data, ENDS) == [(None, None, None, 1, "")]
    assert services(data) == 0
    # Else the lease of the dead one runs out first, which takes half a minute.
    write(data, "UPDATE board_errand SET leased_until = 1")
    with board(data, port) as process:
        process.line()
        done = "SELECT tries, outcome FROM board_errand WHERE done_at IS NOT NULL"
        assert until(lambda: ask(data, done), seconds=180) == [(2, f"{count:,} added.")]
        process.end(signal.SIGTERM)
    assert services(data) == SERVICES
    told = "SELECT count(*) FROM people_auditentry WHERE via = 'apply'"
    assert ask(data, told) == [(count,)]
