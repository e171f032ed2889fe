"""Running exchanges over libcurl's multi interface, in one thread that does nothing else.

libcurl reads the clock when it is pumped, so whatever keeps this loop from turning is added to the
times of the services. The loop measures that itself and tells each exchange the worst of it.
"""

import contextlib
import selectors
import socket
import time
from collections import deque
from dataclasses import replace
from typing import Any

import pycurl

from opsboard.outbound.arrivals import read
from opsboard.outbound.conversations import Conversation
from opsboard.outbound.delays import Delays
from opsboard.outbound.exchanges import Exchange
from opsboard.outbound.lines import Line
from opsboard.outbound.names import Found, Names, Sought, silent, too_many
from opsboard.outbound.questions import Question
from opsboard.outbound.redirects import Hop
from opsboard.outbound.reply import Reply
from opsboard.outbound.starts import FOREVER
from opsboard.outbound.talks import Talk, Talks

# While anything is asked the loop wakes at least this often, in seconds: waking late from a planned
# sleep is how it learns that it was kept from running.
_HEARTBEAT = 0.01
# A turn that is shorter, in seconds, is no delay worth telling.
_PROMPT = 0.001
_EVENTS = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}


class _Call:
    """One hop of an exchange: first its name is looked up, then it has a line. Of a lookup there
    is no hop."""

    __slots__ = ("exchange", "hop", "line", "looked_up")
    hop: Hop

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.line: Line | None = None
        self.looked_up = 0


class Pump:
    """`begin` exchanges, `turn` for their replies. Only one thread may use it, but for `ring`."""

    def __init__(self) -> None:
        self._calls: dict[Exchange, _Call] = {}
        self._finished: list[tuple[Exchange, Reply]] = []
        self._free: list[Line] = []
        self._dialled: dict[Any, tuple[_Call, Line]] = {}
        self._looking: dict[Sought, list[_Call]] = {}
        self._found: deque[Found] = deque()
        self._names = Names(self._hear)
        self._delays = Delays()
        self._woke = time.monotonic()
        self._timer = FOREVER
        self._watched: set[int] = set()
        self._selector = selectors.DefaultSelector()
        self._bell, self._rope = socket.socketpair()
        self._bell.setblocking(False)
        self._is_rung = False
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._talks: Talks[_Call] = Talks(self._selector)
        self._heard: list[selectors.SelectorKey] = []
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)

    @property
    def open(self) -> int:
        """How many exchanges have begun and not finished."""
        return len(self._calls)

    def ring(self) -> None:
        """Wake the loop, from any thread."""
        if not self._is_rung:
            self._is_rung = True
            # A lookup may end after the pump was closed.
            with contextlib.suppress(OSError):
                self._rope.send(b"\0")

    def begin(self, exchange: Exchange) -> None:
        now = time.monotonic()
        self._go_on(exchange, exchange.begin(now), now)

    def drop(self, exchange: Exchange) -> None:
        """Break it off; no reply comes."""
        call = self._calls.pop(exchange, None)
        if call:
            self._release(call)

    def turn(self, until: float) -> list[tuple[Exchange, Reply]]:
        """Sleep until something happens, at most until then (monotonic); handle all that did."""
        began = time.monotonic()
        self._charge(began - self._woke, began)
        planned = self._planned(began, until)
        ready = self._selector.select(None if planned == FOREVER else planned - began)
        self._woke = time.monotonic()
        self._act(ready)
        if self._looking:
            self._take_found()
            self._give_up_lookups()
        landed = self._landed()
        now = time.monotonic()
        # What lands in this turn has waited for the oversleeping and for the rest of the turn.
        self._charge(now - min(planned, self._woke), now)
        for call, line, code, message in landed:
            self._land(call, line, code, message)
        if self._talks:
            self._listen(now)
        finished, self._finished = self._finished, []
        return finished

    def close(self) -> None:
        for exchange in list(self._calls):
            self.drop(exchange)
        for line in self._free:
            line.close()
        self._multi.close()
        self._selector.close()
        self._bell.close()
        self._rope.close()

    # The loop.

    def _planned(self, now: float, until: float) -> float:
        if self._finished:
            return now
        soonest = min(until, self._timer, now + _HEARTBEAT if self._calls else FOREVER)
        return max(soonest, now)

    def _act(self, ready: list[tuple[selectors.SelectorKey, int]]) -> None:
        for key, events in ready:
            if key.fileobj is self._bell:
                self._hush()
            elif key.data:
                self._heard.append(key)
            else:
                # EVENT_READ and EVENT_WRITE are libcurl's CSELECT_IN and CSELECT_OUT.
                self._multi.socket_action(key.fd, events)
        if self._timer <= self._woke:
            self._timer = FOREVER
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _hush(self) -> None:
        # Read first: whoever rings after the flag fell is heard in the next turn.
        self._bell.recv(64)
        self._is_rung = False

    def _charge(self, delay: float, now: float) -> None:
        if delay >= _PROMPT:
            self._delays.happened(delay, now)

    def _watch(self, what: int, descriptor: int, _multi: Any, _data: Any) -> None:
        if what == pycurl.POLL_REMOVE:
            if descriptor in self._watched:
                self._watched.remove(descriptor)
                self._selector.unregister(descriptor)
        elif descriptor in self._watched:
            self._selector.modify(descriptor, _EVENTS[what])
        else:
            self._watched.add(descriptor)
            self._selector.register(descriptor, _EVENTS[what])

    def _set_timer(self, milliseconds: int) -> None:
        self._timer = time.monotonic() + milliseconds / 1000 if milliseconds >= 0 else FOREVER

    # The way of one exchange.

    def _go_on(self, exchange: Exchange, step: Hop | Question | Reply, now: float) -> None:
        if isinstance(step, Reply):
            self._calls.pop(exchange, None)
            self._finished.append((exchange, step))
            return
        call = self._calls[exchange] = _Call(exchange)
        if isinstance(step, Question):
            self._talk(call, step)
            return
        call.hop = step
        if step.dials.needs_lookup:
            self._look_up(call, now)
        else:
            self._dial(call, exchange.local_address(step), now)

    def _dial(self, call: _Call, address: str, now: float) -> None:
        line = call.line = self._free.pop() if self._free else Line()
        line.dial(call.hop, call.exchange.policy, call.exchange.limits(now), address)
        self._dialled[line.handle] = call, line
        self._multi.add_handle(line.handle)

    def _landed(self) -> list[tuple[_Call, Line, int, str]]:
        landed: list[tuple[_Call, Line, int, str]] = []
        left = 1
        while left:
            left, content, broken = self._multi.info_read()
            landed += [(*self._dialled[handle], 0, "") for handle in content]
            landed += [(*self._dialled[handle], code, said) for handle, code, said in broken]
        return landed

    def _land(self, call: _Call, line: Line, code: int, message: str) -> None:
        if call.hop.dial and not code:
            dial, now = call.hop.dial, time.monotonic()
            self._talk(call, Conversation(line, dial, looked_up=call.looked_up, now=now))
            return
        exchange = call.exchange
        delay = self._delay_of(exchange)
        reply = read(line, code, message, looked_up=call.looked_up, loop_delay=delay)
        self._release(call)
        now = time.monotonic()
        self._go_on(exchange, exchange.landed(call.hop, reply, now), now)

    def _delay_of(self, exchange: Exchange) -> int:
        """Microseconds, of all hops: every one may have been kept waiting."""
        return round(self._delays.worst_since(exchange.started) * 1_000_000)

    def _release(self, call: _Call) -> None:
        if self._talks:
            self._talks.end(call)
        line, call.line = call.line, None
        if line:
            del self._dialled[line.handle]
            self._multi.remove_handle(line.handle)
            line.hang_up()
            self._free.append(line)

    # Talks: what is said over a connection that only connects, and to name servers.

    def _talk(self, call: _Call, talk: Talk) -> None:
        reply = self._talks.begin(call, talk)
        if reply:
            self._end_talk(call, reply)

    def _listen(self, now: float) -> None:
        heard, self._heard = self._heard, []
        for key in heard:
            reply = self._talks.act(key.data, key.fd)
            if reply:
                self._end_talk(key.data, reply)
        for call, reply in self._talks.wake(now):
            self._end_talk(call, reply)

    def _end_talk(self, call: _Call, reply: Reply) -> None:
        self._release(call)
        told = replace(reply, loop_delay=self._delay_of(call.exchange))
        self._go_on(call.exchange, call.exchange.over(told), time.monotonic())

    # Names.

    def _look_up(self, call: _Call, now: float) -> None:
        sought = Sought(call.hop.dials.host, call.hop.connection.ip)
        if self._names.look_up(sought):
            self._looking.setdefault(sought, []).append(call)
        else:
            self._go_on(call.exchange, call.exchange.fail(too_many(sought.host), now), now)

    def _hear(self, found: Found) -> None:
        """Called in the thread of the lookup."""
        self._found.append(found)
        self.ring()

    def _take_found(self) -> None:
        while self._found:
            found = self._found.popleft()
            for call in self._looking.pop(found.sought, []):
                if self._calls.get(call.exchange) is call:
                    self._place(call, found)

    def _place(self, call: _Call, found: Found) -> None:
        if found.trouble:
            reply = call.exchange.fail(found.trouble, found.finished)
            self._go_on(call.exchange, reply, found.finished)
            return
        spent = found.finished - call.exchange.hop_started
        call.looked_up = max(round(spent * 1_000_000), 0)
        self._dial(call, found.address, time.monotonic())

    def _give_up_lookups(self) -> None:
        """Name servers that say nothing end an exchange at its limit for connecting."""
        for sought, calls in list(self._looking.items()):
            for call in calls:
                limits = call.exchange.limits(self._woke)
                if limits.connect_left <= 0 and self._calls.get(call.exchange) is call:
                    trouble = silent(sought.host, limits.connect)
                    reply = call.exchange.fail(trouble, self._woke)
                    self._go_on(call.exchange, reply, self._woke)
            still = [call for call in calls if self._calls.get(call.exchange) is call]
            self._looking[sought] = still
