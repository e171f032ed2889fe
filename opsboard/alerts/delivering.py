"""Delivering: claim what is due, send it outside any transaction, write down what became of it.

Sent, then marked: a crash in between sends the same message again, under the same key.
"""

import contextlib
import random
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime
from queue import Empty, SimpleQueue

from django.conf import settings
from django.db import connection, connections, transaction
from django.db.models import Q

from opsboard.alerts import speaking
from opsboard.alerts.channel_trouble import delivers_again, notice_of_channel
from opsboard.alerts.gathering import bring_up_to_date, gather
from opsboard.alerts.models import Channel, Message
from opsboard.alerts.rules import next_attempt
from opsboard.incidents.models import TimelineEntry
from opsboard.outbound.answers import Answer
from opsboard.probes.models import moment
from opsboard.probes.schedule import SECOND, database_now
from opsboard.probes.shift import note_work

# No next try is further ahead than this, except by a clock that has since been set back.
LONGEST_WAIT = 1200 * SECOND
MOST_AT_ONCE = 50
# Of the lease, for one send, whatever the far side does: one that drips may never end.
FOR_SENDING = 2 / 3
# How long a worker that was told to stop waits for an answer before it hands the message back.
LAST_WAIT = 1.0
LOOK_EVERY = 0.1
# While something is being sent, how often is looked for what else there is to send.
GATHER_EVERY = 0.5
# A message that is to be made within this long is waited for: the next bell may come too late.
LONGEST_STAY = 2 * SECOND


def deliver(*, is_stopping: Callable[[], bool]) -> int:
    """Send what is due, channels side by side, so that one that hangs delays no other.

    Returns how many were tried.
    """
    senders = Senders()
    tried = 0
    while not is_stopping():
        next_at = gather()
        note_work("deliver", database_now())
        due = _claim()
        for message in due:
            senders.send(message)
        tried += len(due)
        stay = _stay(next_at)
        if not senders.at_work and stay is None:
            return tried
        wait = GATHER_EVERY if stay is None else stay
        senders.note_answers(min(wait, GATHER_EVERY), is_stopping=is_stopping)
    senders.hand_back()
    return tried


def _stay(next_at: int | None) -> float | None:
    """Seconds until the next message is to be made; None: there is none, or not soon."""
    if next_at is None or (wait := next_at - database_now()) > LONGEST_STAY:
        return None
    return max(0.01, wait / SECOND)


def _lease() -> int:
    return int(settings.DELIVERY_LEASE_SECONDS * SECOND)


class Senders:
    """A thread a message, at most one for each channel. What is written down is written here."""

    def __init__(self) -> None:
        self._answers: SimpleQueue[tuple[Message, Answer]] = SimpleQueue()
        self._sent: dict[int, tuple[Message, float]] = {}
        self._within = settings.DELIVERY_LEASE_SECONDS * FOR_SENDING

    @property
    def at_work(self) -> bool:
        return bool(self._sent)

    def send(self, message: Message) -> None:
        self._sent[message.pk] = (message, time.monotonic() + self._within)
        # A daemon: a receiver that says nothing must not keep a worker that was told to stop.
        threading.Thread(target=self._run, args=(message,), daemon=True).start()

    def _run(self, message: Message) -> None:
        try:
            self._answers.put((message, _send(message)))
        finally:
            # Looking up who is on duty may have opened one for this thread.
            connections.close_all()

    def note_answers(self, seconds: float, *, is_stopping: Callable[[], bool]) -> None:
        """Write down what comes, until something did, or for so many seconds."""
        until = time.monotonic() + seconds
        while not is_stopping():
            left = until - time.monotonic()
            with contextlib.suppress(Empty):
                self._note(*self._answers.get(timeout=max(0.0, min(left, LOOK_EVERY))))
                return
            self._note_overdue()
            if left <= 0:
                return

    def _note(self, message: Message, answer: Answer) -> None:
        self._sent.pop(message.pk, None)
        _note_outcome(message, answer, now=moment(database_now()))

    def _note_overdue(self) -> None:
        for message, until in list(self._sent.values()):
            if time.monotonic() > until:
                answer = Answer(f"It has not answered within {self._within:g} s.")
                self._note(message, answer)

    def hand_back(self) -> None:
        """Wait a last moment for answers, and leave the rest to any worker at once.

        What was being sent may come twice, by the same key.
        """
        until = time.monotonic() + LAST_WAIT
        while self._sent and (left := until - time.monotonic()) > 0:
            with contextlib.suppress(Empty):
                self._note(*self._answers.get(timeout=left))
        for message, _ in self._sent.values():
            mine = Message.objects.filter(pk=message.pk, claim_id=message.claim_id)
            mine.update(claim_id=None, leased_until=None)


def _claim() -> list[Message]:
    """Those whose time has come, in our hands now, as they are to be sent."""
    # Looked at first: on SQLite a claim keeps all other writers waiting.
    if not Message.objects.under_way().filter(_is_due(database_now())).exists():
        return []
    claimed = _take(secrets.randbits(62))
    for message in claimed:
        if message.attempts:
            bring_up_to_date(message, now=moment(database_now()))
    return claimed


def _is_due(now: int) -> Q:
    is_time = Q(next_attempt_at__lte=now) | Q(next_attempt_at__gt=now + LONGEST_WAIT)
    is_free = (
        Q(leased_until=None) | Q(leased_until__lt=now) | Q(leased_until__gt=now + 2 * _lease())
    )
    return is_time & is_free


def _take(claim_id: int) -> list[Message]:
    skip_locked = "" if connection.vendor == "sqlite" else "FOR UPDATE SKIP LOCKED"
    with transaction.atomic():
        now = database_now()
        # The only text put into the statement is from this module.
        statement = f"""
            WITH due AS MATERIALIZED (
                SELECT id FROM alerts_message m
                WHERE delivered_at IS NULL AND dead_at IS NULL
                  AND (next_attempt_at <= %s OR next_attempt_at > %s)
                  AND (leased_until IS NULL OR leased_until < %s OR leased_until > %s)
                  AND NOT EXISTS (
                      SELECT 1 FROM alerts_message e
                      WHERE e.channel_id = m.channel_id AND e.id < m.id
                        AND e.delivered_at IS NULL AND e.dead_at IS NULL)
                ORDER BY id LIMIT %s {skip_locked})
            UPDATE alerts_message SET claim_id = %s, leased_until = %s
            WHERE id IN (SELECT id FROM due)"""  # noqa: S608
        values = [now, now + LONGEST_WAIT, now, now + 2 * _lease(), MOST_AT_ONCE]
        with connection.cursor() as cursor:
            cursor.execute(statement, [*values, claim_id, now + _lease()])
    claimed = Message.objects.filter(claim_id=claim_id).select_related("channel")
    return list(claimed.order_by("channel_id", "pk"))


def _send(message: Message) -> Answer:
    return speaking.send(message, message.channel, moment(round(time.time() * SECOND)))


def _note_outcome(message: Message, answer: Answer, *, now: datetime) -> None:
    with transaction.atomic():
        # All of one channel in one order, as its messages are.
        channel = Channel.objects.select_for_update(no_key=True).get(pk=message.channel_id)
        if answer.error:
            _note_failure(message, channel, answer, now=now)
        else:
            _note_success(message, channel, now=now)


def _note_success(message: Message, channel: Channel, *, now: datetime) -> None:
    # Whoever holds it by now: it was taken.
    taken = Message.objects.filter(pk=message.pk, key=message.key, delivered_at=None).update(
        delivered_at=now,
        dead_at=None,
        claim_id=None,
        leased_until=None,
        attempts=message.attempts + 1,
    )
    if not taken:
        return
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            incident_id=incident,
            at=now,
            act=TimelineEntry.Act.ALERTED,
            text=f"{channel.name}: {event}",
            facts={"channel": channel.pk, "message": str(message.key), "event": event},
        )
        for incident, event in message.deliveries.exclude(incident=None)
        .order_by("pk")
        .values_list("incident", "event")
    )
    if channel.failing_since is not None:
        delivers_again(channel, now=now)
    channel.failing_since, channel.last_error, channel.delivered_at = None, "", now
    channel.save(update_fields=["failing_since", "last_error", "delivered_at"])


def _note_failure(message: Message, channel: Channel, answer: Answer, *, now: datetime) -> None:
    wait = _next_wait(message, answer, now=now)
    mine = Message.objects.under_way().filter(pk=message.pk, claim_id=message.claim_id)
    noted = mine.update(
        claim_id=None,
        leased_until=None,
        attempts=message.attempts + 1,
        last_error=answer.error,
        dead_at=now if wait is None else None,
        next_attempt_at=database_now() + round((wait or 0) * SECOND),
    )
    if not noted:
        return
    channel.failing_since = channel.failing_since or now
    channel.last_error = answer.error
    channel.save(update_fields=["failing_since", "last_error"])
    if wait is None:
        notice_of_channel(channel, answer.error, now=now)


def _next_wait(message: Message, answer: Answer, *, now: datetime) -> float | None:
    """Seconds until the next try; None: given up, and kept."""
    if answer.is_permanent:
        return None
    wait = next_attempt(
        attempts=message.attempts + 1,
        waiting_for=(now - message.made_at).total_seconds(),
        scale=settings.DELIVERY_BACKOFF_SECONDS / 5,
        jitter=random.uniform(-1, 1),  # noqa: S311
    )
    return wait if wait is None else max(wait, answer.retry_after or 0)
