"""What is still to begin, and whether it may: so many requests at a time, in all and to one host.

A request that finds no place by its last moment is given up, and never begins.
"""

import heapq
from collections import deque
from typing import NamedTuple

from opsboard.outbound.egress import Policy
from opsboard.outbound.reply import Asked, Lookup
from opsboard.outbound.targets import BadTargetError, read_target

FOREVER = float("inf")
# Seconds between two looks for what has waited for too long.
_LOOK_EVERY = 0.05


class Start(NamedTuple):
    """One request that is to begin at `at`, and in no case after `by` (monotonic seconds)."""

    at: float
    number: int
    by: float
    # "host:port" as the ask names it; what redirects lead to is not counted. "": not counted.
    host: str
    ask: Asked
    policy: Policy


def host_of(ask: Asked) -> str:
    """Whom an ask dials first; "" for an address that cannot be asked, which dials nobody."""
    if isinstance(ask, Lookup):
        return f"{ask.server}:{ask.port}" if ask.server else ""
    try:
        target = read_target(ask.url.encode())
    except (BadTargetError, UnicodeError):
        return ""
    return f"{target.host}:{target.port}"


class Starts:
    """`take` what may begin, tell each one's end by `ended`. `most_a_host` 0: no limit."""

    def __init__(self, *, most_open: int, most_a_host: int) -> None:
        self._most_open = most_open
        self._most_a_host = most_a_host
        self._due: list[Start] = []
        self._open = 0
        self._at_host: dict[str, int] = {}
        # In the order they came, by host; and those that have just got a place there.
        self._waiting: dict[str, deque[Start]] = {}
        self._called: deque[Start] = deque()
        self._looked = 0.0

    def host(self, ask: Asked) -> str:
        return host_of(ask) if self._most_a_host else ""

    def add(self, start: Start) -> None:
        heapq.heappush(self._due, start)

    def take(self, now: float) -> Start | None:
        """The next that may begin now, with its place, or None."""
        while self._open < self._most_open:
            if self._called:
                self._open += 1
                return self._called.popleft()
            if not self._due or self._due[0].at > now:
                return None
            start = heapq.heappop(self._due)
            if self._has_place_at(start.host):
                self._open += 1
                return start
            self._waiting.setdefault(start.host, deque()).append(start)
        return None

    def ended(self, start: Start) -> None:
        """Its place is free: for the next that waits for the same host, or for anybody."""
        self._open -= 1
        self._leave(start.host)

    def next_at(self) -> float:
        """When `take` is worth a call again, if nothing ends before."""
        if self._open >= self._most_open:
            return FOREVER
        if self._called:
            return 0.0
        return self._due[0].at if self._due else FOREVER

    def given_up(self, now: float) -> list[Start]:
        """Those that were due and found no place in time. Looks only every now and then."""
        if now - self._looked < _LOOK_EVERY:
            return []
        self._looked = now
        late: list[Start] = []
        while self._due and self._due[0].by <= now:
            late.append(heapq.heappop(self._due))
        for host, waiting in list(self._waiting.items()):
            while waiting and waiting[0].by <= now:
                late.append(waiting.popleft())
            if not waiting:
                del self._waiting[host]
        return late

    def keep(self, numbers: "dict[int, object]") -> None:
        """Forget what is not among `numbers`."""
        self._due = [start for start in self._due if start.number in numbers]
        heapq.heapify(self._due)
        for host, waiting in self._waiting.items():
            self._waiting[host] = deque(start for start in waiting if start.number in numbers)

    def _has_place_at(self, host: str) -> bool:
        if not host:
            return True
        there = self._at_host.get(host, 0)
        if there >= self._most_a_host:
            return False
        self._at_host[host] = there + 1
        return True

    def _leave(self, host: str) -> None:
        if host not in self._at_host:
            return
        if waiting := self._waiting.get(host):
            # The place goes on to it, and the count stays as it is.
            self._called.append(waiting.popleft())
        elif self._at_host[host] == 1:
            del self._at_host[host]
        else:
            self._at_host[host] -= 1
