"""What `manage.py probe` prints: for people, or one JSON object."""

import json
from collections.abc import Sequence
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
        *(_steps(order, judgement) or [clean(order, order.ask.line)]),
        *_table("Facts", _told(facts_of(order, reply, judgement))),
        *_table("Phases", [(name, format_duration(phase_of(reply, name))) for name in PHASES]),
    ]
    if judgement.holdings:
        lines += ["", "Clauses", *_clauses(order, judgement.holdings)]
    return "\n".join(lines)


def _steps(order: Order, judgement: Judgement) -> list[str]:
    """Of a path of several steps: each with its request's outcome and its clauses."""
    lines = ["Steps"] if judgement.steps else []
    for number, step in enumerate(judgement.steps, start=1):
        word = "not run" if step.verdict is None else step.verdict.name.lower()
        status = "" if step.status is None else f", {step.status}"
        time = "" if step.verdict is None else f" in {format_duration(step.total)}"
        lines.append(f"  {number}. {clean(order, step.name)}: {word}{status}{time}")
        # What no clause says of it: no reply, nothing taken, not run.
        if step.reason and not any(one.held is False for one in step.holdings):
            lines.append(f"    {clean(order, step.reason)}")
        lines += [f"  {line}" for line in _clauses(order, step.holdings)]
    return lines


def _clauses(order: Order, holdings: Sequence[Holding]) -> list[str]:
    return [
        f"  {_word(one):<10}  {one.clause.text}  ->  {clean(order, one.got)}" for one in holdings
    ]


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
