"""Sending again what was given up: the same message, under the same key."""

from datetime import datetime

from django.db import transaction

from opsboard.alerts.gathering import say_as_it_is
from opsboard.alerts.models import Message
from opsboard.probes.models import microseconds


def replay(message: Message, *, now: datetime) -> str:
    """Take up a message that was given up. Returns "", or the sentence that says why not.

    It goes before all that waits for its channel. What it said fails and is over by then is told
    as over, under a key of its own.
    """
    if message.channel.removed_at is not None:
        return f"{message.channel.name} was removed: there is nowhere to send it to."
    with transaction.atomic():
        dead = Message.objects.filter(pk=message.pk, dead_at__isnull=False)
        if not dead.update(
            dead_at=None, claim_id=None, leased_until=None, next_attempt_at=microseconds(now)
        ):
            return "It was not given up: it was delivered, or is on its way."
        message.refresh_from_db()
        say_as_it_is(message, now=now)
    return ""
