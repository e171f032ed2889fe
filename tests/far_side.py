"""A machine on the loopback address that answers well, badly or not at all.

    with FarSide(answer(200, body=b"hello")) as machine:
        ...ask machine.url("/")...
        assert machine.requests[0].path == "/"

A behaviour is a function of one `Visit`; `routes` chooses one by path. Whatever a behaviour does,
it ends when the machine is closed, and after `LONGEST` seconds.
"""

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType

LONGEST = 5.0
_MOST_CONNECTIONS = 400
_MOST_BYTES = 256 << 20

REASONS = {200: "OK", 204: "No Content", 302: "Found", 404: "Not Found", 503: "Unavailable"}


@dataclass(frozen=True)
class Request:
    """What came over the wire."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str | None:
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None


@dataclass
class Visit:
    """One connection, with the request that came over it (None when nothing was read)."""

    connection: socket.socket
    request: Request | None
    over: threading.Event
    _sent: int = field(default=0, init=False)

    def send(self, data: bytes) -> None:
        self._sent += len(data)
        if self.over.is_set() or self._sent > _MOST_BYTES:
            raise ConnectionAbortedError
        self.connection.sendall(data)

    def wait(self, seconds: float) -> None:
        if self.over.wait(seconds):
            raise ConnectionAbortedError


Behaviour = Callable[[Visit], None]


def answer(
    status: int = 200,
    *headers: tuple[str, str],
    body: bytes = b"ok",
    after: float = 0,
) -> Behaviour:
    """A well-formed answer, `after` seconds."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Odd')}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")

    def behave(visit: Visit) -> None:
        visit.wait(after)
        is_head = visit.request is not None and visit.request.method == "HEAD"
        visit.send(head if is_head else head + body)

    return behave


def redirect(to: str, status: int = 302) -> Behaviour:
    return answer(status, ("Location", to), body=b"")


def raw(*parts: bytes) -> Behaviour:
    """These bytes, then the end of the connection."""

    def behave(visit: Visit) -> None:
        for part in parts:
            visit.send(part)

    return behave


def hang(*parts: bytes) -> Behaviour:
    """These bytes, then silence."""

    def behave(visit: Visit) -> None:
        raw(*parts)(visit)
        visit.wait(LONGEST)

    return behave


def drip(first: bytes, drop: bytes, every: float = 0.05) -> Behaviour:
    """One drop at a time, for as long as it may."""

    def behave(visit: Visit) -> None:
        visit.send(first)
        for _ in range(int(LONGEST / every)):
            visit.wait(every)
            visit.send(drop)

    return behave


def endless(first: bytes, again: bytes) -> Behaviour:
    """As much as the other side takes."""

    def behave(visit: Visit) -> None:
        visit.send(first)
        give_up = time.monotonic() + LONGEST
        while time.monotonic() < give_up:
            visit.send(again)

    return behave


def reset(*parts: bytes) -> Behaviour:
    """These bytes, then a TCP reset."""

    def behave(visit: Visit) -> None:
        raw(*parts)(visit)
        # Else the reset may overtake what was sent.
        visit.wait(0.05 if parts else 0)
        linger = struct.pack("ii", 1, 0)
        visit.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    return behave


def kept_open(behaviour: Behaviour) -> Behaviour:
    """The same for every request that comes over the connection, until the other side closes it."""

    def behave(visit: Visit) -> None:
        while True:
            behaviour(visit)
            visit.request = _read(visit.connection)

    return behave


def routes(by_path: Mapping[str, Behaviour]) -> Behaviour:
    """A behaviour for each path (without its query); 404 elsewhere."""

    def behave(visit: Visit) -> None:
        path = visit.request.path.partition("?")[0] if visit.request else ""
        by_path.get(path, answer(404, body=b""))(visit)

    return behave


class FarSide:
    """Listens on `address` until closed. `connections` and `requests` tell who came."""

    def __init__(
        self,
        behaviour: Behaviour,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        reads: bool = True,
    ) -> None:
        self.behaviour = behaviour
        self.connections = 0
        self.requests: list[Request] = []
        self._arrivals = threading.Semaphore(0)
        self._tls = tls
        self._reads = reads
        self._over = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._listener = socket.create_server((address, port), family=family, backlog=128)
        self.address = address
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    def url(self, path: str = "/", host: str = "") -> str:
        scheme = "https" if self._tls else "http"
        literal = f"[{self.address}]" if ":" in self.address else self.address
        return f"{scheme}://{host or literal}:{self.port}{path}"

    def wait_for_a_request(self) -> None:
        """Returns when one more request has arrived."""
        assert self._arrivals.acquire(timeout=LONGEST), "no request came"

    def close(self) -> None:
        self._over.set()
        _shut(self._listener)
        for connection in list(self._open):
            _shut(connection)
        for thread in self._threads:
            thread.join(LONGEST)
        self._listener.close()

    def __enter__(self) -> "FarSide":
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name="far side", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while self.connections < _MOST_CONNECTIONS:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(LONGEST)
        try:
            if self._tls:
                plain = connection
                connection = self._tls.wrap_socket(plain, server_side=True)
                self._open.add(connection)
            request = _read(connection) if self._reads else None
            if request:
                self.requests.append(request)
                self._arrivals.release()
            self.behaviour(Visit(connection, request, self._over))
        except OSError:
            pass  # the other side went away, or we were closed
        finally:
            self._open.discard(connection)
            connection.close()


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _read(connection: socket.socket) -> Request:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _some(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = tuple((name, value.strip()) for name, _, value in (s.partition(":") for s in lines))
    request = Request(method, path, headers, b"")
    while len(body) < int(request.header("content-length") or 0):
        body += _some(connection)
    return Request(method, path, headers, body)


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionAbortedError
    return data
