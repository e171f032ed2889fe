"""Real servers on loopback for real apps, and what they tell a probe."""

import http.client
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn
from cheroot.wsgi import Server

PROBE = {"X-Opsboard-Probe": "yes"}


@dataclass(frozen=True)
class Told:
    status: int
    timing: str | None
    cache: str | None

    @property
    def calls(self) -> int:
        found = re.fullmatch(r'db;dur=\d+\.\d;desc="(\d+)", app;dur=\d+\.\d', self.timing or "")
        assert found, self.timing
        return int(found[1])

    @property
    def milliseconds(self) -> tuple[float, float]:
        """Of the database, and of the application."""
        database, application = re.findall(r"dur=(\d+\.\d)", self.timing or "")
        return float(database), float(application)


def ask(port: int, path: str, headers: Mapping[str, str] = PROBE) -> Told:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers=dict(headers))
        reply = connection.getresponse()
        reply.read()
        return Told(reply.status, reply.getheader("Server-Timing"), reply.getheader("Cache-Status"))
    finally:
        connection.close()


@contextmanager
def uvicorn_serves(app: Any) -> Iterator[int]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def cheroot_serves(app: Any) -> Iterator[int]:
    server = Server(("127.0.0.1", 0), app, numthreads=4)
    server.error_log = lambda *_, **__: None
    server.prepare()
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server.bind_addr[1]
    finally:
        server.stop()
        thread.join(10)
