"""What a message tells programs: the facts of each alert, as plain values. Pure."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from opsboard.alerts.composing import MOST_TOLD
from opsboard.alerts.news import Item, News

BRIEF = ("events", "incident", "incident_url", "service", "environment", "team", "tier")


def facts_of(items: Sequence[Item]) -> list[dict[str, Any]]:
    """One for each incident, notice or test; of more than 20 only what names each.

    "event" is what is so now, "events" all that the message tells of it, in order.
    """
    is_brief = len(items) > MOST_TOLD
    return [_facts(item, is_brief=is_brief) for item in items]


def _facts(item: Item, *, is_brief: bool) -> dict[str, Any]:
    facts = asdict(item)
    if is_brief and isinstance(item, News):
        facts = {name: facts[name] for name in BRIEF}
    return {"event": item.event} | facts
