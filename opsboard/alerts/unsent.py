"""Alerts that do not get out, as one sentence for the banner on every page."""

from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter

from django.db.models import OuterRef, Subquery

from opsboard.alerts.models import Channel, Delivery, Message
from opsboard.probes.models import microseconds
from opsboard.probes.wellness import SECOND, how_long
from opsboard.services.together import Found, Part, read_together

_COLUMNS = ("name", "failing_since", "wanted_at", "made_at")
_of_columns = itemgetter(*_COLUMNS)
WAITS_TOO_LONG = 5 * 60 * SECOND


def unsent(now: datetime) -> str | None:
    """Why alerts do not get out, and what to do; None: they do. One query."""
    return unsent_of(read_together(channels=part_of_channels())["channels"], now)


def part_of_channels() -> Part:
    """What `unsent_of` needs, for those that read more in the same query."""
    waiting = Delivery.objects.waiting().filter(channel=OuterRef("pk")).order_by("wanted_at")
    under_way = Message.objects.under_way().filter(channel=OuterRef("pk")).order_by("pk")
    channels = Channel.objects.standing().annotate(
        wanted_at=Subquery(waiting.values("wanted_at")[:1]),
        made_at=Subquery(under_way.values("made_at")[:1]),
    )
    return channels, ("pk", *_COLUMNS)


def unsent_of(rows: Iterable[Found], now: datetime) -> str | None:
    channels = [_of_columns(row) for row in sorted(rows, key=itemgetter("pk"))]
    if channels and all(failing_since for _, failing_since, _, _ in channels):
        return (
            "No alert channel delivers, so nobody would be told of a failure: mend "
            f"{channels[0][0]}, or add another channel, on the page Alerts."
        )
    at = microseconds(now)
    waits = [
        (at - min(wanted_at or at, microseconds(made_at) if made_at else at), name, failing_since)
        for name, failing_since, wanted_at, made_at in channels
    ]
    longest, name, failing_since = max(waits, key=lambda wait: wait[0], default=(0, "", None))
    if longest <= WAITS_TOO_LONG:
        return None
    what = (
        "the channel does not deliver: mend it on the page Alerts."
        if failing_since
        else "start a worker for the queue alerts, or read its log."
    )
    return f"An alert to {name} has waited for {how_long(longest)}: {what}"
