"""What a person wrote wrongly is exit code 2, before anything is sent; a token is never shown."""

from pathlib import Path

import pytest

from tests.cli.calling import TOKEN, call, gate_state, readiness, says
from tests.far_side import FarSide

GATE = ("gate", "--service", "fares-api", "--release", "1.4.0")
READY = says(readiness("ready", gate_state()))
URL = "http://127.0.0.1:9"

WRONG = {
    "no command": (),
    "an unknown command": ("deploy",),
    "no service": ("gate", "--release", "1"),
    "a short commit": (
        *("release", "create", "--service", "s", "--release", "1"),
        *("--commit", "4f4f4f4"),
    ),
    "a time that is none": (*GATE, "--wait", "soon"),
    "a name that is a way up": ("gate", "--service", "..", "--release", "1"),
    "a command for what runs none": (*GATE, "--", "true"),
    "run without a command": (
        *("run", "--service", "s", "--release", "1", "--gate", "unit"),
        *("--commit", "4f" * 20),
    ),
    "a gate with a line break": (
        *("run", "--service", "s", "--release", "1", "--commit", "4f" * 20),
        *("--gate", "unit\r\nX-Other: 1", "--", "true"),
    ),
    "an argument that is not UTF-8": ("hold", "fares-api", "--reason", "\udcff"),
    "hold without a reason": ("hold", "fares-api"),
    "a shortened option": ("gate", "--serv", "s", "--release", "1"),
    "a token as an argument": ("gate", "--service", TOKEN, "--release", "1"),
}


@pytest.mark.parametrize("arguments", WRONG.values(), ids=WRONG.keys())
def test_a_mistake_in_the_arguments_is_exit_code_2(arguments: tuple[str, ...]) -> None:
    ended = call(URL, *arguments)

    assert ended.code == 2
    assert ended.out == ""


ENVIRONMENTS = {
    "no address": {"OPSBOARD_URL": ""},
    "no token": {"OPSBOARD_TOKEN": ""},
    "an address without a scheme": {"OPSBOARD_URL": "board.example"},
    "an address of a file": {"OPSBOARD_URL": "file:///etc/passwd"},
    "an address with a password": {"OPSBOARD_URL": "https://me:secret@board.example"},
    "an address that cannot be read": {"OPSBOARD_URL": "http://[::1"},
    "a token with a line break": {"OPSBOARD_TOKEN": "obs\r\nX-Other: 1"},
    "a token file that is not there": {"OPSBOARD_TOKEN": "", "OPSBOARD_TOKEN_FILE": "/nowhere/t"},
}


@pytest.mark.parametrize("more", ENVIRONMENTS.values(), ids=ENVIRONMENTS.keys())
def test_an_address_or_token_that_is_wrong_is_exit_code_2(more: dict[str, str]) -> None:
    ended = call(URL, *GATE, more=more)

    assert ended.code == 2
    assert ended.err.startswith("opsboard: ")
    assert "secret" not in ended.err


def test_a_token_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    more = {"OPSBOARD_TOKEN": "", "OPSBOARD_TOKEN_FILE": str(tmp_path / "token")}
    with FarSide(READY) as board:
        ended = call(board.url(""), *GATE, more=more)

    assert ended.code == 0
    assert board.requests[0].header("authorization") == f"Bearer {TOKEN}"


def test_a_board_below_a_path_is_asked_there() -> None:
    with FarSide(READY) as board:
        call(board.url("/ops/"), "gate", "--service", "fares api", "--release", "v1/2?x")

    assert (
        board.requests[0].path == "/ops/api/v1/services/fares%20api/releases/v1%2F2%3Fx/readiness"
    )
