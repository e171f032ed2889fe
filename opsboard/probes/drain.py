"""Draining: claim what is due, ask it, judge it, record it, until the shift is over.

One thread pumps libcurl (outbound.http.Asker) and does nothing else, so that what is measured is
the far side's time and not ours. This one claims, judges and records.
"""

import contextlib
import logging
import queue
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from os import getpid

from django.db import (
    DatabaseError,
    InterfaceError,
    OperationalError,
    close_old_connections,
    connection,
)
from django.db.models import Q

from opsboard.expectations.facts import was_delayed
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Failure, Reply
from opsboard.probes.beats import listen
from opsboard.probes.models import Probe, moment
from opsboard.probes.orders import Order, compile_order
from opsboard.probes.recording import React, Result, judge_result, record
from opsboard.probes.schedule import SECOND, Claim, claim, database_now, hand_back
from opsboard.probes.shift import Shift, is_covered

log = logging.getLogger(__name__)

# Claims a second are few and waves large: claiming on every turn doubled the price of a probe.
CLAIM_EVERY = 0.25
LARGEST_CLAIM = 300
# Above this many unfinished probes a worker leaves the rest to others.
MOST_IN_HAND = 600
# How long a drain that was told to stop waits for what is in flight before it hands it back.
# Celery itself takes up to three seconds more to end a worker, which is to be gone after five.
LAST_WAIT = 1.0

_running: dict[str, threading.Lock] = {}


@dataclass(slots=True)
class _Asked:
    claim: Claim
    order: Order


@dataclass
class Drain:
    """One worker's turn at draining one location."""

    location: str
    react: React
    is_stopping: Callable[[], bool]
    asker: Asker = field(default_factory=Asker)
    in_hand: dict[object, _Asked] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    # Judged, and not yet written: kept over a database that is away.
    unwritten: list[Result] = field(default_factory=list)
    # Local monotonic seconds minus database seconds, from the newest claim.
    offset: float = 0.0
    dropped: int = 0
    shift: Shift = field(init=False)

    def __post_init__(self) -> None:
        instance = f"{socket.gethostname()}:{getpid()}:{id(self)}"
        self.shift = Shift(duty_of(self.location), instance)

    def run(self) -> None:
        self.asker.start()
        try:
            self._work()
        finally:
            self.asker.stop()
            self.shift.end()

    def _work(self) -> None:
        next_claim = time.monotonic()
        while not self.is_stopping() and self.shift.goes_on():
            if time.monotonic() >= next_claim:
                next_claim = time.monotonic() + CLAIM_EVERY
                self._claim()
            self._gather(until=next_claim)
            self._record()
        self._finish()

    def _finish(self) -> None:
        """Finish what is in flight; told to stop, hand back what is not done in a few seconds."""
        deadline = time.monotonic() + (LAST_WAIT if self.is_stopping() else 3600)
        while (self.in_hand or self.unwritten) and time.monotonic() < deadline:
            self._gather(until=min(deadline, time.monotonic() + CLAIM_EVERY))
            self._record()
            if self.is_stopping():
                deadline = min(deadline, time.monotonic() + LAST_WAIT)
        self.asker.abandon()
        with contextlib.suppress(DatabaseError, InterfaceError):
            hand_back([asked.claim for asked in self.in_hand.values()])
        self.in_hand.clear()

    def _claim(self) -> None:
        room = min(LARGEST_CLAIM, MOST_IN_HAND - len(self.in_hand))
        if room <= 0:
            return
        try:
            now, claims = claim(self.location, room)
            self.shift.claimed(now)
            self._compile(claims)
            orders = [self.orders[one.probe_id] for one in claims if one.probe_id in self.orders]
            heard = listen(orders, now=now)
        except (OperationalError, InterfaceError) as error:
            _wait_for_database(error)
            return
        self.offset = time.monotonic() - now / 1e6
        for taken in claims:
            self._ask(taken, now, heard)

    def _compile(self, claims: list[Claim]) -> None:
        """Compile the orders whose sheet was edited since, or that are new to this drain."""
        wanted = [taken.probe_id for taken in claims if not self._is_known(taken)]
        probes = Probe.objects.filter(pk__in=wanted).for_pages()
        for probe in probes.prefetch_related("environment__variables"):
            self.orders[probe.pk] = compile_order(probe)

    def _is_known(self, taken: Claim) -> bool:
        order = self.orders.get(taken.probe_id)
        return order is not None and order.version == taken.order_version

    def _ask(self, taken: Claim, now: int, heard: Mapping[tuple[int, int], Reply]) -> None:
        order = self.orders.get(taken.probe_id)
        if order is None:
            return  # Removed between the claim and the reading: its lease runs out unused.
        if order.problem:
            self._judge(_Asked(taken, order), now, order.refusal())
            return
        if order.schedule is not None:
            self._judge(_Asked(taken, order), now, heard[order.path_id, order.environment_id])
            return
        key = (taken.probe_id, taken.claim_id)
        self.in_hand[key] = _Asked(taken, order)
        self.asker.ask(
            order.ask_for(taken.slot_at, now=moment(now)),
            policy=order.policy,
            at=max(time.monotonic(), taken.slot_at / 1e6 + self.offset),
            key=key,
        )

    def _gather(self, *, until: float) -> None:
        """Judge the replies that come in before `until`."""
        while (wait := until - time.monotonic()) > 0:
            try:
                key, started, reply = self.asker.replies.get(timeout=wait)
            except queue.Empty:
                return
            asked = self.in_hand.pop(key, None)
            if asked is not None:
                self._judge(asked, round((started - self.offset) * 1e6), reply)

    def _judge(self, asked: _Asked, asked_at: int, reply: Reply) -> None:
        try:
            result = judge_result(asked.claim, asked.order, reply, asked_at=asked_at)
        except Exception:
            # A bug of ours in judging one reply must not end the others; it is no verdict on them.
            log.exception("could not judge probe %s", asked.claim.probe_id)
            ours = Reply(
                failure=Failure.INTERNAL,
                detail="Opsboard could not judge this reply: see its log.",
                is_ours=True,
                phases=reply.phases,
            )
            result = judge_result(asked.claim, asked.order, ours, asked_at=asked_at)
        self.unwritten.append(result)
        self.shift.judged_one(delayed=was_delayed(reply))

    def _record(self) -> None:
        if not self.unwritten:
            return
        try:
            self._drop(record(self.unwritten, now=database_now(), react=self.react))
        except (OperationalError, InterfaceError) as error:
            # Kept and written when the database is back; written twice they change nothing.
            _wait_for_database(error)
            return
        except DatabaseError:
            self._record_singly()
        self.unwritten = []

    def _record_singly(self) -> None:
        """One result that the database refuses must not take its wave with it."""
        for result in self.unwritten:
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


def duty_of(location: str) -> str:
    return f"drain:{location}"


def _wait_for_database(error: Exception) -> None:
    log.warning("the database does not answer (%s); trying again", error)
    # Outside a request or a task's start nothing else would ever open a new connection.
    if connection.in_atomic_block:
        raise error
    close_old_connections()
    connection.close()
    time.sleep(0.2)


def drain(location: str, *, react: React, is_stopping: Callable[[], bool]) -> None:
    """Drain a location until the shift is over, if it needs one more worker."""
    lock = _running.setdefault(location, threading.Lock())
    if not lock.acquire(blocking=False):
        return
    try:
        if _is_needed(location):
            Drain(location, react, is_stopping).run()
    finally:
        lock.release()


def _is_needed(location: str) -> bool:
    """Nobody drains, the one who does is at the end of its budget, or probes wait unclaimed."""
    now = database_now()
    if not is_covered(duty_of(location), now):
        return True
    waiting = Probe.objects.active().filter(location=location, slot_at__lt=now - 2 * SECOND)
    return waiting.filter(Q(leased_until=None) | Q(leased_until__lt=now)).exists()
