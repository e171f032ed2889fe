"""A letter as an Adaptive Card, in the envelope of a Teams "Workflows" webhook. Pure."""

import json
import re
from collections.abc import Iterable
from typing import Any

from opsboard.alerts.letters import Fact, Letter, Link, Part, Way
from opsboard.alerts.renderings.cutting import cut

# Teams refuses messages of more than 28 KB.
MOST_OCTETS = 25_000
MOST_ACTIONS = 6

_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|<>~-])")

Element = dict[str, Any]


def render(letter: Letter) -> dict[str, Any]:
    """The body of one POST to a workflow's address."""
    links = (*letter.links, *(letter.parts[0].links if len(letter.parts) == 1 else ()))
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": _fitting(_body(letter)),
        "actions": [_action(link) for link in links[:MOST_ACTIONS]],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _body(letter: Letter) -> list[Element]:
    body = [_text(letter.subject, weight="Bolder", size="Medium")]
    if letter.lead:
        body.append(_text(letter.lead))
    body += _facts(letter.counts)
    is_alone = len(letter.parts) == 1 and not letter.lead
    for part in letter.parts:
        body += _part(part, is_alone=is_alone)
    return body


def _part(part: Part, *, is_alone: bool) -> list[Element]:
    made = [_text(part.lead, weight="Bolder" if is_alone else "Default", apart=not is_alone)]
    if part.way:
        made += _way(part.way)
    made += _facts(part.facts)
    if not is_alone and part.links:
        made.append(_raw(" · ".join(_link(link) for link in part.links)))
    return made


def _way(way: Way) -> list[Element]:
    title = _link(Link(way.title, way.url)) if way.url else escape(cut(way.title, 300))
    made = [_raw(f"**{escape(way.label)}:** {title}")]
    made += _facts(way.facts)
    for number, step in enumerate(way.steps, start=1):
        # Invisible, between number and dot: it begins no list, which would number anew.
        made.append(_text(f"{number}\u2060. {step.do}"))
        if step.run:
            made.append(_text(step.run, fontType="Monospace"))
        if step.see:
            made.append(_text(f"You should see: {step.see}"))
        if step.call:
            made.append(_text(f"If it fails, call: {step.call}"))
    return made


def _facts(facts: Iterable[Fact]) -> list[Element]:
    rows = [
        {"title": cut(fact.label, 100), "value": escape(cut(fact.value, 1_000))} for fact in facts
    ]
    return [{"type": "FactSet", "facts": rows}] if rows else []


def _text(text: str, *, apart: bool = False, **looks: object) -> Element:
    return _raw(escape(cut(text, 2_000))) | looks | ({"separator": True} if apart else {})


def _raw(text: str) -> Element:
    return {"type": "TextBlock", "text": text, "wrap": True}


def _action(link: Link) -> Element:
    return {"type": "Action.OpenUrl", "title": cut(link.text, 60), "url": link.url}


def _link(link: Link) -> str:
    address = link.url.replace("(", "%28").replace(")", "%29")
    return f"[{escape(cut(link.text, 300))}]({address})"


def escape(text: str) -> str:
    """Literal in the part of Markdown that cards read."""
    return _MARKS.sub(r"\\\1", text)


def _fitting(body: list[Element]) -> list[Element]:
    """As many elements as fit; the last then says that there was more."""
    kept: list[Element] = []
    room = MOST_OCTETS
    for element in body:
        room -= len(json.dumps(element))
        if room < 0:
            return [*kept, _text("The rest is cut off here: open the incident to read it.")]
        kept.append(element)
    return kept
