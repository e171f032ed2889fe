"""`opsboard compare` and `opsboard change` against a board that answers as it likes."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import body_of, call, in_turn, refuses, says
from tests.far_side import FarSide

URL = "http://127.0.0.1:9"
QUICK = ("--every", "10ms")
FIGURES = {"verdict": "improved", "n": [200, 200]}
AT = "2026-11-28T12:00:00+00:00"


def attempt(verdict: str, number: int = 1) -> dict[str, Any]:
    judged_at = None if verdict == "collecting" else AT
    return {"number": number, "began_at": AT, "verdict": verdict, "judged_at": judged_at}


def change(verdict: str = "collecting", stage: str = "", **more: Any) -> dict[str, Any]:
    is_judged = verdict != "collecting"
    return {
        "number": 198,
        "name": "CHG-0198",
        "title": "One query in place of twelve",
        "service": "fares-api",
        "path": "price-a-crossing",
        "environment": "production",
        "variables": ["query"],
        "stage": stage or ("judged" if is_judged else "declared"),
        "verdict": verdict,
        "attempt": 1,
        "attempts": [attempt(verdict)],
        "progress": None,
        "sentences": [],
        "reasons": [],
        "settle": "",
        "result": FIGURES if is_judged else None,
        **more,
    }


def collecting(count: int, stage: str = "collecting", **burst: Any) -> dict[str, Any]:
    told = {"wanted": 200, "asked": count, "finished_at": None, "stopped_at": None, "trouble": ""}
    progress = {"count": count, "of": 200, "burst": told | burst if burst else None}
    return change(stage=stage, progress=progress)


# compare ----------------------------------------------------------------------------------------

VERDICTS = [
    ("improved", None, 0),
    ("no_change", None, 0),
    ("no_change", "not_regressed", 0),
    ("improved", "not_regressed", 0),
    ("improved", "improved", 0),
    ("no_change", "no_change", 0),
    ("regressed", None, 1),
    ("regressed", "no_change", 1),
    ("regressed", "not_regressed", 1),
    ("collecting", None, 3),
    ("collecting", "not_regressed", 3),
    ("invalid", None, 4),
    ("invalid", "not_regressed", 4),
    ("no_change", "improved", 5),
    ("improved", "no_change", 5),
    ("inconclusive", None, 6),
    ("inconclusive", "not_regressed", 6),
    ("confounded", None, 8),
    ("confounded", "not_regressed", 8),
    ("splendid", None, 7),
    ("no change", None, 7),
]


@pytest.mark.parametrize(("verdict", "expected", "code"), VERDICTS)
def test_each_verdict_has_its_exit_code(verdict: str, expected: str | None, code: int) -> None:
    more = ("--expect", expected) if expected else ()
    with FarSide(says(change(verdict))) as board:
        assert call(board.url(""), "compare", "CHG-0198", *more).code == code


def test_the_sentences_the_reasons_and_what_would_settle_it_are_printed() -> None:
    said = change(
        "inconclusive",
        sentences=["It cannot be said yet.", "There are too few misses."],
        reasons=["Only 12 misses after."],
        settle="140 more samples a side.",
    )
    with FarSide(says(said)) as board:
        shown = call(board.url(""), "compare", "198")
        told = call(board.url(""), "compare", "chg-198", "--json")

    assert shown.out == (
        "CHG-0198: inconclusive\n"
        "  It cannot be said yet.\n"
        "  There are too few misses.\n"
        "  Only 12 misses after.\n"
        "  To settle it: 140 more samples a side.\n"
    )
    assert (told.code, told.document) == (6, said)


def test_how_far_it_is_is_told_while_a_verdict_is_waited_for() -> None:
    turns = [collecting(12), collecting(12), collecting(137), change("improved")]
    with FarSide(in_turn(*map(says, turns))) as board:
        ended = call(board.url(""), "compare", "198", "--wait", "20s", *QUICK)

    assert (ended.code, ended.out) == (0, "CHG-0198: improved\n")
    assert ended.err.splitlines() == [
        "opsboard: CHG-0198: collecting after, 12 of 200",
        "opsboard: CHG-0198: collecting after, 137 of 200",
    ]


def test_a_board_that_is_away_for_a_moment_does_not_end_the_wait() -> None:
    away = refuses(503, "unavailable", "Try again.", ("Retry-After", "0"))
    with FarSide(in_turn(says(collecting(1)), away, away, away, says(change("improved")))) as board:
        assert call(board.url(""), "compare", "198", "--wait", "25s", *QUICK).code == 0


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("given_up", "was given up and has no verdict: repeat it to measure again."),
        ("withdrawn", "was withdrawn and has no verdict: declare another change to measure again."),
    ],
)
def test_what_nothing_comes_of_is_not_waited_for_and_is_no_verdict(stage: str, words: str) -> None:
    with FarSide(says(change(stage=stage, attempts=[attempt("regressed")]))) as board:
        ended = call(board.url(""), "compare", "198", "--wait", "1s", *QUICK)
        asked = len(board.requests)

    assert (ended.code, asked) == (4, 1)
    assert ended.out == f"CHG-0198 {words}\n"


def test_a_verdict_stays_one_when_the_change_was_withdrawn_and_that_is_said() -> None:
    with FarSide(says(change("regressed", withdrawn_at=AT))) as board:
        ended = call(board.url(""), "compare", "198")

    assert (ended.code, ended.out) == (1, "CHG-0198: regressed\n  It was withdrawn since.\n")


ODD: dict[str, Any] = {
    "another change": change("improved", number=199),
    "a verdict without figures": change("improved", result=None),
    "a verdict without an attempt": change("improved", attempt=None),
    "reasons that are none": change("improved", reasons=[{"reason": "x"}]),
    "a stage that nobody knows": change("improved", stage="celebrating"),
    "a count that is a text": change(stage="collecting", progress={"count": "1", "of": 2}),
    "no verdict": {"number": 198},
}


@pytest.mark.parametrize("said", ODD.values(), ids=ODD)
def test_an_odd_answer_is_no_answer(said: Any) -> None:
    with FarSide(says(said)) as board:
        assert call(board.url(""), "compare", "198").code == 7


def test_texts_of_the_board_cannot_move_the_cursor() -> None:
    said = change("improved", title="\x1b[2J", sentences=["\x1b]0;x\x07Good"])
    with FarSide(says(said)) as board:
        assert "\x1b" not in call(board.url(""), "change", "show", "198").out


# change -----------------------------------------------------------------------------------------

DECLARE = ("change", "declare", "--service", "fares-api", "--path", "price-a-crossing")
DECLARED = (*DECLARE, "--environment", "production", "--title", "One query")
WRONG = {
    "no variable": DECLARED,
    "a variable that is none": (*DECLARED, "--changed", "luck"),
    "a margin that is none": (*DECLARED, "--changed", "query", "--margin", "a little"),
    "samples that are no number": (*DECLARED, "--changed", "query", "--samples", "many"),
    "no number of a change": ("change", "show", "INC-1"),
    "a way up": ("compare", ".."),
    "a number that is too large": ("compare", "9" * 10),
    "everything, and not sure": ("change", "cleared", "198", "--everything"),
    "nothing that was cleared": ("change", "cleared", "198"),
    "two that were cleared": ("change", "cleared", "198", "--key", "a", "--prefix", "b"),
    "a time for what is run now": ("change", "applied", "198", "--at", AT, "--", "true"),
    "a time without a zone": ("change", "applied", "198", "--at", "2026-11-28T12:00:00"),
    "nothing to send": ("change", "send", "198"),
    "a file and a log": ("change", "send", "198", "a.csv", "--log", "b", "--route", "/"),
    "a log without a route": ("change", "send", "198", "--log", "b"),
    "a route of a file": ("change", "send", "198", "a.csv", "--route", "/"),
    "one of no lines": ("change", "send", "198", "--log", "b", "--route", "/", "--every", "0"),
    "a file that is not there": ("change", "send", "198", "/nowhere/a.csv"),
    "a command for what runs none": ("change", "repeat", "198", "--", "true"),
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG)
def test_a_mistake_in_the_arguments_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    ended = call(URL, *arguments)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err


def test_a_change_is_declared_with_its_settings() -> None:
    settings = (
        *("--changed", "query", "--samples", "300", "--margin", "5%", "--goal", "0.3"),
        *("--guard", "db-calls", "--guard", "path:health", "--metric", "time"),
        *("--sampling", "burst", "--mode", "hit-and-miss", "--assume", "Traffic is as usual."),
    )
    with FarSide(says(change(attempt=None, attempts=[]), 201)) as board:
        ended = call(board.url(""), *DECLARED, *settings)
        (request,) = board.requests

    assert (ended.code, ended.out) == (0, "CHG-0198 is declared.\n")
    assert body_of(request) == {
        "service": "fares-api",
        "path": "price-a-crossing",
        "environment": "production",
        "title": "One query",
        "variables": ["query"],
        "samples": 300,
        "margin": 0.05,
        "goal": 0.3,
        "guardrails": ["db calls", "path:health"],
        "metric": "time",
        "sampling": "burst",
        "mode": "hit and miss",
        "assumptions": ["Traffic is as usual."],
    }


def test_the_baseline_is_opened_waited_for_and_sealed() -> None:
    turns = [
        says(change(attempt=None, attempts=[])),
        says(collecting(0, "baseline"), 201),
        says(collecting(60, "baseline")),
        says(change(stage="sealed")),
    ]
    with FarSide(in_turn(*turns)) as board:
        ended = call(board.url(""), "change", "baseline", "198", "--wait", "20s", *QUICK)
        asked = [(one.method, one.path) for one in board.requests]

    assert (ended.code, ended.out) == (0, "CHG-0198: sealed, and not applied yet.\n")
    assert "collecting before, 60 of 200" in ended.err
    assert asked[:2] == [
        ("GET", "/api/v1/changes/198"),
        ("POST", "/api/v1/changes/198/baseline"),
    ]


def test_a_baseline_that_is_not_full_in_time_is_exit_code_3() -> None:
    with FarSide(says(collecting(60, "baseline"))) as board:
        assert call(board.url(""), "change", "baseline", "198", "--wait", "50ms").code == 3


def test_a_command_is_run_told_and_its_exit_code_passed_on(tmp_path: Path) -> None:
    turns = [says(change(stage="sealed")), says(collecting(0), 201)]
    with FarSide(in_turn(*turns)) as board:
        act = ("change", "cleared", "198", "--key", "a", "--remark", "By hand", "--", "sh", "-c")
        ended = call(board.url(""), *act, "echo done; exit 3")
        _, told = board.requests

    body = body_of(told)
    assert (ended.code, ended.out) == (3, "done\n")
    assert body.pop("at")
    assert body == {
        "what": "key",
        "pattern": "a",
        "command": "sh -c 'echo done; exit 3'",
        "exit_code": 3,
        "remark": "By hand",
    }


def test_a_command_that_failed_has_applied_nothing() -> None:
    with FarSide(says(change(stage="sealed"))) as board:
        ended = call(board.url(""), "change", "applied", "198", "--", "sh", "-c", "exit 3")
        asked = [one.method for one in board.requests]

    assert (ended.code, asked) == (3, ["GET"])
    assert "is not marked as applied: the command ended with 3." in ended.err


@pytest.mark.parametrize(
    "board_says",
    [says(change(stage="baseline")), refuses(401, "no_token", "Send a valid token.")],
    ids=["not sealed", "no answer"],
)
def test_a_command_is_not_run_before_the_baseline_is_sealed(
    board_says: Any, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    with FarSide(board_says) as board:
        ended = call(board.url(""), "change", "applied", "198", "--", "touch", str(ran))

    assert ended.code in (7, 9)
    assert not ran.exists()


def test_a_command_that_could_not_be_told_is_not_a_success() -> None:
    turns = [says(change(stage="sealed")), refuses(409, "refused", "Its baseline is too old.")]
    with FarSide(in_turn(*turns)) as board:
        ended = call(board.url(""), "change", "applied", "198", "--", "true")

    assert (ended.code, "too old" in ended.err) == (9, True)


def test_a_secret_of_the_command_is_not_told() -> None:
    turns = [says(change(stage="sealed")), says(change(stage="sealed"), 201)]
    with FarSide(in_turn(*turns)) as board:
        clear = ("change", "cleared", "198", "--prefix", "fares:", "--count", "12", "--", "echo")
        call(board.url(""), *clear, "planted-word", more={"CACHE_PASSWORD": "planted-word"})
        body = body_of(board.requests[1])

    assert "planted" not in json.dumps(body)
    assert (body["what"], body["pattern"], body["count"]) == ("prefix", "fares:", 12)


def test_everything_is_told_when_it_is_sure() -> None:
    with FarSide(says(change(stage="sealed"), 201)) as board:
        ended = call(board.url(""), "change", "cleared", "198", "--everything", "--sure")
        body = body_of(board.requests[0])

    assert (ended.code, body) == (0, {"what": "everything", "sure": True})


BURSTS = [
    ("it finished", collecting(200, finished_at=AT), 0),
    ("it ended early", collecting(20, finished_at=AT, trouble="Three wrong answers."), 4),
    ("its window is full", change(stage="judging"), 0),
    ("it asks still", collecting(20, asked=20), 3),
]


@pytest.mark.parametrize(("last", "code"), [one[1:] for one in BURSTS], ids=[a for a, *_ in BURSTS])
def test_a_burst_is_waited_for(last: dict[str, Any], code: int) -> None:
    turns = [says(collecting(0, asked=0), 201), says(collecting(10, asked=10)), says(last)]
    with FarSide(in_turn(*turns)) as board:
        wait = "400ms" if code == 3 else "20s"
        ended = call(board.url(""), "change", "burst", "198", "--wait", wait, *QUICK)

    assert ended.code == code
    assert "collecting after, 10 of 200" in ended.err


# send -------------------------------------------------------------------------------------------

HEADER = "side,i,latency_us,cache,ok,db_calls,at\n"


def samples(count: int, of: int = 10_000, taken: int = 1) -> dict[str, int]:
    return {"taken": taken, "count": count, "of": of}


def test_a_file_is_sent_in_parts_until_the_window_is_full(tmp_path: Path) -> None:
    rows = [f"before,{at},{40_000 + at},hit,1,3,\n" for at in range(5_000)]
    file = tmp_path / "a.csv"
    file.write_text(HEADER + "".join(rows))
    turns = [says(samples(2_000), 201), says(samples(4_000, of=4_000), 201)]
    with FarSide(in_turn(*turns)) as board:
        ended = call(board.url(""), "change", "send", "198", str(file), "--side", "before")
        bodies = [body_of(one) for one in board.requests]

    assert (ended.code, ended.out) == (0, "2 taken: 4000 of 4000.\n")
    assert [one["first_row"] for one in bodies] == [2, 2_002]
    assert bodies[1]["csv"] == HEADER + "".join(rows[2_000:4_000])
    assert {one["side"] for one in bodies} == {"before"}


def test_only_lines_of_the_route_leave_the_machine(tmp_path: Path) -> None:
    lines = [
        json.dumps({"route": route, "ms": at}) + "\n"
        for at, route in enumerate(["/v1/quotes", "/v1/secret", "/v1/quotes", "/v1/quotes"])
    ]
    file = tmp_path / "a.log"
    file.write_text("".join(lines))
    with FarSide(says(samples(2), 201)) as board:
        log = ("--log", str(file), "--route", "/v1/quotes", "--every", "2", "--method", "GET")
        log += ("--status", "200", "--status", "304")
        ended = call(board.url(""), "change", "send", "198", *log)
        (request,) = board.requests

    assert ended.code == 0
    assert body_of(request) == {
        "log": lines[0] + lines[3],
        "route": "/v1/quotes",
        "method": "GET",
        "statuses": [200, 304],
    }


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", 2), (HEADER.encode(), 9), (HEADER.encode() + b"\xff\n", 2), (b"a" * 20_000, 2)],
    ids=["empty", "a header alone", "not UTF-8", "a line without an end"],
)
def test_a_file_without_samples_is_not_a_success(content: bytes, code: int, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with FarSide(says(samples(1), 201)) as board:
        ended = call(board.url(""), "change", "send", "198", str(file))

    assert (ended.code, ended.out) == (code, "")


def test_a_file_of_which_nothing_is_taken_is_not_a_success(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(HEADER + "before,0,40000,hit,1,3,\n")
    with FarSide(says(samples(60, taken=0), 201)) as board:
        ended = call(board.url(""), "change", "send", "198", str(file))

    assert (ended.code, ended.out) == (9, "")


def test_what_the_board_says_of_a_row_is_told(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(HEADER + "before,0,-1,hit,1,3,\n")
    with FarSide(refuses(422, "wrong_row", "Row 2: -1 is no time.")) as board:
        ended = call(board.url(""), "change", "send", "198", str(file))

    assert (ended.code, "Row 2: -1 is no time." in ended.err) == (9, True)
