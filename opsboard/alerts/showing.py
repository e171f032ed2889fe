"""What a message is like in the form of its channel, for pages: before it is sent, and after."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from opsboard.alerts.background import read_background
from opsboard.alerts.items import Story, whole_item
from opsboard.alerts.letters import of_content
from opsboard.alerts.models import Channel, Delivery, Message
from opsboard.alerts.renderings import html, pagerduty, slack, teams
from opsboard.alerts.speaking import body_for_programs
from opsboard.alerts.telling import content_of, content_of_items, message_url
from opsboard.alerts.threads import MAILED
from opsboard.incidents.models import Incident, IncidentPath
from opsboard.probes.models import microseconds
from opsboard.services.models import Environment

# Whoever opens such a link may acknowledge: a page that shows a message shows none.
_KEYS = re.compile(r"/acknowledge/[^\s\"'<>|)\\]+")
HIDDEN = "/acknowledge/..."
Kind = Channel.Kind


@dataclass(frozen=True, slots=True)
class View:
    """One form of a message: text as it stands, or HTML that we wrote and escaped."""

    label: str
    text: str
    is_html: bool = False


def views_of(message: Message, channel: Channel) -> list[View]:
    """The forms in which a channel of this kind gets the message, the telling one first."""
    content = without_keys(message.content)
    shown = Message(key=message.key, channel=channel, content=content, made_at=message.made_at)
    letter = of_content(content)
    text = View("As text", f"{content['subject']}\n\n{content['text']}")
    match channel.kind:
        case kind if kind in MAILED:
            return [View("As HTML", html.body(letter), is_html=True), text]
        case Kind.WEBHOOK:
            return [View("As JSON", _json(body_for_programs(shown))), text]
        case Kind.SLACK:
            body = slack.render(letter)
            return [View("As Slack shows it", _slack_text(body)), View("As JSON", _json(body))]
        case Kind.TEAMS:
            body = teams.render(letter)
            return [View("As text", text.text), View("As JSON, an Adaptive Card", _json(body))]
        case Kind.PAGERDUTY:
            return [View("As events of PagerDuty", _json(_events(shown, content))), text]
    return [text]


def without_keys[Content: Mapping[str, Any]](content: Content) -> Content:
    """The content without the links that acknowledge."""
    hidden: Content = json.loads(_KEYS.sub(HIDDEN, json.dumps(content, ensure_ascii=False)))
    return hidden


def example_for(channel: Channel, *, now: datetime) -> Message | None:
    """How the newest alert of the board would be told to this channel, or one made of a real path.

    Nothing is stored. None: the board has no path yet.
    """
    incidents = Incident.objects.standing().select_related("service__team", "environment")
    incident = incidents.order_by("-opened_at", "-pk").first()
    message = Message(channel=channel, made_at=now, next_attempt_at=0)
    if incident is not None:
        told = [_delivery(channel, incident, now=now)]
        message.content = content_of(told, channel, now=now, key=message.key)
        return message
    place = (
        Environment.objects.filter(removed_at=None, service__removed_at=None)
        .filter(service__paths__removed_at=None, service__paths__isnull=False)
        .select_related("service__team")
        .order_by("service__tier", "pk")
        .first()
    )
    if place is None:
        return None
    first = place.service.paths.filter(removed_at=None).select_related("service__team", "owner")[0]
    made_up = Incident(
        pk=0, service=place.service, environment=place, title=first.name, opened_at=now
    )
    reason = "this is an example: nothing fails"
    place_in_it = IncidentPath(incident=made_up, path=first, joined_at=now, reason=reason)
    known = read_background([made_up], now=now, pretended=[place_in_it])
    story = Story((_delivery(channel, made_up, now=now),), made_up)
    message.content = content_of_items(
        {story: whole_item(story, channel, known, now=now)}, channel, now=now, key=message.key
    )
    return message


def _delivery(channel: Channel, incident: Incident, *, now: datetime) -> Delivery:
    return Delivery(
        pk=0,
        channel=channel,
        incident=incident,
        event=Delivery.Event.FAILING,
        opening=incident.openings,
        created_at=now,
        wanted_at=microseconds(now),
    )


def _slack_text(body: Mapping[str, Any]) -> str:
    """The texts of the blocks, a rule for each divider."""
    lines = [
        "----" if block["type"] == "divider" else block["text"]["text"] for block in body["blocks"]
    ]
    return "\n\n".join(lines).replace("\u2060", "")


def _events(message: Message, content: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    return pagerduty.render(
        content,
        of_content(content),
        routing_key="(the routing key)",
        source=urlsplit(settings.URL).netloc,
        url=message_url(message.key),
    )


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)
