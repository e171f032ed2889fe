"""Walks with replies given by hand: no network, no database."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from opsboard.expectations.grammar import parse
from opsboard.outbound.reply import Ask, Phases, Reply
from opsboard.probes.rules import UNWRITTEN, Judgement
from opsboard.probes.taking import Slot, Text, Use, read_take
from opsboard.probes.walking import Plan, Step, Walk

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECOND = 1_000_000
SITE = "http://shop.example"


def step(name: str = "Ask", *expect: str, always: bool = False, **fields: Any) -> Step:
    """`takes` by name, `url` with a Slot where a taken value goes."""
    takes = fields.pop("takes", {})
    url: Text = fields.pop("url", (f"{SITE}/{name}",))
    return Step(
        name=name,
        ask=Ask(method="GET", url=SITE),
        url=url,
        headers=fields.pop("headers", ()),
        body=fields.pop("body", ()),
        clauses=parse("\n".join(expect)) or UNWRITTEN,
        takes=tuple(read_take(key, text, [Use.LINE]) for key, text in takes.items()),
        always=always,
        **fields,
    )


def uses(name: str, use: Use = Use.ADDRESS) -> Text:
    return (f"{SITE}/", Slot(name, use))


def got(status: int = 200, body: Any = None, *headers: tuple[str, str], **changes: Any) -> Reply:
    facts: dict[str, Any] = {
        "status": status,
        "http_version": "1.1",
        "headers": headers,
        "body": b"" if body is None else json.dumps(body).encode(),
        "phases": Phases(first_byte=20_000, total=20_000),
    }
    return Reply(**(facts | changes))


def a_walk(*steps: Step, timeout: int = 10 * SECOND, **plan: Any) -> Walk:
    whole = Plan(steps=steps, timeout=timeout, **plan)
    return Walk(whole, now=NOON, dress=lambda ask, _nth: ask)


def walked(walk: Walk, answer: Callable[[Ask], Reply]) -> tuple[list[Ask], tuple[Reply, Judgement]]:
    asks, ask = [], walk.begin()
    while ask:
        asks.append(ask)
        ask = walk.hear(answer(ask))
    return asks, walk.finish()


def by_place(*replies: Reply) -> Callable[[Ask], Reply]:
    left = iter(replies)
    return lambda _: next(left)
