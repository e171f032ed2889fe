"""What a message tells, read from the database at the moment it is made."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.conf import settings

from opsboard.alerts import letters
from opsboard.alerts.background import read_background, read_incidents
from opsboard.alerts.composing import (
    MOST_TOLD,
    by_urgency,
    letter_of_many,
    letter_of_one,
    letter_of_some,
)
from opsboard.alerts.facts import facts_of
from opsboard.alerts.items import Story, brief_item, stories, whole_item
from opsboard.alerts.models import Channel, Delivery
from opsboard.alerts.news import Item
from opsboard.alerts.renderings import plain
from opsboard.alerts.subjects import filled, values_for
from opsboard.alerts.threads import earlier_keys, events_of


def content_of(
    deliveries: Sequence[Delivery], channel: Channel, *, now: datetime, key: uuid.UUID | None = None
) -> dict[str, Any]:
    """The content of one message that tells all of `deliveries`, as plain values.

    {"made_at", "subject", "text", "letter", "alerts", "replies_to", "events"}: the letter is what
    every kind of channel is sent in its own form, see alerts.letters; `alerts` are facts for
    programs, one for each incident. `key` is the message's, for the address of its page.
    """
    told = stories(deliveries, read_incidents(deliveries))
    return content_of_items(_items(told, channel, now=now), channel, now=now, key=key)


def content_of_items(
    items: dict[Story, Item], channel: Channel, *, now: datetime, key: uuid.UUID | None
) -> dict[str, Any]:
    """The content from what was read, in the order to tell it."""
    told = list(items)
    letter = _letter(items, url=message_url(key))
    if channel.subject_template:
        values = values_for(list(items.values()))
        letter = letters.retitled(letter, filled(channel.subject_template, values))
    return {
        "made_at": now.isoformat(),
        "subject": letter.subject,
        "text": plain.render(letter),
        "letter": letters.stored(letter),
        "alerts": facts_of(list(items.values())),
        "replies_to": earlier_keys(told, channel),
        "events": events_of(told, items, channel, key=key),
    }


def message_url(key: uuid.UUID | None) -> str:
    """The page that lists everything a message told."""
    return f"{settings.URL}/alerts/messages/{key}" if key else f"{settings.URL}/alerts"


def _items(told: Sequence[Story], channel: Channel, *, now: datetime) -> dict[Story, Item]:
    """In the order to tell them; in depth as many as are named."""
    brief = {story: brief_item(story, channel, now=now) for story in told}
    ranked = by_urgency(list(brief.values()))
    place = {id(item): number for number, item in enumerate(ranked)}
    order = sorted(told, key=lambda story: place[id(brief[story])])
    deep = order if len(order) <= MOST_TOLD else order[:MOST_TOLD]
    incidents = [story.incident for story in deep if story.incident is not None]
    known = read_background(incidents, now=now)
    whole = {story: whole_item(story, channel, known, now=now) for story in deep}
    return {story: whole.get(story) or brief[story] for story in order}


def _letter(items: dict[Story, Item], *, url: str) -> letters.Letter:
    told = list(items.values())
    if len(told) == 1:
        return letter_of_one(told[0])
    if len(told) <= MOST_TOLD:
        return letter_of_some(told, url=url)
    return letter_of_many(told, told[:MOST_TOLD], url=url)
