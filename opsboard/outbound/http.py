"""Asking other machines over HTTP. Whatever happens over there comes back as a `Reply`.

`Asker` keeps many asks in flight from one thread, each started at its own time; `ask_once` asks
one and waits for it. Both go the same way: target, egress rule at the socket, redirects hop by hop,
caps on time, headers and body. Authorities are trusted as certifi lists them, or as in the file
that the environment variable SSL_CERT_FILE names (for a private one).
"""

import itertools
import sys
import threading
import time
from collections import deque
from queue import SimpleQueue

from opsboard.outbound.egress import Policy
from opsboard.outbound.exchanges import Exchange
from opsboard.outbound.pump import Pump
from opsboard.outbound.reply import Asked, Failure, Reply
from opsboard.outbound.starts import FOREVER, Start, Starts

# Starts that fall due within this many seconds begin together, at the last one's time: waking up
# costs as much as asking (300 a second: 0.40 CPU-seconds per 1,000 with 4 ms, 0.30 with 12 ms).
_GROUPED = 0.01
# With Python's own 5 ms another busy thread adds that much to every time we measure.
_SWITCH_INTERVAL = 0.0005
_STOP_WITHIN = 5.0


def ask_once(ask: Asked, *, policy: Policy) -> Reply:
    """Ask now and wait; at most the ask's timeout. Never raises for what the far side does."""
    pump = Pump()
    try:
        pump.begin(Exchange(ask, policy))
        while True:
            for _, reply in pump.turn(FOREVER):
                return reply
    finally:
        pump.close()


class Asker:
    """Asks many at once from a thread of its own. Make it after any fork; `start` it, `stop` it."""

    def __init__(self, *, max_open: int = 300, most_a_host: int = 0) -> None:
        """At most `max_open` at a time, and `most_a_host` of them to one host; 0: any number."""
        # The key of an ask, when it really started (monotonic seconds), its reply.
        self.replies: SimpleQueue[tuple[object, float, Reply]] = SimpleQueue()
        # Keys of asks that found no place by their last moment: nobody was asked.
        self.unstarted: deque[object] = deque()
        self._numbers = itertools.count()
        self._inbox: deque[Start] = deque()
        self._starts = Starts(most_open=max_open, most_a_host=most_a_host)
        self._begun: dict[Exchange, Start] = {}
        # Keys of all that was asked and has no reply in the queue yet.
        self._unanswered: dict[int, object] = {}
        # A signal may interrupt a thread that holds it and call `abandon` there.
        self._answering = threading.RLock()
        # Until when the pump sleeps by its own plan; while it is awake it must be rung.
        self._sleeps_until = FOREVER
        self._is_abandoned = False
        self._is_stopping = False
        self._is_over = False
        self._pump: Pump | None = None
        self._thread: threading.Thread | None = None

    @property
    def in_flight(self) -> int:
        """Asked, and no reply in `replies` yet: to be started, waiting for a place, or open."""
        return len(self._unanswered)

    def start(self) -> None:
        """Begin to ask; what was asked before waits until now."""
        sys.setswitchinterval(_SWITCH_INTERVAL)
        self._pump = Pump()
        self._thread = threading.Thread(
            target=self._run, args=(self._pump,), name="asker", daemon=True
        )
        self._thread.start()

    def ask(
        self, ask: Asked, *, policy: Policy, at: float, key: object, by: float = FOREVER
    ) -> None:
        """Start a request at monotonic time `at`, or as soon after it as there is a place.

        Without a place until `by` it is not asked: its key comes back in `unstarted`.
        """
        number = next(self._numbers)
        self._unanswered[number] = key
        self._inbox.append(Start(at, number, by, self._starts.host(ask), ask, policy))
        if self._is_over:
            self._own_up()
        elif at < self._sleeps_until:
            self._wake()

    def abandon(self) -> list[object]:
        """Break off everything unfinished and return its keys; no replies come for them."""
        with self._answering:
            keys = list(self._unanswered.values())
            self._unanswered.clear()
        self._is_abandoned = True
        self._wake()
        return keys

    def stop(self) -> None:
        """End the thread. What is unfinished is broken off without a reply."""
        self._is_stopping = True
        self._wake()
        if self._thread:
            self._thread.join(_STOP_WITHIN)

    def _wake(self) -> None:
        if self._pump:
            self._pump.ring()

    # Below: only in the asker's own thread.

    def _run(self, pump: Pump) -> None:
        try:
            while not self._is_stopping:
                self._turn(pump)
        finally:
            self._is_over = True
            pump.close()
            if not self._is_stopping:
                self._own_up()

    def _turn(self, pump: Pump) -> None:
        # First: whoever asks from here on rings, as the inbox may just have been emptied.
        self._sleeps_until = FOREVER
        self._take_inbox()
        if self._is_abandoned:
            self._drop_abandoned(pump)
        self._begin_due(pump)
        self._sleeps_until = until = self._next_start()
        for exchange, reply in pump.turn(until):
            start = self._begun.pop(exchange)
            self._starts.ended(start)
            self._answer(start.number, exchange.started, reply)

    def _take_inbox(self) -> None:
        while self._inbox:
            self._starts.add(self._inbox.popleft())

    def _begin_due(self, pump: Pump) -> None:
        now = time.monotonic()
        while start := self._starts.take(now):
            if start.number not in self._unanswered:
                self._starts.ended(start)
                continue
            exchange = Exchange(start.ask, start.policy)
            self._begun[exchange] = start
            pump.begin(exchange)
        for late in self._starts.given_up(now):
            self._give_up(late.number)

    def _next_start(self) -> float:
        return self._starts.next_at() + _GROUPED

    def _drop_abandoned(self, pump: Pump) -> None:
        self._is_abandoned = False
        self._starts.keep(self._unanswered)
        for exchange, start in list(self._begun.items()):
            if start.number not in self._unanswered:
                del self._begun[exchange]
                self._starts.ended(start)
                pump.drop(exchange)

    def _give_up(self, number: int) -> None:
        with self._answering:
            if number in self._unanswered:
                self.unstarted.append(self._unanswered.pop(number))

    def _answer(self, number: int, started: float, reply: Reply) -> None:
        with self._answering:
            if number in self._unanswered:
                self.replies.put((self._unanswered[number], started, reply))
                del self._unanswered[number]

    def _own_up(self) -> None:
        """Our loop is over and nobody asked for that: say so for everything that waits."""
        detail = "Opsboard's own loop for asking has ended; the log says why. Restart the worker."
        reply = Reply(failure=Failure.INTERNAL, detail=detail, is_ours=True)
        for number in list(self._unanswered):
            self._answer(number, time.monotonic(), reply)
