"""`opsboard gate`: one exit code for each answer."""

import time
from typing import Any

import pytest

from tests.cli.calling import (
    COMMIT,
    EXIT_CODES,
    call,
    gate_state,
    in_turn,
    readiness,
    refuses,
    says,
)
from tests.far_side import FarSide

GATE = ("gate", "--service", "fares-api", "--release", "1.4.0")
OVERRIDE = {
    "by": "Edith Moe",
    "accepted_by": "",
    "is_alone": True,
    "reason": "r",
    "at": "2026-11-28T12:00:00+00:00",
    "ends_at": "2026-11-29T12:00:00+00:00",
}
FREEZE = {
    "kind": "freeze",
    "reason": "The harbour is closed.",
    "by": "",
    "since": "",
    "until": None,
}
NOTE = gate_state("note")
WHOLES: dict[str, dict[str, Any]] = {
    "ready": readiness("ready", NOTE),
    "blocked": readiness("blocked", NOTE, gate_state(word="not met")),
    "frozen": readiness("frozen", NOTE, gate_state(word="no evidence"), stops=[FREEZE]),
    "incomplete": readiness("incomplete", NOTE, gate_state(word="no evidence")),
    "out of date": readiness("out of date", NOTE, gate_state(word="out of date")),
    "overridden": readiness("overridden", NOTE, gate_state(word="not met", override=OVERRIDE)),
}


@pytest.mark.parametrize("whole", WHOLES)
def test_each_answer_has_its_exit_code(whole: str) -> None:
    with FarSide(says(WHOLES[whole])) as board:
        shown = call(board.url(""), *GATE)
        told = call(board.url(""), *GATE, "--json", "--allow-overridden")

    assert shown.code == EXIT_CODES[whole]
    assert shown.out.startswith(f"fares-api 1.4.0: {whole}\n")
    assert told.code == (0 if whole == "overridden" else EXIT_CODES[whole])
    assert told.document == WHOLES[whole]


def test_the_reasons_say_who_can_mend_them() -> None:
    said = readiness(
        "blocked",
        NOTE,
        gate_state(word="not met", reason="3 of 42 failed", who="CI of fares-api"),
        gate_state("lint", word="not met", need="advisory", reason="2 warnings"),
    )
    with FarSide(says(said)) as board:
        shown = call(board.url(""), *GATE)

    assert "3 of 42 failed (CI of fares-api)" in shown.out
    assert "\x1b" not in shown.out


def test_an_advisory_gate_does_not_block() -> None:
    with FarSide(says(readiness("ready", NOTE, gate_state(word="not met", need="advisory")))) as it:
        assert call(it.url(""), *GATE).code == 0


def test_an_overridden_gate_is_shown_as_overridden() -> None:
    with FarSide(says(WHOLES["overridden"])) as board:
        shown = call(board.url(""), *GATE)

    assert "not met" in shown.out
    assert "overridden by Edith Moe" in shown.out


@pytest.mark.parametrize(("commit", "code"), [(COMMIT, 0), ("cd" * 20, 7)])
def test_a_gate_may_be_bound_to_a_commit(commit: str, code: int) -> None:
    with FarSide(says(WHOLES["ready"])) as board:
        assert call(board.url(""), *GATE, "--commit", commit).code == code


QUICK = ("--every", "50ms")


def test_waiting_ends_with_the_evidence() -> None:
    away = refuses(503, "away", "Away.", ("Retry-After", "60"))
    incomplete = says(WHOLES["incomplete"])
    with FarSide(in_turn(incomplete, away, incomplete, says(WHOLES["ready"]))) as board:
        ended = call(board.url(""), *GATE, "--wait", "20s", *QUICK)

    assert (ended.code, board.connections) == (0, 4)


@pytest.mark.parametrize("whole", ["blocked", "frozen", "overridden"])
def test_what_waits_for_a_person_is_not_waited_for(whole: str) -> None:
    with FarSide(says(WHOLES[whole])) as board:
        ended = call(board.url(""), *GATE, "--wait", "20s", *QUICK)

    assert (ended.code, board.connections) == (EXIT_CODES[whole], 1)


@pytest.mark.parametrize(
    ("last", "code"),
    [
        pytest.param(says(WHOLES["incomplete"]), 3, id="incomplete still"),
        pytest.param(refuses(503, "away", "Away.", ("Retry-After", "60")), 7, id="gone"),
    ],
)
def test_waiting_ends_with_the_time(last: Any, code: int) -> None:
    began = time.monotonic()
    with FarSide(in_turn(says(WHOLES["incomplete"]), last)) as board:
        ended = call(board.url(""), *GATE, "--wait", "0.3s", *QUICK)

    assert ended.code == code
    assert 0.3 < time.monotonic() - began < 10


def test_a_token_that_is_not_taken_is_not_waited_for() -> None:
    with FarSide(refuses(401, "no_token", "Send a valid token.")) as board:
        assert call(board.url(""), *GATE, "--wait", "20s", *QUICK).code == 7
