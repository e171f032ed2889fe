"""A channel that does not deliver is told of through another, once for as long as it lasts."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count

from opsboard.alerts import hearing
from opsboard.alerts.models import Channel, Delivery, Notice
from opsboard.probes.models import microseconds

FAILS_FOR = timedelta(minutes=5)
ENDED = "The channel delivers again."


def notice_of_channel(channel: Channel, error: str, *, now: datetime) -> Notice | None:
    """Tell others that `channel` does not deliver; None: that was told before, and lasts.

    Call it in a transaction, with what made it fail.
    """
    notice, is_new = Notice.objects.get_or_create(
        kind=Notice.Kind.CHANNEL,
        key=_key(channel),
        ended_at=None,
        defaults={"text": _sentence(channel, error), "began_at": now},
    )
    if not is_new:
        return None
    _tell(notice, channel, now=now)
    return notice


def look_at_channels(*, now: datetime) -> None:
    """Those that have not delivered for minutes, and those of which nobody could be told before.

    Run by the clock.
    """
    notices = Notice.objects.open().filter(kind=Notice.Kind.CHANNEL)
    told = dict(notices.annotate(count=Count("deliveries")).values_list("key", "count"))
    for channel in Channel.objects.standing().exclude(failing_since=None):
        with transaction.atomic():
            if told.get(_key(channel)) == 0:
                _tell(notices.get(key=_key(channel)), channel, now=now)
            elif _key(channel) not in told and _has_failed_for_long(channel, now=now):
                notice_of_channel(channel, channel.last_error, now=now)


def _has_failed_for_long(channel: Channel, *, now: datetime) -> bool:
    return channel.failing_since is not None and channel.failing_since <= now - FAILS_FOR


def _tell(notice: Notice, channel: Channel, *, now: datetime) -> None:
    Delivery.objects.bulk_create(
        (
            Delivery(
                channel=one,
                notice=notice,
                event=Delivery.Event.NOTICE,
                created_at=now,
                wanted_at=microseconds(now),
            )
            for one in _others(channel, now=now)
        ),
        # Two workers may look at once.
        ignore_conflicts=True,
    )


def delivers_again(channel: Channel, *, now: datetime) -> None:
    """Who was not told yet that it does not deliver need not know any more."""
    notices = Notice.objects.open().filter(kind=Notice.Kind.CHANNEL, key=_key(channel))
    waiting = Delivery.objects.filter(notice__in=notices)
    waiting.hold(Delivery.HeldBy.ENDED, ENDED, now=now)
    notices.update(ended_at=now)


def _key(channel: Channel) -> str:
    return f"channel {channel.pk}"


def _sentence(channel: Channel, error: str) -> str:
    reason = error.strip() or "It does not answer."
    return (
        f"The channel {channel.name} does not deliver: {reason} Alerts to it are kept. "
        "Look at it under Alerts, and send what was given up again from there."
    )


def _others(channel: Channel, *, now: datetime) -> list[Channel]:
    """Who hears what only administrators can mend; where none of them delivers, all that do."""
    heard = hearing.who_hears_administrators(now=now).listeners
    able = {one.channel.pk for one in heard if not one.trouble}
    working = Channel.objects.standing().filter(failing_since=None).exclude(pk=channel.pk)
    chosen = list(working.filter(pk__in=able).order_by("pk"))
    return chosen or list(working.order_by("pk"))
