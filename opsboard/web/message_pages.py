"""What the page of one channel and that of one message show."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import FETCH_RAISE, Count
from django.utils.safestring import SafeString, mark_safe

from opsboard.alerts.models import Channel, Message
from opsboard.alerts.showing import View, example_for, views_of
from opsboard.probes.models import moment
from opsboard.web.channel_rows import channel_rows

MESSAGES_SHOWN = 20
MOST_DELIVERIES = 2_000


@dataclass(frozen=True, slots=True)
class Shown:
    """One form of a message as a page shows it."""

    label: str
    text: str
    html: SafeString | None


def read_channel_page(channel: Channel, *, may_edit: bool, now: datetime) -> dict[str, Any]:
    [row] = channel_rows([channel], may_edit=may_edit)
    messages = channel.messages.annotate(alerts=Count("deliveries")).order_by("-pk")
    recent = list(messages.fetch_mode(FETCH_RAISE)[:MESSAGES_SHOWN])
    example = example_for(channel, now=now)
    return {
        "row": row,
        "channel": channel,
        "recent": recent,
        "dead": channel.messages.filter(dead_at__isnull=False).count(),
        "views": _shown(views_of(example, channel)) if example else [],
        "signs_with_both": bool(
            channel.previous_secret and channel.previous_until and channel.previous_until > now
        ),
    }


def read_message_page(message: Message, *, may_edit: bool) -> dict[str, Any]:
    deliveries = message.deliveries.select_related("incident__service", "incident__environment")
    told = deliveries.select_related("notice").order_by("pk").fetch_mode(FETCH_RAISE)
    return {
        "message": message,
        "channel": message.channel,
        "subject": message.content.get("subject", ""),
        "told": list(told[:MOST_DELIVERIES]),
        "views": _shown(_for_reading(views_of(message, message.channel))),
        "error": message.last_error if may_edit else "",
        "next_at": moment(message.next_attempt_at),
        "is_under_way": message.delivered_at is None and message.dead_at is None,
    }


def _for_reading(views: Iterable[View]) -> list[View]:
    """What a person reads before what a program does."""
    return sorted(views, key=lambda view: view.text.startswith(("{", "[{", "[\n")))


def _shown(views: Iterable[View]) -> list[Shown]:
    # Ours, escaped where it is written: see alerts.renderings.html.
    return [
        Shown(one.label, one.text, mark_safe(one.text) if one.is_html else None) for one in views
    ]
