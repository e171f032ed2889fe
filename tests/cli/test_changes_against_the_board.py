"""A change from its declaration to its verdict: the real command, the real board."""

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from opsboard.changes.judging import advance
from opsboard.changes.models import Act, Change
from opsboard.people import tokens
from opsboard.services.models import CriticalPath
from tests.api.changes import FIGURES, judged, watched
from tests.cli.calling import Ended, call

DECLARE = (
    *("change", "declare", "--service", "fares-api", "--path", "price-a-crossing"),
    *("--environment", "production", "--title", "One query in place of twelve"),
    *("--changed", "query", "--samples", "60"),
)

type Opsboard = Callable[..., Ended]


@pytest.fixture
def opsboard(live_server: LiveServer, editor: User) -> Opsboard:
    """The command, with a token of an editor; `scopes`: those of the token."""
    now = timezone.now()

    def run(*arguments: str, scopes: tuple[str, ...] = ("release",)) -> Ended:
        expires_at = now + timedelta(days=1)
        _, token = tokens.make(name="CI", scopes=scopes, by=editor, now=now, expires_at=expires_at)
        return call(live_server.url, *arguments, more={"OPSBOARD_TOKEN": token})

    return run


def test_a_change_from_its_declaration_to_its_verdict(
    opsboard: Opsboard, path: CriticalPath, tmp_path: Path
) -> None:
    watched(path)
    goal = ("--goal", "30%", "--guard", "db-calls", "--version", "1.4.0")
    declared = opsboard(*DECLARE, *goal, "--json")
    name, number = declared.document["name"], declared.document["number"]
    early = opsboard("change", "applied", name, "--", "touch", str(tmp_path / "early"))
    sealed = opsboard("change", "baseline", name, "--wait", "1s", "--seal")
    clear = ("change", "cleared", str(number), "--prefix", "fares:", "--count", "3")
    cleared = opsboard(*clear, "--", "echo", "3 keys")
    applied = opsboard("change", "applied", name, "--", "sh", "-c", "exit 0")
    collecting = opsboard("compare", name)
    judged(number)
    improved = opsboard("compare", name, "--expect", "improved", "--json")
    other = opsboard("compare", name, "--expect", "no_change")

    assert (declared.code, early.code) == (0, 9)
    assert not (tmp_path / "early").exists()
    assert (sealed.code, sealed.out) == (0, f"{name}: sealed, and not applied yet.\n")
    assert (cleared.code, cleared.out, applied.code) == (0, "3 keys\n", 0)
    assert (collecting.code, collecting.out) == (3, f"{name}: collecting after, 0 of 60\n")
    assert (improved.code, other.code) == (0, 5)
    assert improved.document["result"] == FIGURES
    commands = Act.objects.order_by("pk").values_list("kind", "command", "exit_code", "count")
    assert list(commands) == [
        ("cleared", "echo '3 keys'", 0, 3),
        ("applied", "sh -c 'exit 0'", 0, None),
    ]
    assert Change.objects.get().goal == 0.3


def test_it_is_measured_again_and_shown(opsboard: Opsboard, path: CriticalPath) -> None:
    watched(path)
    name = opsboard(*DECLARE, "--json").document["name"]
    opsboard("change", "baseline", name, "--seal")
    opsboard("change", "applied", name)
    judged(Change.objects.get().pk, verdict="confounded", reason="changed_variables=2")
    confounded = opsboard("compare", name, "--expect", "not_regressed")
    repeated = opsboard("change", "repeat", name)
    shown = opsboard("change", "show", name)

    assert (confounded.code, repeated.code, shown.code) == (8, 0, 0)
    assert repeated.out == f"{name}: attempt 2 is open.\n"
    lines = shown.out.splitlines()
    assert lines[0] == f"{name}: collecting before, 0 of 60"
    assert [line.split()[:3] for line in lines[3:5]] == [
        ["attempt", "2", "collecting"],
        ["attempt", "1", "confounded"],
    ]


def test_an_attempt_is_given_up_and_the_change_withdrawn(
    opsboard: Opsboard, path: CriticalPath
) -> None:
    watched(path)
    name = opsboard(*DECLARE, "--json").document["name"]
    early = opsboard("change", "give-up", name, "--because", "Wrong day.")
    opsboard("change", "baseline", name)
    none = opsboard("change", "stop", name)
    given_up = opsboard("change", "give-up", name, "--because", "A load test ran.")
    ended, shown = opsboard("compare", name), opsboard("change", "show", name)
    withdrawn = opsboard("change", "withdraw", name)

    assert (early.code, none.code) == (9, 9)
    assert (given_up.code, given_up.out) == (0, f"{name}: attempt 1 is given up.\n")
    assert ended.code == 4
    assert ended.out == f"{name} was given up and has no verdict: repeat it to measure again.\n"
    assert "  attempt 1  given up  began" in shown.out
    assert (withdrawn.code, withdrawn.out) == (0, f"{name} is withdrawn.\n")
    assert Change.objects.get().comparisons.get().given_up_because == "A load test ran."


def test_samples_of_a_file_and_of_a_log_are_sent(
    opsboard: Opsboard, path: CriticalPath, tmp_path: Path
) -> None:
    now = timezone.now()
    times = [(now - timedelta(seconds=400 - at)).isoformat() for at in range(90)]
    file, log = tmp_path / "a.csv", tmp_path / "a.log"
    rows = [
        f"{side},{at},{40_000 + at},hit,1,3,{times[at]}\n"
        for side in ("before", "after")
        for at in range(30)
    ]
    file.write_text("side,i,latency_us,cache,ok,db_calls,at\n" + "".join(rows))
    lines = [
        {"time": times[at], "method": "GET", "route": route, "status": 200, "ms": 12.5}
        for at in range(90)
        for route in ("/price", "/other")
    ]
    log.write_text("".join(json.dumps(one) + "\n" for one in lines))
    name = opsboard(*DECLARE, "--sampling", "sent", "--json").document["name"]
    opsboard("change", "baseline", name)
    send = ("change", "send", name)
    sent = opsboard(*send, str(file))
    logged = opsboard(*send, "--log", str(log), "--route", "/price", "--every", "3")
    nothing = opsboard(*send, "--log", str(log), "--route", "/nowhere")
    after = opsboard(*send, str(file), "--side", "after")
    file.write_text(file.read_text().replace(",40005,", ",soon,"))
    wrong = opsboard(*send, str(file))

    assert (sent.code, sent.out) == (0, "30 taken: 30 of 60.\n")
    assert (logged.code, logged.out) == (0, "30 taken: 60 of 60.\n")
    assert (nothing.code, after.code, wrong.code) == (9, 9, 9)
    assert 'Row 7: latency_us is "soon"' in wrong.err


def test_what_the_board_refuses_is_exit_code_9_with_its_reason(
    opsboard: Opsboard, path: CriticalPath
) -> None:
    watched(path, count=20)
    wrong = opsboard(*DECLARE, "--control", "nothing", "--guard", "luck")
    name = opsboard(*DECLARE, "--json").document["name"]
    few = opsboard("change", "baseline", name, "--seal")
    again = opsboard("change", "repeat", name)
    applied = opsboard("change", "applied", name)

    assert (wrong.code, few.code, again.code, applied.code) == (9, 9, 9, 9)
    assert "fares-api has no path nothing." in wrong.err
    assert "20 samples" in few.err
    assert "not sealed" in applied.err


def test_a_token_without_the_scope_is_no_answer(opsboard: Opsboard, path: CriticalPath) -> None:
    reading = opsboard(*DECLARE, scopes=("read",))
    name = opsboard(*DECLARE, "--json").document["name"]
    silence = opsboard("compare", name, scopes=("silence",))
    compared = opsboard("compare", name, scopes=("read",))

    assert (reading.code, silence.code, compared.code) == (7, 7, 3)
    assert "does not allow: release" in reading.err


def test_a_change_that_is_not_there_is_no_answer(opsboard: Opsboard, path: CriticalPath) -> None:
    ended = opsboard("compare", "CHG-0198")

    assert ended.code == 7
    assert "There is no change 198." in ended.err


def test_the_board_judges_what_was_sent(
    opsboard: Opsboard, path: CriticalPath, tmp_path: Path
) -> None:
    """A third less, with hits and misses in turn: computed by the real process that judges."""
    settings = ("--sampling", "sent", "--warm-up-seconds", "0", "--warm-up-samples", "0")
    name = opsboard(*DECLARE, *settings, "--samples", "200", "--json").document["name"]
    opsboard("change", "baseline", name)
    chance, file = random.Random(4), tmp_path / "a.csv"

    def send(side: str, since: datetime, share: float) -> Ended:
        rows = [
            f"{side},{at},{_latency(chance, at) * share:.0f},{'miss' if at % 2 else 'hit'},1,12,"
            f"{(since + timedelta(microseconds=at)).isoformat()}\n"
            for at in range(200)
        ]
        file.write_text("side,i,latency_us,cache,ok,db_calls,at\n" + "".join(rows))
        return opsboard("change", "send", name, str(file))

    before = send("before", timezone.now() - timedelta(minutes=5), 1.0)
    advance(now=timezone.now())
    applied = opsboard("change", "applied", name)
    after = send("after", Act.objects.get().at, 0.6)
    judging = opsboard("compare", name)
    advance(now=timezone.now())
    improved = opsboard("compare", name, "--expect", "not_regressed")
    samples = opsboard("change", "show", name, "--json").document

    assert (before.code, applied.code, after.code, judging.code) == (0, 0, 0, 3)
    assert improved.code == 0, improved.out
    lines = improved.out.splitlines()
    assert lines[0] == f"{name}: improved"
    assert "Price a crossing got 41% faster" in lines[1]
    assert samples["result"]["n"] == [200, 200]
    assert len(samples["sentences"]) == 2


def _latency(chance: random.Random, at: int) -> float:
    return (200_000 if at % 2 else 40_000) * chance.lognormvariate(0, 0.2)
