"""What is not a whole, known answer of the board is exit code 7, and never 0."""

import json
import ssl
from pathlib import Path

import pytest
import trustme

from tests.cli.calling import (
    JSON,
    TOKEN,
    call,
    gate_state,
    in_turn,
    readiness,
    refuses,
    says,
)
from tests.far_side import (
    Behaviour,
    FarSide,
    answer,
    drip,
    endless,
    hang,
    raw,
    redirect,
    reset,
    routes,
)

GATE = ("gate", "--service", "fares-api", "--release", "1.4.0")
READY = readiness("ready", gate_state())
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
WHOLE = json.dumps(READY).encode()


def without(name: str) -> dict[str, object]:
    return {key: value for key, value in READY.items() if key != name}


BAD: dict[str, Behaviour] = {
    "HTML": answer(200, ("Content-Type", "text/html"), body=b"<h1>ready</h1>"),
    "JSON that calls itself HTML": answer(200, ("Content-Type", "text/html"), body=WHOLE),
    "no content type": answer(200, body=WHOLE),
    "a redirect": redirect("http://127.0.0.1:9/"),
    "an empty body": answer(200, JSON, body=b""),
    "half of a JSON text": answer(200, JSON, body=WHOLE[:-30]),
    "JSON that is no object": says([READY]),
    "a key twice": answer(200, JSON, body=b'{"whole": "blocked", "whole": "ready"}'),
    "not a number": answer(200, JSON, body=b'{"whole": NaN}'),
    "encoded": answer(200, JSON, ("Content-Encoding", "br"), body=WHOLE),
    "an unknown word for the whole": says(READY | {"whole": "splendid"}),
    "no whole": says(without("whole")),
    "no gates": says(without("gates")),
    "no stops": says(without("stops")),
    "another release": says(READY | {"version": "1.5.0"}),
    "another service": says(READY | {"service": "quays"}),
    "another meaning of ready": says(READY | {"exit_code": 1}),
    "an empty list of gates": says(readiness("ready")),
    "an unknown word for a gate": says(readiness("ready", gate_state(word="nearly"))),
    "an unknown need": says(readiness("ready", gate_state(need="perhaps"))),
    "ready over a gate that is not met": says(readiness("ready", gate_state(word="not met"))),
    "ready in a freeze": says(READY | {"stops": [{"kind": "freeze", "reason": "r", "by": "b"}]}),
    "no such release": refuses(404, "not_found", "There is no release 1.4.0."),
    "a token that is not taken": refuses(401, "no_token", "Send a valid token."),
    "a token for something else": refuses(403, "forbidden", "This token is not for fares-api."),
    "a 409 to a question": refuses(409, "odd", "No."),
    "an error without a reason": answer(400, JSON, body=b"{}"),
    "nesting without end": answer(200, JSON, body=b"[" * 100_000),
    "not HTTP": raw(b"SSH-2.0-OpenSSH_9.9\r\n"),
}


@pytest.mark.parametrize("behaviour", BAD.values(), ids=BAD.keys())
def test_a_bad_answer_is_exit_code_7(behaviour: Behaviour) -> None:
    with FarSide(behaviour) as board:
        ended = call(board.url(""), *GATE)

    assert ended.code == 7
    assert ended.out == ""
    assert ended.err.startswith("opsboard: ")


# These may pass: they are asked again, so each is given little time.
AWAY: dict[str, Behaviour] = {
    "an answer that breaks off": raw(HEAD + b"Content-Length: 9999\r\n\r\n" + WHOLE),
    "a reset": reset(HEAD),
    "no answer at all": raw(),
    "a 500": refuses(500, "bug", "This is a bug."),
    "a 503 in HTML": answer(503, body=b"<h1>away</h1>"),
}


@pytest.mark.parametrize("behaviour", AWAY.values(), ids=AWAY.keys())
def test_a_board_that_stays_away_is_exit_code_7(behaviour: Behaviour) -> None:
    with FarSide(behaviour) as board:
        ended = call(board.url(""), *GATE, "--timeout", "0.6")

    assert ended.code == 7
    assert board.connections <= 3


SLOW: dict[str, Behaviour] = {
    "silence": hang(),
    "silence after the head": hang(HEAD + b"Content-Length: 9999\r\n\r\n{"),
    "a drop at a time": drip(HEAD + b"Content-Length: 9999\r\n\r\n", b" "),
    "an answer without end": endless(HEAD + b"\r\n", b" " * 65536),
    "a head without end": endless(b"HTTP/1.1 200 OK\r\n", b"X-More: " + b"x" * 8000 + b"\r\n"),
}


@pytest.mark.parametrize("behaviour", SLOW.values(), ids=SLOW.keys())
def test_a_question_is_bounded_in_time_and_size(behaviour: Behaviour) -> None:
    with FarSide(behaviour) as board:
        ended = call(board.url(""), *GATE, "--timeout", "0.5")

    assert ended.code == 7


def test_nothing_listens() -> None:
    with FarSide(raw()) as gone:
        url = gone.url("")

    assert call(url, *GATE, "--timeout", "0.3").code == 7


def test_what_is_away_for_a_moment_is_asked_again() -> None:
    path = "/api/v1/services/fares-api/releases/1.4.0/readiness"
    behaviour = in_turn(reset(), refuses(503, "away", "Away."), routes({path: says(READY)}))
    with FarSide(behaviour) as board:
        ended = call(board.url(""), *GATE)

    assert (ended.code, board.connections) == (0, 3)


def test_what_the_board_says_cannot_move_the_cursor() -> None:
    said = "\x1b[2J\x1b]0;owned\x07no\r\nopsboard: ready"
    with FarSide(refuses(403, "forbidden", said)) as board:
        ended = call(board.url(""), *GATE)

    assert "\x1b" not in ended.err
    assert ended.err.count("\n") == 1


def test_a_certificate_that_does_not_verify_is_no_answer(tmp_path: Path) -> None:
    authority, other = trustme.CA(), trustme.CA()
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(served)
    ours, theirs = tmp_path / "ours.pem", tmp_path / "theirs.pem"
    authority.cert_pem.write_to_path(ours)
    other.cert_pem.write_to_path(theirs)
    with FarSide(says(READY), tls=served) as board:
        url = board.url("", host="localhost")
        trusted = call(url, *GATE, more={"SSL_CERT_FILE": str(ours)})
        unknown = call(url, *GATE, more={"SSL_CERT_FILE": str(theirs)})
        by_other_name = call(board.url(""), *GATE, more={"SSL_CERT_FILE": str(ours)})

    assert [trusted.code, unknown.code, by_other_name.code] == [0, 7, 7]
    # Nothing was sent to a machine that could not say who it is.
    assert len(board.requests) == 1
    assert board.requests[0].header("authorization") == f"Bearer {TOKEN}"


def test_an_error_is_one_document_too() -> None:
    with FarSide(refuses(404, "not_found", "There is no release 1.4.0.")) as board:
        ended = call(board.url(""), *GATE, "--json")

    assert ended.document == {"error": "There is no release 1.4.0.", "exit": 7}
