"""What `manage.py probe` prints: for people, or one JSON object. Masked, nothing unseen in it."""

import json
from typing import Any

from opsboard.expectations.got import Holding
from opsboard.expectations.shown import on_one_line
from opsboard.expectations.units import format_duration, format_size
from opsboard.outbound.reply import Reply
from opsboard.probes.orders import Order
from opsboard.probes.rules import Judgement, Verdict

EXIT_CODES = {Verdict.PASSING: 0, Verdict.FAILING: 1, Verdict.WARNING: 3, Verdict.ERROR: 4}
PHASES = ("dns", "connect", "tls", "first_byte", "transfer", "total")
LONGEST = 1_000


def json_of(order: Order, reply: Reply, judgement: Judgement) -> str:
    return json.dumps(
        {
            "verdict": judgement.verdict.name.lower(),
            "failure": reply.failure,
            "reason": _reason(order, reply, judgement),
            "clauses": [
                {
                    "clause": holding.clause.text,
                    "held": holding.held,
                    "got": _clean(order, holding.got),
                }
                for holding in judgement.holdings
            ],
            "phases_ms": {name: _phase(reply, name) / 1_000 for name in PHASES},
            "facts": facts_of(order, reply, judgement),
        },
        indent=2,
    )


def text_of(order: Order, reply: Reply, judgement: Judgement) -> str:
    lines = [
        f"{judgement.verdict.name.capitalize()}: {_reason(order, reply, judgement)}",
        "",
        f"{order.ask.method} {_clean(order, order.ask.url)}",
        *_table("Facts", _told(facts_of(order, reply, judgement))),
        *_table("Phases", [(name, format_duration(_phase(reply, name))) for name in PHASES]),
    ]
    clauses = [(_word(holding), holding) for holding in judgement.holdings]
    if clauses:
        lines += ["", "Clauses"]
        lines += [
            f"  {word:<10}  {holding.clause.text}  ->  {_clean(order, holding.got)}"
            for word, holding in clauses
        ]
    return "\n".join(lines)


def facts_of(order: Order, reply: Reply, judgement: Judgement) -> dict[str, Any]:
    """None: the far side did not tell. Durations in milliseconds, sizes in bytes."""
    facts, certificate = judgement.facts, reply.certificate
    return {
        "status": reply.status,
        "http": reply.http_version or None,
        "redirects": reply.redirects,
        "peer": reply.peer or None,
        "size": len(reply.body) if reply.status is not None else None,
        "content_type": _header(order, facts.headers.get("content-type")),
        "cache": facts.cache,
        "cache_header": _header(order, facts.cache_raw or None),
        "db_calls": facts.db_calls,
        "db_time_ms": None if facts.db_time is None else facts.db_time / 1_000,
        "certificate_days": facts.certificate_days,
        "certificate_issuer": _header(order, certificate.issuer if certificate else None),
        "certificate_ends": certificate.not_after.isoformat() if certificate else None,
    }


def _told(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """The facts that were told, in words."""
    words = {"size": format_size}
    return [
        (name, words[name](value) if name in words else str(value))
        for name, value in facts.items()
        if value is not None
    ]


def _table(heading: str, rows: list[tuple[str, str]]) -> list[str]:
    return ["", heading, *(f"  {name:<18}  {value}" for name, value in rows)]


def _reason(order: Order, reply: Reply, judgement: Judgement) -> str:
    if judgement.reason:
        return _clean(order, judgement.reason)
    return f"answered {reply.status} in {format_duration(reply.phases.total)}"


def _word(holding: Holding) -> str:
    if holding.held is None:
        return "not judged"
    if holding.held:
        return "holds"
    return "warns" if holding.clause.warn else "fails"


def _phase(reply: Reply, name: str) -> int:
    microseconds: int = getattr(reply.phases, name)
    return microseconds


def _header(order: Order, value: str | None) -> str | None:
    return None if value is None else _clean(order, value)


def _clean(order: Order, text: str) -> str:
    # Masked before it is cut: half a secret is one too.
    return on_one_line(order.mask(text), LONGEST)
