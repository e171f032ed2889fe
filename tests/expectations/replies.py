"""Replies as the far side might give them, and what a clause makes of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from opsboard.expectations.facts import Facts, facts_of
from opsboard.expectations.grammar import parse
from opsboard.expectations.holding import Holding, hold
from opsboard.outbound.reply import Certificate, Failure, Phases, Reply

NOON = datetime(2026, 11, 17, 12, 0, tzinfo=UTC)


def answered(body: str | bytes = "pong", **changes: Any) -> Reply:
    """A whole reply; headers as keyword arguments of their own go in `headers`."""
    facts: dict[str, Any] = {
        "status": 200,
        "body": body.encode() if isinstance(body, str) else body,
        "http_version": "1.1",
        "phases": Phases(dns=1_000, connect=2_000, first_byte=90_000, transfer=5_000, total=98_000),
    }
    return Reply(**(facts | changes))


def with_headers(*lines: str, body: str | bytes = "pong") -> Reply:
    """Each line as it goes over the wire: `X-Cache: HIT`."""
    pairs = [line.partition(": ")[::2] for line in lines]
    return answered(body, headers=tuple(pairs))


def unanswered(failure: Failure, **changes: Any) -> Reply:
    return Reply(failure=failure, detail="The far side did not answer.", **changes)


def certificate_for(days: float) -> Certificate:
    return Certificate(
        not_after=NOON + timedelta(days=days), issuer="CN=Internal CA 2", subject="CN=fares"
    )


def facts(reply: Reply) -> Facts:
    return facts_of(reply, now=NOON)


def holding(text: str, reply: Reply) -> Holding:
    (clause,) = parse(text)
    return hold(clause, facts(reply), reply)


def held(text: str, reply: Reply) -> bool | None:
    return holding(text, reply).held


def on_json(text: str, body: str) -> bool | None:
    return held(text, answered(body))
