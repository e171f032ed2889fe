"""What a message follows on: the earlier message of the same incident to the same channel."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from opsboard.alerts.composing import MOST_TOLD
from opsboard.alerts.items import Story
from opsboard.alerts.models import Channel, Delivery, Message
from opsboard.alerts.news import Item, News
from opsboard.alerts.renderings.pagerduty import SEVERITIES
from opsboard.alerts.subjects import subject_of, subject_of_many

MAILED = (Channel.Kind.EMAIL, Channel.Kind.DUTY, Channel.Kind.ADMINISTRATORS)
# A mail program needs one to put it beside; a header with hundreds is refused.
MOST_EARLIER = 10
FIRST_TOLD = (Delivery.Event.FAILING, Delivery.Event.LINKED, Delivery.Event.ESCALATED)


def earlier_keys(told: Sequence[Story], channel: Channel) -> list[str]:
    """The keys of the messages that told this channel of these incidents first. For mail only."""
    if channel.pk is None or channel.kind not in MAILED:
        return []
    incidents = [story.incident.pk for story in told if story.incident is not None]
    messages = Message.objects.filter(
        channel=channel, deliveries__incident__in=incidents[:MOST_TOLD]
    )
    keys = messages.order_by("pk").distinct().values_list("key", flat=True)[:MOST_EARLIER]
    return [str(key) for key in keys]


def events_of(
    told: Sequence[Story],
    items: Mapping[Story, Item],
    channel: Channel,
    *,
    key: uuid.UUID | None,
) -> list[dict[str, Any]]:
    """What PagerDuty is to be sent: each incident's own event, or one for a summary.

    [{"action", "key", "heading", "severity", "service", "environment", "event"}]
    """
    if channel.kind != Channel.Kind.PAGERDUTY:
        return []
    begins = [story for story in told if set(story.events) != {Delivery.Event.RESOLVED}]
    ends = [story for story in told if story.last.event == Delivery.Event.RESOLVED]
    # A story that began and ended in here needs no summary to be resolved later.
    if len([one for one in begins if one not in ends]) > MOST_TOLD:
        return [*_summary([items[one] for one in begins], key), *_ends(ends, channel)]
    triggers = [event for story in begins for event in _triggers(story, items[story])]
    return [*triggers, *_ends(ends, channel)]


def event_key(name: str) -> str:
    """Of this board alone: two boards may page by the same routing key."""
    return f"opsboard-{urlsplit(settings.URL).netloc}-{name}"


def _triggers(story: Story, item: Item) -> list[dict[str, Any]]:
    delivery = story.last
    is_page = delivery.event not in (Delivery.Event.LINKED, Delivery.Event.NOTICE)
    name = item.incident if isinstance(item, News) else f"{delivery.event}-{delivery.pk}"
    trigger = {
        "action": "trigger",
        "key": event_key(name),
        "heading": subject_of(item),
        "severity": SEVERITIES.get(item.tier, "info") if is_page else "info",
        "service": item.service,
        "environment": item.environment,
        "event": item.event,
    }
    # A test leaves nothing open behind it.
    is_test = delivery.event == Delivery.Event.TEST
    return [trigger, _resolve(trigger["key"])] if is_test else [trigger]


def _summary(items: Sequence[Item], key: uuid.UUID | None) -> list[dict[str, Any]]:
    tiers = [item.tier for item in items if item.tier]
    return [
        {
            "action": "trigger",
            "key": event_key(str(key)),
            "heading": subject_of_many(items),
            "severity": SEVERITIES.get(min(tiers, default=3), "error"),
            "service": "",
            "environment": "",
            "event": "failing",
        }
    ]


def _ends(ends: Sequence[Story], channel: Channel) -> list[dict[str, Any]]:
    """The events that resolve: of each incident, and of summaries of which all has resolved.

    An incident that only a summary told of has no event of its own; resolving it does no harm, but
    2,000 of them would take long.
    """
    if not ends:
        return []
    told_by = _told_by(ends, channel)
    summaries = _summaries({one for one in told_by.values() if one is not None})
    alone = [one for one in ends if told_by.get(_key(one)) not in summaries]
    over = _all_over(summaries, ends, channel)
    return [
        *(_resolve(event_key(str(one.incident))) for one in alone),
        *(_resolve(event_key(str(summaries[pk]))) for pk in sorted(over)),
    ]


def _resolve(key: str) -> dict[str, Any]:
    return {"action": "resolve", "key": key}


def _key(story: Story) -> tuple[int | None, int]:
    return story.last.incident_id, story.last.opening


def _told_by(ends: Iterable[Story], channel: Channel) -> dict[tuple[int | None, int], int | None]:
    """By incident and opening, the message that told of its beginning."""
    incidents = {story.last.incident_id for story in ends}
    failing = Delivery.objects.told().filter(
        channel=channel, incident__in=incidents, event__in=FIRST_TOLD
    )
    rows = failing.order_by("-pk").values_list("incident_id", "opening", "message_id")
    return {(incident, opening): message for incident, opening, message in rows}


def _summaries(messages: Iterable[int]) -> dict[int, uuid.UUID]:
    """Those of `messages` that were sent as one summary event, with their keys."""
    return {one.pk: one.key for one in Message.objects.filter(pk__in=messages) if _is_summary(one)}


def _is_summary(message: Message) -> bool:
    own = event_key(str(message.key))
    return any(event["key"] == own for event in message.content.get("events", ()))


def _all_over(
    summaries: Mapping[int, uuid.UUID], ends: Iterable[Story], channel: Channel
) -> set[int]:
    """The summaries of which every incident has now been told to be resolved."""
    over = {_key(story) for story in ends}
    rows = list(
        Delivery.objects.filter(message__in=summaries, event__in=FIRST_TOLD).values_list(
            "message_id", "incident_id", "opening"
        )
    )
    resolved = Delivery.objects.told().filter(
        channel=channel,
        incident__in={incident for _, incident, _ in rows},
        event=Delivery.Event.RESOLVED,
    )
    over |= set(resolved.values_list("incident_id", "opening"))
    still = {message for message, incident, opening in rows if (incident, opening) not in over}
    return set(summaries) - still
