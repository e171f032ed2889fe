"""How far an errand is, told out of its open transaction, and whether it may go on.

On PostgreSQL a second connection writes it into the row. SQLite has one writer at a time, which is
the apply itself; but there all of Opsboard is one process, and what it holds here every page sees.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection, connections

from opsboard.board.errands.claims import LEASE, ErrandClaim
from opsboard.board.models import Errand
from opsboard.people.audit import Actor
from opsboard.probes.schedule import database_now
from opsboard.services.models import SECOND

# Seconds between two words of one phase.
TELL_EVERY = 0.25

_TELL = """
    UPDATE board_errand SET phase = %s, phase_since = %s, done = %s, total = %s, leased_until = %s
    WHERE id = %s AND claim_id = %s AND done_at IS NULL AND failed_at IS NULL
        AND given_up_at IS NULL
"""


class NotOursError(Exception):
    """Somebody has stopped it, or another worker has it by now."""


class StoppedHereError(Exception):
    """Somebody has stopped it, and it could not be written down yet."""

    def __init__(self, by: Actor) -> None:
        super().__init__()
        self.by = by


class HandedBackError(Exception):
    """This worker is told to end."""


@dataclass(slots=True)
class Standing:
    """Of an errand that this process does in an open transaction of SQLite."""

    phase: str = ""
    since: int = 0
    done: int = 0
    total: int = 0
    stopped_by: Actor | None = None


_here: dict[int, Standing] = {}
_lock = threading.Lock()


def standing_here(errand_id: int) -> Standing | None:
    with _lock:
        return _here.get(errand_id)


def stop_here(errand_id: int, by: Actor) -> bool:
    """Whether this process does it, and now knows that it is to stop."""
    with _lock:
        standing = _here.get(errand_id)
        if standing is not None:
            standing.stopped_by = by
        return standing is not None


class Teller:
    """`tell` says how far it is. It raises NotOursError, StoppedHereError and HandedBackError."""

    def __init__(
        self,
        claim: ErrandClaim,
        write: Callable[[str, int, int, int], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        self._claim, self._write, self._is_stopping = claim, write, is_stopping
        self._phase, self._since, self._next = "", 0, 0.0

    def tell(self, what: str, done: int, total: int) -> None:
        if self._is_stopping():
            raise HandedBackError
        if what == self._phase and time.monotonic() < self._next:
            return
        if what != self._phase:
            self._phase, self._since = what, time.time_ns() // 1000
        self._next = time.monotonic() + TELL_EVERY
        self._write(what[:60], self._since, done, total)


@contextmanager
def telling(claim: ErrandClaim, *, is_stopping: Callable[[], bool]) -> Iterator[Teller]:
    way = _through_a_second_connection if connection.vendor == "postgresql" else _through_memory
    with way(claim) as write:
        yield Teller(claim, write, is_stopping)


@contextmanager
def _through_a_second_connection(
    claim: ErrandClaim,
) -> Iterator[Callable[[str, int, int, int], None]]:
    beside: Any = connections.create_connection("default")

    def write(what: str, since: int, done: int, total: int) -> None:
        with beside.cursor() as cursor:
            until = database_now() + LEASE
            names = (claim.errand_id, claim.claim_id)
            cursor.execute(_TELL, [what, since, done, total, until, *names])
            if not cursor.rowcount:
                raise NotOursError

    try:
        yield write
    finally:
        with suppress(DatabaseError):
            beside.close()


@contextmanager
def _through_memory(claim: ErrandClaim) -> Iterator[Callable[[str, int, int, int], None]]:
    standing = Standing()
    with _lock:
        _here[claim.errand_id] = standing

    def write(what: str, since: int, done: int, total: int) -> None:
        standing.phase, standing.since = what, since
        standing.done, standing.total = done, total
        if standing.stopped_by is not None:
            raise StoppedHereError(standing.stopped_by)
        if not connection.in_atomic_block:
            _keep_up(claim)

    try:
        yield write
    finally:
        with _lock:
            _here.pop(claim.errand_id, None)


def _keep_up(claim: ErrandClaim) -> None:
    held = Errand.objects.under_way().filter(pk=claim.errand_id, claim_id=claim.claim_id)
    if not held.update(leased_until=database_now() + LEASE):
        raise NotOursError


def seconds_left(since: int, done: int, total: int, *, now: int) -> int | None:
    """Of this phase, at its pace so far. None: nobody can say yet."""
    gone = now - since
    if done <= 0 or total <= done or gone < SECOND:
        return None
    return max(1, round(gone / done * (total - done) / SECOND))
