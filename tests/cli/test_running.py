"""`opsboard run`: the command runs as if nothing stood between, and its result is sent."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import (
    COMMIT,
    TOKEN,
    TOP,
    Ended,
    body_of,
    call,
    command,
    environment,
    in_turn,
    refuses,
    says,
    taken,
)
from tests.far_side import FarSide, hang, reset

RUN = ("run", "--service", "fares-api", "--release", "1.4.0", "--commit", COMMIT)
UNIT = (*RUN, "--gate", "unit")
TAKEN = says(taken(), 201)
PASSED = '<testsuite tests="2"><testcase name="a"/><testcase name="b"/></testsuite>'


@pytest.fixture
def board() -> Iterator[FarSide]:
    with FarSide(TAKEN) as far_side:
        yield far_side


def result_of(board: FarSide) -> dict[str, Any]:
    return body_of(board.requests[-1])


def shell(script: str) -> tuple[str, ...]:
    return ("--", "sh", "-c", script)


def test_output_passes_through_and_the_result_is_sent(board: FarSide) -> None:
    ended = call(board.url(""), *UNIT, *shell("echo out; echo err >&2; exit 3"))

    assert (ended.code, ended.out) == (3, "out\n")
    assert ended.err.startswith("err\n")
    running, result = (body_of(one) for one in board.requests)
    assert board.requests[0].path == "/api/v1/services/fares-api/releases/1.4.0/evidence"
    assert (running["outcome"], "finished_at" in running) == ("running", False)
    assert result["outcome"] == "failed"
    assert result["exit_code"] == 3
    assert result["commit"] == COMMIT
    assert result["command"] == "sh -c 'echo out; echo err >&2; exit 3'"
    assert sorted(result["log_tail"].split()) == ["err", "out"]
    assert running["started_at"] < result["started_at"] <= result["finished_at"]


def test_bytes_are_not_touched(board: FarSide) -> None:
    script = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 1000)"
    ended = subprocess.run(
        command(*UNIT, "--", sys.executable, "-c", script),
        env=environment(board.url("")) | {"PYTHONPATH": str(TOP)},
        cwd=TOP,
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert ended.stdout == bytes(range(256)) * 1000
    assert len(result_of(board)["log_tail"].encode()) <= 4096
    assert "\0" not in result_of(board)["log_tail"]


def test_standard_input_is_the_commands_own(board: FarSide) -> None:
    ended = subprocess.run(
        command(*UNIT, "--", "cat"),
        env=environment(board.url("")) | {"PYTHONPATH": str(TOP)},
        cwd=TOP,
        input=b"said",
        capture_output=True,
        timeout=30,
        check=False,
    )

    assert ended.stdout == b"said"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        pytest.param(("--", "no-such-command-here"), 127, id="not found"),
        pytest.param(("--", "/etc/passwd"), 126, id="cannot be run"),
        pytest.param(shell("kill -KILL $$"), 137, id="ended by a signal"),
    ],
)
def test_a_command_that_gave_no_answer_is_an_error(
    board: FarSide, arguments: tuple[str, ...], code: int
) -> None:
    ended = call(board.url(""), *UNIT, *arguments)

    assert ended.code == code
    assert (result_of(board)["outcome"], result_of(board)["exit_code"]) == ("error", code)


def test_what_a_command_leaves_behind_is_not_waited_for(board: FarSide) -> None:
    began = time.monotonic()
    ended = call(board.url(""), *UNIT, *shell("sleep 20 & echo $!"))
    os.kill(int(ended.out), signal.SIGKILL)

    assert ended.code == 0
    assert time.monotonic() - began < 10


@contextlib.contextmanager
def told_apart(
    board: FarSide, script: str, number: signal.Signals, handler: signal.Handlers
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs it, started with this answer to the signal: the tests may be run under nohup."""
    with subprocess.Popen(
        command(*UNIT, *shell(script)),
        env=environment(board.url("")) | {"PYTHONPATH": str(TOP)},
        cwd=TOP,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=partial(signal.signal, number, handler),
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            process.send_signal(number)
            yield process
        finally:
            # Of its own group, so that a command that was told nothing ends as well.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_are_handed_on(board: FarSide, number: signal.Signals) -> None:
    script = f"trap 'echo told; exit 9' {number.name[3:]}; echo ready; while :; do sleep 0.05; done"
    with told_apart(board, script, number, signal.SIG_DFL) as process:
        out, _ = process.communicate(timeout=20)

    assert (process.returncode, out) == (9, b"told\n")
    assert result_of(board)["exit_code"] == 9


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_that_we_are_to_ignore_the_command_ignores(
    board: FarSide, number: signal.Signals
) -> None:
    with told_apart(board, "echo ready; sleep 1; echo done", number, signal.SIG_IGN) as process:
        out, _ = process.communicate(timeout=20)

    assert (process.returncode, out) == (0, b"done\n")
    assert result_of(board)["exit_code"] == 0


# Reports ----------------------------------------------------------------------------------------


def run_with_report(board: FarSide, tmp_path: Path, written: str, *, code: int = 0) -> Ended:
    (tmp_path / "source.xml").write_text(written)
    script = f"cat source.xml > junit.xml; exit {code}"
    return call(board.url(""), *UNIT, "--junit", "junit.xml", *shell(script), cwd=tmp_path)


def test_a_report_gives_the_counts(board: FarSide, tmp_path: Path) -> None:
    ended = run_with_report(board, tmp_path, PASSED)

    assert ended.code == 0
    assert result_of(board)["outcome"] == "passed"
    counts = {"collected": 2, "passed": 2, "failed": 0, "skipped": 0}
    assert result_of(board)["counts"] == counts


@pytest.mark.parametrize(
    ("written", "outcome"),
    [
        pytest.param(
            "<testsuite><testcase><failure/></testcase></testsuite>", "inconclusive", id="failed"
        ),
        pytest.param("<testsuite/>", "skipped", id="nothing collected"),
        pytest.param(
            "<testsuite><testcase><skipped/></testcase></testsuite>", "skipped", id="all skipped"
        ),
        pytest.param("<testsuite><testcase>", "inconclusive", id="half a report"),
        pytest.param(
            '<!DOCTYPE a [<!ENTITY b "c">]><testsuite><testcase/></testsuite>',
            "inconclusive",
            id="entities",
        ),
    ],
)
def test_exit_code_0_alone_does_not_pass_with_a_report(
    board: FarSide, tmp_path: Path, written: str, outcome: str
) -> None:
    ended = run_with_report(board, tmp_path, written)

    assert ended.code == 0
    assert result_of(board)["outcome"] == outcome
    assert result_of(board)["assumptions"]


def test_a_report_of_an_earlier_run_is_refused(board: FarSide, tmp_path: Path) -> None:
    (tmp_path / "junit.xml").write_text(PASSED)
    call(board.url(""), *UNIT, "--junit", "junit.xml", "--", "true", cwd=tmp_path)
    untouched = result_of(board)
    script = "cp junit.xml other.xml; touch -d '1 hour ago' other.xml"
    call(board.url(""), *UNIT, "--junit", "other.xml", *shell(script), cwd=tmp_path)

    for result in (untouched, result_of(board)):
        assert result["outcome"] == "inconclusive"
        assert "counts" not in result
        assert "older than the run" in result["assumptions"][0]


def test_a_report_that_is_a_pipe_holds_nobody(board: FarSide, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "junit.xml")
    call(board.url(""), *UNIT, "--junit", "junit.xml", "--", "true", cwd=tmp_path)

    assert result_of(board)["outcome"] == "inconclusive"


# Secrets ----------------------------------------------------------------------------------------


def test_secrets_are_masked_in_the_tail_and_in_the_command(board: FarSide) -> None:
    more = {"DB_PASSWORD": "hunter2&more", "HARBOUR": "not a secret"}
    script = (
        "echo token $OPSBOARD_TOKEN; echo $DB_PASSWORD hunter2%26more; echo $HARBOUR;"
        " echo postgres://me:letmein@db/x"
    )
    ended = call_showing(board, more, shell(script))
    result = result_of(board)

    assert "hunter2" in ended
    said = result["log_tail"] + result["command"]
    assert not any(one in said for one in (TOKEN, "hunter2", "letmein"))
    assert "not a secret" in said


def test_half_a_secret_at_the_edge_of_the_tail_is_not_sent(board: FarSide) -> None:
    secret = "".join(f"{number:04}" for number in range(500))
    # Masked they are short, so that the tail reaches back to the one that was cut.
    script = "for one in 1 2 3 4 5 6 7 8 9; do printf %s $MY_SECRET; done; echo x"
    call(board.url(""), *UNIT, *shell(script), more={"MY_SECRET": secret})

    assert set(result_of(board)["log_tail"].strip()) == {"x", "•"}


def call_showing(board: FarSide, more: dict[str, str], arguments: tuple[str, ...]) -> str:
    """What the command itself prints is its own affair: it is passed on unmasked."""
    return subprocess.run(
        command(*UNIT, *arguments),
        env=environment(board.url(""), **more) | {"PYTHONPATH": str(TOP)},
        cwd=TOP,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    ).stdout


# Sending ----------------------------------------------------------------------------------------


def test_the_result_is_tried_again_under_one_key() -> None:
    away = refuses(503, "away", "Away.", ("Retry-After", "1"))
    with FarSide(in_turn(TAKEN, away, reset(), TAKEN)) as board:
        began = time.monotonic()
        ended = call(board.url(""), *UNIT, "--strict", "--", "true")

    assert ended.code == 0
    assert time.monotonic() - began > 1
    results = board.requests[1:]
    assert len(results) == 3
    assert len({one.header("idempotency-key") for one in results}) == 1
    assert len({one.body for one in results}) == 1


@pytest.mark.parametrize(
    ("strict", "code"), [((), 5), (("--strict",), 7)], ids=["as it is", "strict"]
)
def test_a_result_that_cannot_be_sent_fails_only_where_it_is_strict(
    strict: tuple[str, ...], code: int
) -> None:
    with FarSide(hang()) as board:
        limits = ("--post-timeout", "0.3")
        ended = call(board.url(""), *UNIT, *strict, *limits, *shell("exit 5"))

    assert ended.code == code
    assert "was not sent" in ended.err


def test_retry_after_beyond_the_time_there_is_ends_the_tries() -> None:
    later = refuses(429, "too_many", "Ask later.", ("Retry-After", "3600"))
    with FarSide(later) as board:
        ended = call(board.url(""), *UNIT, "--strict", "--", "true")

    assert ended.code == 7
    assert board.connections == 2
    assert "3600 s" in ended.err


GITHUB = {"GITHUB_RUN_ID": "77", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_JOB": "test"}


def test_the_key_names_the_run_and_the_attempt_of_ci() -> None:
    with FarSide(TAKEN) as board:
        for more in (GITHUB, GITHUB, GITHUB | {"GITHUB_RUN_ATTEMPT": "3"}, {}, {}):
            call(board.url(""), *UNIT, "--", "true", more=more)

    first, again, attempt, chance, other = (
        one.header("idempotency-key") for one in board.requests[1::2]
    )
    assert first == again
    assert first is not None
    assert first.startswith("gh-77-2-unit-result-")
    assert len({first, attempt, chance, other}) == 4


def test_a_second_run_in_one_attempt_is_another_answer() -> None:
    used = refuses(409, "key_used", "This key was used.")
    with FarSide(in_turn(TAKEN, used, TAKEN)) as board:
        ended = call(board.url(""), *UNIT, "--strict", "--", "true", more=GITHUB)

    assert ended.code == 0
    _, first, again = (one.header("idempotency-key") for one in board.requests)
    assert again is not None
    assert again.startswith(f"{first}-2")


def test_another_commit_is_refused_for_good() -> None:
    with FarSide(refuses(409, "other_commit", "This is of another commit.")) as board:
        ended = call(board.url(""), *UNIT, "--strict", "--", "true")

    assert ended.code == 7
    assert board.connections == 2
    assert "another commit" in ended.err


def test_json_keeps_standard_output_for_itself(board: FarSide) -> None:
    ended = call(board.url(""), *UNIT, "--json", *shell("echo out"))

    assert ended.document["evidence"]["outcome"] == "passed"
    assert ended.document["board"]["readiness"] == "ready"
    assert "out\n" in ended.err
