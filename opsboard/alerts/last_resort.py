"""When Opsboard cannot tell by its channels: one plain message by the last resort.

What was told is remembered by this process alone, for there may be no database to keep it in. The
message of one trouble has the same id within the hour, whichever process sends it.
"""

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from django.conf import settings
from django.db import InterfaceError, InternalError, OperationalError
from django.db.models import Exists, OuterRef, Q, QuerySet

from opsboard.alerts.models import Channel, Delivery
from opsboard.incidents.models import Incident
from opsboard.outbound import last_resort
from opsboard.probes.orders import policy_of_this_place
from opsboard.services.secrets import CannotDecrypt

log = logging.getLogger(__name__)

AGAIN_AFTER = 600.0
# What was not taken is tried again sooner.
TRY_AGAIN_AFTER = 30.0
SUBJECT = "Opsboard cannot tell by its channels"
NO_DATABASE = (
    "Opsboard's database does not answer or refuses writes: nothing is recorded and no alert is "
    "sent. Look at it, and at DATABASE_URL; Opsboard goes on by itself when it is back."
)
DISK_FULL = (
    "The disk of Opsboard's database is full: nothing is recorded and no alert is sent. Free "
    "space on it; Opsboard goes on by itself."
)

_lock = threading.Lock()
# By reason, the monotonic second before which it is not told again.
_not_before: dict[str, float] = {}
# By duty, the monotonic second since which the database has failed it.
_failing_since: dict[str, float] = {}


def tell(reason: str, text: str) -> None:
    """Send `text`, once for each `reason` in ten minutes. Never raises for the far side."""
    if not settings.LAST_RESORT_URL:
        return
    with _lock:
        if time.monotonic() < _not_before.get(reason, 0.0):
            return
        _not_before[reason] = time.monotonic() + TRY_AGAIN_AFTER
    trouble = last_resort.send(
        settings.LAST_RESORT_URL,
        subject=f"{SUBJECT} ({settings.URL})",
        text=f"{text} ({settings.URL})",
        key=str(uuid5(NAMESPACE_URL, f"{settings.URL}/{reason}/{int(time.time() // 3600)}")),
        sender=settings.MAIL_FROM,
        policy=policy_of_this_place(),
    )
    if trouble:
        log.error("OPSBOARD_LAST_RESORT_URL did not take a message: %s", trouble)
        return
    with _lock:
        _not_before[reason] = time.monotonic() + AGAIN_AFTER


@contextmanager
def watching_the_database(duty: str) -> Iterator[None]:
    """Tell when the database has failed this duty for a while, or at once when its disk is full."""
    try:
        yield
    except (OperationalError, InterfaceError, InternalError) as error:
        since = _failing_since.setdefault(duty, time.monotonic())
        if is_disk_full(error):
            tell("disk", DISK_FULL)
        elif time.monotonic() - since >= settings.LAST_RESORT_AFTER_SECONDS:
            tell("database", NO_DATABASE)
        raise
    _failing_since.pop(duty, None)


def is_disk_full(error: BaseException) -> bool:
    """As SQLite and PostgreSQL say it."""
    cause = error.__cause__
    return getattr(cause, "sqlstate", "") == "53100" or "disk is full" in str(error)


def tell_of_channels(*, now: datetime) -> None:
    """What no channel can tell. Run by the clock; two queries."""
    if not settings.LAST_RESORT_URL:
        return
    locked = [one for one in Channel.objects.standing().order_by("pk") if not _can_be_read(one)]
    if locked:
        tell("secret", _sentence_of_locked(locked))
    untold = list(_untold(now).select_related("service", "environment").order_by("pk")[:100])
    if untold:
        tell("untold", _sentence_of_untold(untold))


def _can_be_read(channel: Channel) -> bool:
    try:
        channel.reveal_address(), channel.reveal_secret()
    except CannotDecrypt:
        return False
    return True


def _sentence_of_locked(locked: list[Channel]) -> str:
    more = f" and {len(locked) - 1} more" if len(locked) > 1 else ""
    return (
        f"The address of the channel {locked[0].name}{more} cannot be decrypted, so its alerts "
        "wait: bring its key back into OPSBOARD_FIELD_KEYS, or enter the address again."
    )


def _untold(now: datetime) -> QuerySet[Incident]:
    """Open, acknowledged by nobody, and no channel that delivers was given it."""
    heard = Delivery.objects.filter(incident=OuterRef("pk")).filter(
        Q(held_at__isnull=False)
        | Q(message__delivered_at__isnull=False)
        | Q(channel__failing_since=None, channel__removed_at=None)
    )
    since = now - timedelta(seconds=settings.LAST_RESORT_AFTER_SECONDS)
    return (
        Incident.objects.open()
        .standing()
        .filter(~Exists(heard), acknowledged_at=None, is_by_hand=False, opened_at__lte=since)
    )


def _sentence_of_untold(untold: list[Incident]) -> str:
    first = untold[0]
    more = f", and of {len(untold) - 1} more incidents" if len(untold) > 1 else ""
    return (
        f"Nobody could be told that {first.title} ({first.service.name}, "
        f"{first.environment.slug}) since {first.opened_at:%H:%M UTC on %-d %B %Y}{more}: no "
        f"channel works for it. Look at {settings.URL}/incidents/{first.pk}, and mend a channel."
    )
