"""One question to name servers, over UDP, and over TCP where the answer does not fit.

An answer counts only when it comes from the address that was asked, with our number, to our
question. Asked again after a while, of the next server where there are several; an answer to an
earlier try still counts.
"""

import errno
import secrets
import selectors
import socket
import struct
import time
from ipaddress import ip_address
from pathlib import Path

import pycurl

from opsboard.outbound import failures
from opsboard.outbound.dns_messages import (
    MOST_RECORDS,
    Head,
    NoMessageError,
    as_json,
    is_answer,
    read_head,
    write_question,
)
from opsboard.outbound.egress import Policy
from opsboard.outbound.failures import Progress, Trouble, body_too_large
from opsboard.outbound.reply import Failure, Lookup, Phases, Reply
from opsboard.outbound.wording import lasting, shown

RESOLV_CONF = Path("/etc/resolv.conf")
PORT = 53
# As the system's own library: more are not asked, and without any it asks this machine.
_MOST_SERVERS = 3
_MOST_TRIES = 4
# Seconds without an answer until it is asked again, where the timeout is not too short for that.
_AGAIN_AFTER = 1.0
# Of datagrams taken in one turn; the rest waits for the next.
_AT_ONCE = 16
_LARGEST_DATAGRAM = 65_535


class _Server:
    """A socket to one server, for one try."""

    __slots__ = ("far_side", "socket")

    def __init__(self, address: str, port: int, kind: socket.SocketKind) -> None:
        self.far_side = _shown_place(address, port)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.socket = socket.socket(family, kind)
        try:
            self.socket.setblocking(False)
            code = self.socket.connect_ex((address, port))
            if code not in (0, errno.EINPROGRESS):
                raise OSError(code, "")
        except OSError:
            self.socket.close()
            raise


class Question:
    """`begin`, then `act` on the descriptors of `watches` and `wake` at `wake_at`, until one of
    them returns the reply. Closes nothing before `close`."""

    def __init__(self, lookup: Lookup, policy: Policy, now: float) -> None:
        """ValueError with words that end a sentence when it cannot be asked."""
        if lookup.timeout <= 0:
            raise ValueError("its timeout is not longer than zero")
        self._lookup = lookup
        self._policy = policy
        self._started = now
        self._wire = write_question(lookup, secrets.randbelow(1 << 16))
        self._servers = _named(lookup) or systems_servers()
        # Those that may still answer, by descriptor, and those that will not.
        self._tries: dict[int, _Server] = {}
        self._ended: list[_Server] = []
        self._tried = 0
        self._strangers = 0
        self._stream: _Stream | None = None
        self._ends_at = now + lookup.timeout / 1_000_000
        self._again_every = min(_AGAIN_AFTER, lookup.timeout / 1_000_000 / _MOST_TRIES)
        self.wake_at = now

    def begin(self) -> Reply | None:
        if self._lookup.server:
            refusal = self._policy.judge(*self._servers[0])
            if refusal:
                return self._fail(Trouble(Failure.EGRESS_DENIED, refusal.sentence))
        return self._ask(time.monotonic())

    @property
    def watches(self) -> dict[int, int]:
        """By descriptor, what of it is waited for."""
        if self._stream:
            return self._stream.watches
        return dict.fromkeys(self._tries, selectors.EVENT_READ)

    def act(self, descriptor: int) -> Reply | None:
        if self._stream:
            return self._go_on_over_tcp(self._stream)
        server = self._tries[descriptor]
        try:
            for _ in range(_AT_ONCE):
                answer = server.socket.recv(_LARGEST_DATAGRAM)
                reply = self._take(server, answer)
                if reply or self._stream:
                    return reply
        except BlockingIOError:
            return None
        except OSError as error:
            return self._give_up(server.far_side, _broken(server.far_side, error))
        return None

    def wake(self, now: float) -> Reply | None:
        if now >= self._ends_at:
            return self._fail(self._silence())
        return None if self._stream else self._ask(now)

    def close(self) -> None:
        for server in (*self._tries.values(), *self._ended):
            server.socket.close()
        if self._stream:
            self._stream.close()

    def _ask(self, now: float) -> Reply | None:
        """The next server in turn."""
        self.wake_at = self._ends_at
        if self._tried >= max(_MOST_TRIES, len(self._servers)):
            return None
        address, port = self._servers[self._tried % len(self._servers)]
        self._tried += 1
        if self._tried < _MOST_TRIES:
            self.wake_at = min(now + self._again_every, self._ends_at)
        try:
            server = _Server(address, port, socket.SOCK_DGRAM)
            self._tries[server.socket.fileno()] = server
            server.socket.send(self._wire)
        except OSError as error:
            far_side = _shown_place(address, port)
            return self._give_up(far_side, _broken(far_side, error))
        return None

    def _give_up(self, far_side: str, trouble: Trouble) -> Reply | None:
        """Of one server: the others are asked at once, and the last one's trouble is told."""
        for descriptor, server in list(self._tries.items()):
            if server.far_side == far_side:
                self._ended.append(self._tries.pop(descriptor))
        if trouble.is_ours or self._tried >= len(self._servers):
            return self._fail(trouble)
        return self._ask(time.monotonic())

    def _take(self, server: _Server, answer: bytes) -> Reply | None:
        if not is_answer(answer, self._wire):
            self._strangers += 1
            return None
        head = read_head(answer)
        if not head.is_truncated:
            return self._read(server.far_side, answer, head)
        try:
            address, port = server.socket.getpeername()[:2]
            connection = _Server(address, port, socket.SOCK_STREAM)
            self._stream = _Stream(connection, self._wire, self._lookup.max_body)
        except OSError as error:
            return self._fail(_over_tcp(_broken(server.far_side, error)))
        self.wake_at = self._ends_at
        return None

    def _go_on_over_tcp(self, stream: "_Stream") -> Reply | None:
        try:
            trouble = stream.go_on()
        except BlockingIOError:
            return None
        except OSError as error:
            trouble = _over_tcp(_broken(stream.far_side, error))
        if trouble:
            return self._fail(trouble)
        if stream.answer is None:
            return None
        if not is_answer(stream.answer, self._wire):
            return self._fail(_unreadable(stream.far_side))
        return self._read(stream.far_side, stream.answer, read_head(stream.answer))

    def _read(self, far_side: str, answer: bytes, head: Head) -> Reply | None:
        if head.rcode == "SERVFAIL":
            detail = f"{far_side} could not find out about {shown(self._lookup.name)}: SERVFAIL."
            return self._give_up(far_side, Trouble(Failure.DNS, detail))
        if head.records > MOST_RECORDS:
            detail = f"The answer of {far_side} has more than {MOST_RECORDS} records."
            return self._fail(Trouble(Failure.TOO_LARGE, detail))
        if len(answer) > self._lookup.max_body:
            return self._fail(body_too_large(self._lookup.max_body))
        address = far_side.rpartition(":")[0].strip("[]")
        try:
            body = as_json(answer, self._lookup, far_side)
        except NoMessageError:
            return self._fail(_unreadable(far_side))
        return Reply(body=body, phases=self._phases(), peer=address)

    def _silence(self) -> Trouble:
        within, about = lasting(self._lookup.timeout), shown(self._lookup.name)
        who = "The name servers"
        if len(self._servers) == 1:
            who = _shown_place(*self._servers[0])
        if self._stream:
            said = f"{self._stream.far_side} did not finish its answer about {about} over TCP"
        else:
            said = f"{who} did not answer about {about}"
        strange = ": what came was no answer to this question" * bool(self._strangers)
        return Trouble(Failure.DNS, f"{said} within {within}{strange}.")

    def _fail(self, trouble: Trouble) -> Reply:
        return Reply(
            failure=trouble.failure,
            detail=trouble.detail,
            is_ours=trouble.is_ours,
            phases=self._phases(),
        )

    def _phases(self) -> Phases:
        spent = round((time.monotonic() - self._started) * 1_000_000)
        return Phases(dns=spent, total=spent)


class _Stream:
    """The same question over TCP, to the server whose answer did not fit."""

    def __init__(self, server: _Server, wire: bytes, largest: int) -> None:
        self._server = server
        self.far_side = server.far_side
        self._unsent = struct.pack("!H", len(wire)) + wire
        self._got = b""
        self._largest = largest
        # None: it is not whole yet.
        self.answer: bytes | None = None

    @property
    def watches(self) -> dict[int, int]:
        wanted = selectors.EVENT_WRITE if self._unsent else selectors.EVENT_READ
        return {self._server.socket.fileno(): wanted}

    def go_on(self) -> Trouble | None:
        """Raises OSError, BlockingIOError when there is nothing to do yet."""
        if self._unsent:
            self._unsent = self._unsent[self._server.socket.send(self._unsent) :]
            return None
        got = self._server.socket.recv(_LARGEST_DATAGRAM)
        if not got:
            detail = f"{self.far_side} closed the connection in the middle of its answer."
            return Trouble(Failure.PROTOCOL, detail)
        self._got += got
        announced = int.from_bytes(self._got[:2]) if len(self._got) > 1 else 0
        if announced > self._largest:
            return body_too_large(self._largest)
        if len(self._got) > 1 and len(self._got) >= announced + 2:
            self.answer = self._got[2 : announced + 2]
        return None

    def close(self) -> None:
        self._server.socket.close()


def systems_servers() -> list[tuple[str, int]]:
    """Those that this machine asks itself, in their order."""
    try:
        lines = RESOLV_CONF.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    words = [line.split() for line in lines]
    named = [each[1] for each in words if len(each) > 1 and each[0] == "nameserver"]
    found = [address for address in named if _is_address(address)]
    return [(address, PORT) for address in found[:_MOST_SERVERS]] or [("127.0.0.1", PORT)]


def _named(lookup: Lookup) -> list[tuple[str, int]]:
    """ValueError with words that end a sentence."""
    if not lookup.server:
        return []
    try:
        return [(str(ip_address(lookup.server)), lookup.port)]
    except ValueError:
        raise ValueError(f'"{shown(lookup.server)}" is not the address of a server') from None


def _is_address(text: str) -> bool:
    """A name would be looked up, and everybody would wait for it."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _shown_place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _broken(far_side: str, error: OSError) -> Trouble:
    """What the operating system said, as for a connection."""
    if error.errno == errno.ECONNREFUSED:
        detail = f"{far_side} refused the question: no name server listens there."
        return Trouble(Failure.REFUSED, detail)
    progress = Progress(
        far_side=far_side,
        limit=0,
        connect_limit=0,
        os_error=error.errno or 0,
        open_error=0,
        is_encrypted=False,
        is_connected=False,
        is_secured=False,
        head_began=False,
        got=0,
        announced=None,
    )
    return failures.explain(pycurl.E_COULDNT_CONNECT, "", progress)


def _over_tcp(trouble: Trouble) -> Trouble:
    return trouble._replace(detail=f"Over TCP, as its answer over UDP was cut: {trouble.detail}")


def _unreadable(far_side: str) -> Trouble:
    return Trouble(Failure.PROTOCOL, f"The answer of {far_side} is not a DNS message.")
