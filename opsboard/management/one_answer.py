"""What `manage.py probe` prints: for people, or one JSON object."""

import json
from typing import Any

from opsboard.expectations.got import Holding
from opsboard.expectations.units import format_duration, format_size
from opsboard.outbound.reply import Reply
from opsboard.probes.answers import PHASES, answer_of, clean, facts_of, phase_of, reason_of
from opsboard.probes.orders import Order
from opsboard.probes.rules import Judgement, Verdict

EXIT_CODES = {Verdict.PASSING: 0, Verdict.FAILING: 1, Verdict.WARNING: 3, Verdict.ERROR: 4}


def json_of(order: Order, reply: Reply, judgement: Judgement) -> str:
    return json.dumps(answer_of(order, reply, judgement), indent=2)


def text_of(order: Order, reply: Reply, judgement: Judgement) -> str:
    lines = [
        f"{judgement.verdict.name.capitalize()}: {reason_of(order, reply, judgement)}",
        "",
        f"{order.ask.method} {clean(order, order.ask.url)}",
        *_table("Facts", _told(facts_of(order, reply, judgement))),
        *_table("Phases", [(name, format_duration(phase_of(reply, name))) for name in PHASES]),
    ]
    clauses = [(_word(holding), holding) for holding in judgement.holdings]
    if clauses:
        lines += ["", "Clauses"]
        lines += [
            f"  {word:<10}  {holding.clause.text}  ->  {clean(order, holding.got)}"
            for word, holding in clauses
        ]
    return "\n".join(lines)


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


def _word(holding: Holding) -> str:
    if holding.held is None:
        return "not judged"
    if holding.held:
        return "holds"
    return "warns" if holding.clause.warn else "fails"
