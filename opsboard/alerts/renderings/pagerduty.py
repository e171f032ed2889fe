"""A message as events of PagerDuty's Events API v2, one for each incident. Pure.

The key of an incident's event stays the same from its trigger to its resolve and on every try, so
that PagerDuty joins them. A summary is one event of its own, which resolves once all it told has.
"""

from collections.abc import Mapping
from typing import Any

from opsboard.alerts.letters import Letter, Part
from opsboard.alerts.renderings import plain
from opsboard.alerts.renderings.cutting import cut

MOST_IN_SUMMARY = 1_024
MOST_IN_KEY = 255
SEVERITIES = {1: "critical", 2: "error", 3: "warning"}
MOST_LINKS = 10


def render(
    content: Mapping[str, Any], letter: Letter, *, routing_key: str, source: str, url: str
) -> list[dict[str, Any]]:
    """The events of a message, in the order to send them. `content["events"]` names them."""
    parts = {part.heading: part for part in letter.parts}
    made = []
    for event in content.get("events", ()):
        base = {
            "routing_key": routing_key,
            "event_action": event["action"],
            "dedup_key": cut(event["key"], MOST_IN_KEY),
        }
        if event["action"] != "trigger":
            made.append(base)
            continue
        part = parts.get(event["heading"])
        made.append(base | _trigger(event, part, letter, source=source, url=url))
    return made


def _trigger(
    event: Mapping[str, Any], part: Part | None, letter: Letter, *, source: str, url: str
) -> dict[str, Any]:
    links = part.links if part else letter.links
    details = {"message": plain.render(letter)} if part is None else _details(part)
    summary = event["heading"] if part is None else f"{part.heading}. {part.lead}"
    return {
        "payload": {
            "summary": cut(summary, MOST_IN_SUMMARY),
            "source": source,
            "severity": event["severity"],
            "component": event["service"],
            "group": event["environment"],
            "class": event["event"],
            "custom_details": details,
        },
        "client": "Opsboard",
        "client_url": url,
        "links": [{"href": link.url, "text": cut(link.text, 200)} for link in links[:MOST_LINKS]],
    }


def _details(part: Part) -> dict[str, str]:
    details = {"What is wrong": part.lead}
    if part.way:
        details["The way back"] = cut(plain.way_text(part.way), 8_000)
    for fact in part.facts:
        before = f"{details[fact.label]}\n" if fact.label in details else ""
        details[fact.label] = before + fact.value
    return details
