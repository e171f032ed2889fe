"""What is said over a connection that only connects: a few bytes there, and what comes back.

Nothing is read unless the dial says so. Then it is read until the far side closes, or has been
quiet for a while after its first bytes; that while is ours, and not in the times that are told.
"""

import os
import selectors
import time
from dataclasses import replace

import pycurl

from opsboard.outbound.arrivals import progress_of, read
from opsboard.outbound.failures import Trouble, body_too_large, explain
from opsboard.outbound.lines import Line
from opsboard.outbound.reply import Dial, Failure, Reply

# Seconds. A banner comes in one piece or two; who says nothing for so long has ended it.
QUIET = 0.25
_PIECE = 65_536
# Of pieces taken in one turn: over TLS each may be a single byte.
_AT_ONCE = 64


class Conversation:
    """`begin`, then `act` on the descriptors of `watches` and `wake` at `wake_at`, until one of
    them returns the reply. Closes nothing before `close`."""

    def __init__(self, line: Line, dial: Dial, *, looked_up: int, now: float) -> None:
        self._line = line
        self._dial = dial
        self._connected = _connected(line, looked_up)
        self._began = now
        left = dial.timeout - self._connected.phases.total
        self._ends_at = self.wake_at = now + left / 1_000_000
        self._unsent = dial.body
        # When the first and the last bytes came.
        self._first_at: float | None = None
        self._last_at = now
        self._descriptor = -1

    def begin(self) -> Reply | None:
        if not (self._dial.body or self._dial.reads):
            return self._connected
        try:
            # A copy: libcurl may close its own when the connection breaks.
            self._descriptor = os.dup(self._line.handle.getinfo(pycurl.ACTIVESOCKET))
        except OSError:
            detail = f"{self._line.far_side} was not asked: this process has no file descriptor"
            return self._fail(Trouble(Failure.INTERNAL, f"{detail} left.", is_ours=True))
        return self.act(self._descriptor)

    @property
    def watches(self) -> dict[int, int]:
        """By descriptor, what of it is waited for."""
        return {self._descriptor: selectors.EVENT_WRITE if self._unsent else selectors.EVENT_READ}

    def act(self, _descriptor: int) -> Reply | None:
        try:
            if self._unsent:
                self._unsent = self._unsent[self._line.handle.send(self._unsent) :]
                self._last_at = time.monotonic()
            if self._unsent:
                return None
            return self._take() if self._dial.reads else self._reply()
        except BlockingIOError:
            return None
        except pycurl.error as error:
            return self._broken(*error.args)

    def wake(self, now: float) -> Reply | None:
        if now >= self._ends_at:
            return self._fail(self._explained(pycurl.E_OPERATION_TIMEDOUT, ""))
        # First: a piece may have come, or have left the socket before it was taken.
        reply = self.act(self._descriptor)
        if reply or self._first_at is None or now < self._last_at + QUIET:
            return reply
        return self._reply()

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _take(self) -> Reply | None:
        """Raises BlockingIOError when nothing more is there, pycurl.error when it broke."""
        line = self._line
        for _ in range(_AT_ONCE):
            piece = line.handle.recv(_PIECE)
            if not piece:
                return self._closed()
            self._last_at = time.monotonic()
            self._first_at = self._first_at or self._last_at
            self.wake_at = min(self._ends_at, self._last_at + QUIET)
            line.chunks.append(piece)
            line.got += len(piece)
            if line.got > self._dial.max_body:
                return self._fail(body_too_large(self._dial.max_body))
        return None

    def _closed(self) -> Reply:
        if self._first_at is not None:
            return self._reply()
        detail = f"{self._line.far_side} closed the connection without an answer."
        return self._fail(Trouble(Failure.PROTOCOL, detail))

    def _broken(self, code: int, message: str) -> Reply:
        if "unexpected eof" in message:
            # Without the farewell that TLS has: most do so.
            return self._closed()
        trouble = self._explained(code, message)
        if trouble.failure in (Failure.RESET, Failure.TLS_HANDSHAKE):
            return self._fail(trouble)
        detail = f"{self._line.far_side} broke the connection off."
        return self._fail(Trouble(Failure.RESET, detail))

    def _explained(self, code: int, message: str) -> Trouble:
        return explain(code, message, progress_of(self._line))

    def _fail(self, trouble: Trouble) -> Reply:
        self._last_at = time.monotonic()
        return replace(
            self._reply(),
            failure=trouble.failure,
            detail=trouble.detail,
            is_ours=trouble.is_ours,
        )

    def _reply(self) -> Reply:
        connected = self._connected.phases
        first_at = self._last_at if self._first_at is None else self._first_at
        phases = replace(
            connected,
            first_byte=_microseconds(first_at - self._began),
            transfer=_microseconds(self._last_at - first_at),
            total=connected.total + _microseconds(self._last_at - self._began),
        )
        body = b"".join(self._line.chunks)[: self._dial.max_body]
        return replace(self._connected, phases=phases, body=body)


def _connected(line: Line, looked_up: int) -> Reply:
    """The reply when nothing is said."""
    reply = read(line, 0, "", looked_up=looked_up, loop_delay=0)
    phases = reply.phases
    total = phases.dns + phases.connect + phases.tls
    return replace(reply, phases=replace(phases, first_byte=0, transfer=0, total=total))


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)
