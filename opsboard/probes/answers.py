"""What came of asking once, as plain values for JSON. Masked, nothing unseen in it."""

from collections.abc import Sequence
from typing import Any

from opsboard.expectations.got import Holding
from opsboard.expectations.shown import on_one_line
from opsboard.expectations.units import format_duration
from opsboard.outbound.reply import Reply
from opsboard.probes.orders import Order
from opsboard.probes.rules import Judgement, StepResult

PHASES = ("dns", "connect", "tls", "first_byte", "transfer", "total")
LONGEST = 1_000


def answer_of(order: Order, reply: Reply, judgement: Judgement) -> dict[str, Any]:
    """Verdict, reason, clauses with what they got, phases and facts; of several steps, each."""
    steps = [_step(order, step) for step in judgement.steps]
    return {
        "verdict": judgement.verdict.name.lower(),
        "failure": reply.failure,
        "reason": reason_of(order, reply, judgement),
        "clauses": _clauses(order, judgement.holdings),
        "phases_ms": {name: phase_of(reply, name) / 1_000 for name in PHASES},
        "facts": facts_of(order, reply, judgement),
    } | ({"steps": steps} if steps else {})


def _step(order: Order, step: StepResult) -> dict[str, Any]:
    """`verdict` is None when it was not run."""
    return {
        "name": step.name,
        "verdict": None if step.verdict is None else step.verdict.name.lower(),
        "reason": clean(order, step.reason),
        "status": step.status,
        "time_ms": step.total / 1_000,
        "db_calls": step.db_calls,
        "cache": step.cache,
        "clauses": _clauses(order, step.holdings),
    }


def _clauses(order: Order, holdings: Sequence[Holding]) -> list[dict[str, Any]]:
    return [
        {"clause": one.clause.text, "held": one.held, "got": clean(order, one.got)}
        for one in holdings
    ]


def facts_of(order: Order, reply: Reply, judgement: Judgement) -> dict[str, Any]:
    """None: the far side did not tell. Durations in milliseconds, sizes in bytes."""
    facts, certificate = judgement.facts, reply.certificate
    return {
        "status": reply.status,
        "exit": reply.exit_code,
        "http": reply.http_version or None,
        "redirects": reply.redirects,
        "peer": reply.peer or None,
        "size": len(reply.body) if reply.body or reply.status is not None else None,
        "content_type": _header(order, facts.headers.get("content-type")),
        "cache": facts.cache,
        "cache_header": _header(order, facts.cache_raw or None),
        "db_calls": facts.db_calls,
        "db_time_ms": None if facts.db_time is None else facts.db_time / 1_000,
        "certificate_days": facts.certificate_days,
        "certificate_issuer": _header(order, certificate.issuer if certificate else None),
        "certificate_ends": certificate.not_after.isoformat() if certificate else None,
    }


def reason_of(order: Order, reply: Reply, judgement: Judgement) -> str:
    if judgement.reason:
        return clean(order, judgement.reason)
    if reply.exit_code is not None:
        return job_words(reply)
    if reply.status is None:
        return f"answered in {format_duration(reply.phases.total)}"
    return f"answered {reply.status} in {format_duration(reply.phases.total)}"


def job_words(reply: Reply) -> str:
    """ "ended with exit code 0 after 3 m"; without a start, it is not known after how long."""
    after = f" after {format_duration(reply.phases.total)}" if reply.is_timed else ""
    return f"ended with exit code {reply.exit_code}{after}"


def phase_of(reply: Reply, name: str) -> int:
    microseconds: int = getattr(reply.phases, name)
    return microseconds


def _header(order: Order, value: str | None) -> str | None:
    return None if value is None else clean(order, value)


def clean(order: Order, text: str) -> str:
    # Masked before it is cut: half a secret is one too.
    return on_one_line(order.mask(text), LONGEST)
