"""Draining: claim what is due, ask it, judge it, record it, until the shift is over.

One thread pumps libcurl (outbound.http.Asker) and does nothing else, so that what is measured is
the far side's time and not ours. This one claims, judges and records.
"""

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError

from opsboard.expectations.facts import was_delayed
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Failure, Reply
from opsboard.probes.beats import listen
from opsboard.probes.memory import Memory
from opsboard.probes.models import Probe, moment
from opsboard.probes.orders import Order, compile_order
from opsboard.probes.readiness import make_ready
from opsboard.probes.recording import React
from opsboard.probes.results import judge_result
from opsboard.probes.rules import Judgement
from opsboard.probes.schedule import (
    LATE,
    SECOND,
    Claim,
    claim,
    database_now,
    hand_back,
    normal_rate,
)
from opsboard.probes.shift import Shift, is_covered
from opsboard.probes.suspects import due_suspects
from opsboard.probes.walkers import Walker
from opsboard.probes.writing import Writer, wait_for_database

log = logging.getLogger(__name__)

# Claims a second are few and waves large: claiming on every turn doubled the price of a probe.
CLAIM_EVERY = 0.25
LARGEST_CLAIM = 1000
# Above this many unfinished probes a worker leaves the rest to others.
MOST_IN_HAND = 3000
# Requests under way at a time: a thousand targets that hang hold as many places.
MOST_OPEN = 1500
# Seconds between two looks at what has come: at each reply by itself this thread and the asker's
# would take turns at every step, and that costs more than judging.
JUDGE_EVERY = 0.02
# Late probes a second that are asked however few are due.
LEAST_RATE = 4.0
# Seconds.
RATE_LASTS = 30.0
# Seconds in which a probe finds a place at its host, or is left to another drain, or for later.
PLACE_WITHIN = 1.0
# How often a drain that always holds something looks whether suspects wait for an empty hand.
MAKE_ROOM_EVERY = 0.5
# How long a drain that was told to stop waits for what is in flight before it hands it back.
# Celery itself takes up to three seconds more to end a worker, which is to be gone after five.
LAST_WAIT = 1.0

OURS = Reply(
    failure=Failure.INTERNAL,
    detail="Opsboard could not judge this reply: see its log.",
    is_ours=True,
)

_running: dict[str, threading.Lock] = {}
# By location: a drain lasts seconds, and what it learnt serves the next one.
_memories: dict[str, Memory] = {}


@dataclass(slots=True)
class _Asked:
    claim: Claim
    order: Order
    # Of a path of several requests.
    walker: Walker | None = None


@dataclass
class Drain:
    """One worker's turn at draining one location."""

    location: str
    react: React
    is_stopping: Callable[[], bool]
    memory: Memory = field(default_factory=Memory)
    asker: Asker = field(init=False)
    in_hand: dict[object, _Asked] = field(default_factory=dict)
    # Local monotonic seconds minus database seconds, from the newest claim.
    offset: float = 0.0
    # Claims of walks that were broken off by a stop: to be handed back.
    cut_short: list[Claim] = field(default_factory=list)
    # What is in hand are suspects, or nothing may be added until they can be: see `suspects`.
    is_apart: bool = False
    next_look: float = 0.0
    # Probes a second that are due, until when that is believed, when some were claimed last, and
    # how many late ones may be now.
    rate: float = 0.0
    rate_until: float = 0.0
    claimed: float = field(default_factory=time.monotonic)
    catching_up: float = 1.0
    shift: Shift = field(init=False)
    writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        self.shift = Shift(duty_of(self.location))
        self.asker = Asker(max_open=MOST_OPEN, most_a_host=settings.PROBES_AT_ONCE_A_HOST)
        self.writer = Writer(self.location, self.react, self.memory)

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
            if time.monotonic() >= next_claim or self._is_done_apart():
                next_claim = time.monotonic() + CLAIM_EVERY
                self._claim()
            # What waits to be written does not wait for replies too.
            self._gather(until=time.monotonic() if self.writer.is_behind else next_claim)
            self.writer.write()
            self._leave_unstarted()
        self._finish()

    def _finish(self) -> None:
        """Finish what is in flight; told to stop, hand back what is not done in a few seconds."""
        deadline = time.monotonic() + (LAST_WAIT if self.is_stopping() else 3600)
        while (self.in_hand or self.writer.unwritten) and time.monotonic() < deadline:
            if self.is_stopping():
                deadline = min(deadline, time.monotonic() + LAST_WAIT)
                self._break_off_walks(left=deadline - time.monotonic())
            self._gather(until=min(deadline, time.monotonic() + CLAIM_EVERY))
            self.writer.write()
            self._leave_unstarted()
        self.asker.abandon()
        with contextlib.suppress(DatabaseError, InterfaceError):
            hand_back([*(asked.claim for asked in self.in_hand.values()), *self.cut_short])
            hand_back([result.claim for result in self.writer.unwritten])
        self.in_hand.clear()

    def _break_off_walks(self, *, left: float) -> None:
        """Of walks under way only clean-up steps are asked yet: after the reply that is waited for,
        or, in the second half of the last wait, without it."""
        for key, asked in list(self.in_hand.items()):
            if asked.walker:
                asked.walker.walk.wind_up()
                cleaning = (key, "clean-up")
                if left < LAST_WAIT / 2 and asked.walker.breaks_off(cleaning, left=left):
                    self.in_hand[cleaning] = self.in_hand.pop(key)

    def _claim(self) -> None:
        room = min(LARGEST_CLAIM, MOST_IN_HAND - len(self.in_hand))
        if room <= 0:
            return
        try:
            is_alone = not self.in_hand and not self.writer.unwritten
            if not is_alone and self._keeps_apart():
                return
            now, claims = claim(
                self.location,
                room,
                late=self._late_allowed(),
                memory=self.memory,
                alone=is_alone,
            )
            self.is_apart = any(taken.is_suspect for taken in claims)
            self.shift.claimed(now)
            self._compile(claims)
            heard = listen(filter(None, map(self._order_of, claims)), now=now)
        except (OperationalError, InterfaceError) as error:
            wait_for_database(error)
            return
        self.offset = time.monotonic() - now / 1e6
        self.catching_up -= sum(taken.slot_at < now - LATE for taken in claims)
        for taken in claims:
            self._ask(taken, now, heard)

    def _keeps_apart(self) -> bool:
        """Suspects are in hand, or wait for a hand that is empty."""
        if not self.is_apart and time.monotonic() >= self.next_look:
            self.next_look = time.monotonic() + MAKE_ROOM_EVERY
            self.is_apart = _suspects_wait(self.location, database_now())
        return self.is_apart

    def _is_done_apart(self) -> bool:
        """The next suspects, or all that waited for them, are claimed at once."""
        return self.is_apart and not self.in_hand

    def _late_allowed(self) -> int:
        """How many late probes may be asked now: after a pause no more than as many again as are
        due, so that no target meets a rush."""
        now = time.monotonic()
        if now >= self.rate_until:
            self.rate = max(normal_rate(self.location), LEAST_RATE)
            self.rate_until = now + RATE_LASTS
        self.catching_up += self.rate * (now - self.claimed)
        self.claimed = now
        # What was not used is not saved up for a rush.
        self.catching_up = min(max(self.catching_up, 0.0), self.rate)
        return int(self.catching_up)

    def _compile(self, claims: list[Claim]) -> None:
        """Compile the orders whose sheet was edited since, or that are new to this process."""
        wanted = [taken.probe_id for taken in claims if self._order_of(taken) is None]
        if not wanted:
            return
        probes = Probe.objects.filter(pk__in=wanted).select_related("path__service", "environment")
        for probe in probes.prefetch_related("environment__variables"):
            self.memory.orders[probe.pk] = compile_order(probe)

    def _order_of(self, taken: Claim) -> Order | None:
        return self.memory.order_of(taken.probe_id, taken.order_version)

    def _ask(self, taken: Claim, now: int, heard: Mapping[tuple[int, int], Reply]) -> None:
        order = self._order_of(taken)
        if order is None:
            return  # Edited or removed since the claim, which is gone or runs out unused.
        if order.problem:
            self._judge(_Asked(taken, order), now, order.refusal())
            return
        if order.schedule is not None:
            self._judge(_Asked(taken, order), now, heard[order.path_id, order.environment_id])
            return
        key = (taken.probe_id, taken.claim_id)
        at = max(time.monotonic(), taken.slot_at / 1e6 + self.offset)
        if walk := order.walk_for(taken.slot_at, now=moment(now)):
            walker = Walker(walk, self.asker, order.policy)
            self.in_hand[key] = _Asked(taken, order, walker)
            walker.begin(key, at=at, by=at + PLACE_WITHIN)
            return
        self.in_hand[key] = _Asked(taken, order)
        self.asker.ask(
            order.ask_for(taken.slot_at, now=moment(now)),
            policy=order.policy,
            at=at,
            by=at + PLACE_WITHIN,
            key=key,
        )

    def _gather(self, *, until: float) -> None:
        """Judge the replies that are here, and those that come in before `until`, a few at a
        time."""
        while not self._is_done_apart():
            for _ in range(self.asker.replies.qsize()):
                self._take(*self.asker.replies.get_nowait())
            if (wait := until - time.monotonic()) <= 0:
                return
            with contextlib.suppress(queue.Empty):
                self._take(*self.asker.replies.get(timeout=wait))
            time.sleep(max(0.0, min(JUDGE_EVERY, until - time.monotonic())))

    def _take(self, key: object, started: float, reply: Reply) -> None:
        asked = self.in_hand.pop(key, None)
        if asked is None:
            return
        if asked.walker:
            self._walk(asked, asked.walker, key, started, reply)
        else:
            self._judge(asked, round((started - self.offset) * 1e6), reply)

    def _leave_unstarted(self) -> None:
        """Hand back what found no place at its host, to be taken again a little later: at once it
        would come back with every claim, in front of all that is due."""
        left: list[Claim] = []
        while self.asker.unstarted:
            asked = self.in_hand.pop(self.asker.unstarted.popleft(), None)
            if asked:
                left.append(asked.claim)
        if not left:
            return
        free_at = round((time.monotonic() - self.offset + PLACE_WITHIN) * 1e6)
        try:
            hand_back(left, free_at=free_at)
        except (OperationalError, InterfaceError) as error:
            # Their leases run out.
            wait_for_database(error)

    def _walk(
        self, asked: _Asked, walker: Walker, key: object, started: float, reply: Reply
    ) -> None:
        """Go on with a path of several requests, or judge it when that was the last of them."""
        judgement = None
        try:
            if walker.goes_on(key, started, reply):
                self.in_hand[key] = asked
                return
            if walker.walk.is_cut_short:
                self.cut_short.append(asked.claim)
                return
            reply, judgement = walker.walk.finish()
        except Exception:
            log.exception("could not walk the steps of probe %s", asked.claim.probe_id)
            reply = OURS
        self._judge(asked, round((walker.started - self.offset) * 1e6), reply, judgement)

    def _judge(
        self, asked: _Asked, asked_at: int, reply: Reply, judgement: Judgement | None = None
    ) -> None:
        try:
            result = judge_result(
                asked.claim, asked.order, reply, asked_at=asked_at, judgement=judgement
            )
        except Exception:
            # A bug of ours in judging one reply must not end the others; it is no verdict on them.
            log.exception("could not judge probe %s", asked.claim.probe_id)
            ours = replace(OURS, phases=reply.phases)
            result = judge_result(asked.claim, asked.order, ours, asked_at=asked_at)
        self.writer.unwritten.append(result)
        self.shift.judged_one(delayed=was_delayed(reply))


def duty_of(location: str) -> str:
    return f"drain:{location}"


def drain(location: str, *, react: React, is_stopping: Callable[[], bool]) -> None:
    """Drain a location until the shift is over, if it needs one more worker."""
    lock = _running.setdefault(location, threading.Lock())
    if not lock.acquire(blocking=False):
        return
    try:
        if _is_needed(location):
            memory = _memories.get(location)
            if memory is None or memory.is_old:
                memory = _memories[location] = Memory()
            make_ready(MOST_OPEN)
            Drain(location, react, is_stopping, memory).run()
    finally:
        lock.release()


def _is_needed(location: str) -> bool:
    """Nobody drains, the one who does is at the end of its budget, or probes wait unclaimed."""
    now = database_now()
    if not is_covered(duty_of(location), now):
        return True
    waiting = Probe.objects.active().filter(location=location, slot_at__lt=now - 2 * SECOND)
    is_waiting = waiting.filter(leased_until=None, leases_lost=0).exists()
    return is_waiting or _suspects_wait(location, now - 2 * SECOND)


def _suspects_wait(location: str, since: int) -> bool:
    """Some that were due by then can be taken."""
    waiting = due_suspects(location, now=since, until=since)
    return waiting.exists()
