"""The edges of a body as the real servers hand them on: gunicorn, and cheroot of one process."""

import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from opsboard.management import one_process
from opsboard.people import joining, tokens
from tests.running.processes import PATIENCE_SECONDS, PROJECT, free_port, running, status, until

pytestmark = pytest.mark.django_db(transaction=True)

KIB = 1024
BODY = b'{"resaon": "loading fares"}'


@contextmanager
def cheroot(_: Path) -> Iterator[int]:
    server = one_process._web_server("127.0.0.1", 0)
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.bind_addr[1]
    finally:
        server.stop()
        thread.join(PATIENCE_SECONDS)


@contextmanager
def gunicorn(directory: Path) -> Iterator[int]:
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "opsboard.wsgi", "--bind", f"127.0.0.1:{port}"),
        *("--threads", "2", "--no-control-socket"),
    ]
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": str(PROJECT),
    }
    with running(command, environment, directory):
        until(lambda: status(f"http://127.0.0.1:{port}/healthz") == 200)
        yield port


def database_url() -> str:
    """The database of this test, for another process."""
    known = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{known['NAME']}"
    return (
        f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}"
        f"/{known['NAME']}"
    )


SERVERS = {"cheroot": cheroot, "gunicorn": gunicorn}


@pytest.fixture(params=SERVERS)
def port(request: pytest.FixtureRequest, tmp_path: Path, token: str) -> Iterator[int]:
    with SERVERS[request.param](tmp_path) as found:
        yield found


@pytest.fixture
def token(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> str:
    # The threads of cheroot must leave the database when they have answered.
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)
    now = timezone.now()
    person = joining.add("Edith Moe", "editor")
    return tokens.make(
        name="t", scopes=["silence"], by=person, now=now, expires_at=now + timedelta(days=1)
    )[1]


def ask(port: int, token: str, headers: str, body: bytes, *, ends: bool = False) -> tuple[int, Any]:
    """The status and the JSON of the answer to one POST; (0, None): there is none."""
    head = (
        f"POST /api/v1/silences HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n{headers}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as line:
        line.sendall(head.encode() + body)
        if ends:
            line.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while part := line.recv(65536):
                got += part
        except ConnectionResetError:
            # What was not read when the server closed: the answer came before.
            pass
    top, _, rest = got.partition(b"\r\n\r\n")
    status = int(top.split()[1]) if top else 0
    return status, json.loads(rest) if b"application/json" in top else None


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def test_bodies_at_their_edges(port: int, token: str) -> None:
    """One start of each server: they take seconds."""
    in_chunks = "Transfer-Encoding: chunked"
    code, told = ask(port, token, f"Content-Length: {len(BODY)}", BODY)
    assert (code, told["errors"][-1]["code"]) == (422, "unknown_field")
    again = ask(port, token, in_chunks, chunked(BODY[:9], BODY[9:]))
    assert again == (code, told)

    too_large = [b" " * 64 * KIB] * 4 + [BODY]
    code, told = ask(port, token, in_chunks, chunked(*too_large))
    assert (code, told["errors"][0]["code"]) == (413, "too_large")
    code, told = ask(port, token, f"Content-Length: {257 * KIB}", b" " * 257 * KIB)
    assert (code, told["errors"][0]["code"]) == (413, "too_large")
    # Said before anything of it is sent. Past 4 MiB cheroot says it itself, without JSON.
    assert ask(port, token, f"Content-Length: {100 << 20}", b"", ends=True)[0] == 413

    # Chunks that are none, and bodies that end early: refused, by the server or by us; no error
    # of ours, and the next request is served.
    assert ask(port, token, in_chunks, b"zz\r\n{}\r\n0\r\n\r\n", ends=True)[0] in (0, 400)
    assert ask(port, token, in_chunks, b"ff\r\n{", ends=True)[0] in (0, 400)
    assert ask(port, token, "Content-Length: 100", b"{", ends=True)[0] in (0, 400)
    assert ask(port, token, "Content-Length: -1", b"{}", ends=True)[0] in (0, 400)
    assert ask(port, token, "Content-Length: x", b"{}", ends=True)[0] in (0, 400)
    assert ask(port, token, in_chunks, chunked(BODY))[0] == 422
