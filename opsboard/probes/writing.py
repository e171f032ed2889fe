"""Writing what a drain has judged: in waves, kept over a database that is away."""

import logging
import time
from collections import deque
from dataclasses import dataclass, field

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
)

from opsboard.probes.memory import Memory, Written
from opsboard.probes.recording import React, record, without_news
from opsboard.probes.results import Result
from opsboard.probes.schedule import database_now, keep
from opsboard.probes.sight import Sight

log = logging.getLogger(__name__)

# Seconds of each turn in which changes are written: five hundred that time out together take ten.
CHANGES_WITHIN = 0.25


@dataclass
class Writer:
    """One drain's results between their judgement and the database."""

    location: str
    react: React
    memory: Memory
    # Judged, and not yet written.
    unwritten: list[Result] = field(default_factory=list)
    # More changes were judged than a turn has time to write.
    is_behind: bool = False
    dropped: int = 0
    sight: Sight = field(init=False)

    def __post_init__(self) -> None:
        self.sight = Sight(self.location)

    def write(self) -> None:
        """Write what may be written in one turn of the drain."""
        # While we are blind there is something to look at even without a result.
        if not self.unwritten and self.sight.cause is None:
            return
        try:
            now = database_now()
            ready, waiting = self.sight.part(self.unwritten, now=now)
            self._remember(ready)
            left = self._share(ready, now=now)
            self.is_behind, waiting = bool(left), left + waiting
            keep([result.claim for result in waiting], now=now)
        except (OperationalError, InterfaceError) as error:
            # Kept and written when the database is back; written twice they change nothing.
            wait_for_database(error)
            return
        except DatabaseError:
            self._record_singly(ready)
        self.unwritten = waiting

    def _share(self, results: list[Result], *, now: int) -> list[Result]:
        """Write all that is quiet, and of the changes, each a transaction of its own, as many as
        leave time for the others. Returns those that are left."""
        quiet = without_news(results)
        self._drop(record(quiet, now=now, react=self.react))
        told = {result.claim.probe_id for result in quiet}
        changed = deque(result for result in results if result.claim.probe_id not in told)
        until = time.monotonic() + CHANGES_WITHIN
        while changed and time.monotonic() < until:
            self._drop(record([changed.popleft()], now=now, react=self.react))
        return list(changed)

    def _remember(self, results: list[Result]) -> None:
        """What is about to be written: until it is, a probe's row does not match it."""
        for result in results:
            claim, standing = result.claim, result.turn.standing
            self.memory.written[claim.probe_id] = Written(
                claim.order_version, standing.observed_at, standing.reason, standing.tally
            )

    def _record_singly(self, results: list[Result]) -> None:
        """One result that the database refuses must not take its wave with it."""
        for result in results:
            try:
                self._drop(record([result], now=database_now(), react=self.react))
            except DatabaseError:
                log.exception("could not record probe %s", result.claim.probe_id)

    def _drop(self, count: int) -> None:
        """Say how many results came back under a claim that was gone: a lease ran out, or a sheet
        was edited. Many of them mean that this worker stands still for longer than its leases."""
        if count:
            self.dropped += count
            log.warning("%d results dropped: their claims were gone", count)


def wait_for_database(error: Exception) -> None:
    log.warning("the database does not answer (%s); trying again", error)
    # Outside a request or a task's start nothing else would ever open a new connection.
    if connection.in_atomic_block:
        raise error
    close_old_connections()
    connection.close()
    time.sleep(0.2)
