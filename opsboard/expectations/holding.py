"""Whether one clause holds of one reply, and in a line what was got instead.

A fact that is not there fails the clause, whichever way the clause points.
"""

from collections.abc import Callable
from decimal import Decimal

from opsboard.expectations.clauses import Clause, Operator
from opsboard.expectations.comparing import compare, compare_text
from opsboard.expectations.facts import Facts, was_delayed
from opsboard.expectations.got import Holding, fault, judged, missing, not_judged
from opsboard.expectations.json_holding import hold_json
from opsboard.expectations.shown import bytes_in_quotes
from opsboard.expectations.units import exact_duration, exact_size, format_duration, format_size
from opsboard.expectations.vocabulary import HTTP_VERSIONS
from opsboard.expectations.words import expectation
from opsboard.outbound.reply import Failure, Reply

__all__ = ["Holding", "hold"]

_CONTEXT = 20


def hold(clause: Clause, facts: Facts, reply: Reply) -> Holding:
    """Judge one clause without a window; `facts` are those of `reply`. Never raises."""
    if clause.window is None and facts.tells_all:
        return _JUDGES[clause.fact](clause, facts)
    if clause.window is not None:
        return not_judged(clause, "it is about many observations")
    if reply.is_ours:
        return not_judged(clause, reply.detail or "the error is our own")
    if clause.is_about_time and was_delayed(reply):
        return not_judged(clause, f"our own loop was {format_duration(reply.loop_delay)} late")
    if why := _untold(clause, reply):
        return missing(clause, why)
    return _JUDGES[clause.fact](clause, facts)


def _untold(clause: Clause, reply: Reply) -> str:
    """Why a reply that did not come whole does not tell this fact, or ""."""
    if reply.failure is None:
        return _untold_by_job(clause, reply)
    if reply.failure is Failure.TOO_LARGE:
        return "cut at its cap" if clause.fact in ("body", "size") else ""
    if clause.is_about_time and reply.status is not None:
        return ""
    if clause.fact.startswith("certificate.") and reply.certificate:
        return ""
    return f"no reply: {reply.failure}"


def _untold_by_job(clause: Clause, reply: Reply) -> str:
    if clause.is_about_time and not reply.is_timed:
        return "not told: the job reported no start"
    # What the rest of it says is not known, whichever way the clause points.
    return "cut off at its cap" if reply.is_cut and clause.fact in ("body", "json", "size") else ""


def _hold_exit(clause: Clause, facts: Facts) -> Holding:
    code = facts.reply.exit_code
    if code is None:
        return fault(clause, "failed", "the job reported a failure")
    if compare(clause.operator, code, clause.operands):
        return judged(clause, f"{code}", held=True)
    how = "failed" if code else "ended"
    sentence = f"the job {how} with exit code {code}, expected {expectation(clause)}"
    return fault(clause, f"{code}", sentence)


def _hold_number(clause: Clause, value: Decimal | int | None) -> Holding:
    if value is None:
        return missing(clause, "not reported")
    held = compare(clause.operator, value, clause.operands)
    return judged(clause, f"{value:,}" if clause.fact == "db.calls" else f"{value}", held=held)


def _hold_measure(
    clause: Clause, value: int | None, short: Callable[[int], str], exact: Callable[[int], str]
) -> Holding:
    if value is None:
        return missing(clause, "not reported")
    held = compare(clause.operator, value, clause.operands)
    got = short(value)
    # 400.2 ms must not read "400 ms, expected under 400 ms".
    if not held and got in [short(each) for each in clause.operands if isinstance(each, int)]:
        got = exact(value)
    return judged(clause, got, held=held)


def _hold_duration(clause: Clause, value: int | None) -> Holding:
    return _hold_measure(clause, value, format_duration, exact_duration)


def _hold_size(clause: Clause, facts: Facts) -> Holding:
    return _hold_measure(clause, len(facts.reply.body), format_size, exact_size)


def _hold_tls_time(clause: Clause, facts: Facts) -> Holding:
    if not facts.reply.phases.tls:
        return missing(clause, "not measured: the connection has no TLS")
    return _hold_duration(clause, facts.reply.phases.tls)


def _hold_http(clause: Clause, facts: Facts) -> Holding:
    version = facts.reply.http_version
    return _hold_number(clause, Decimal(version) if version in HTTP_VERSIONS else None)


def _hold_cache(clause: Clause, facts: Facts) -> Holding:
    is_named = facts.cache == clause.operands[0]
    if clause.operator is Operator.IS:
        return judged(clause, facts.cache, held=is_named)
    # Not knowing is not the same as knowing that it was not.
    return judged(clause, facts.cache, held=not is_named and facts.cache != "unknown")


def _hold_header(clause: Clause, facts: Facts) -> Holding:
    value = facts.headers.get(clause.argument.lower())
    if value is None:
        return missing(clause, "not sent")
    text = value.encode(errors="replace")
    if clause.operator is Operator.EXISTS:
        return judged(clause, bytes_in_quotes(text), held=True)
    return _hold_text(clause, text)


def _hold_issuer(clause: Clause, facts: Facts) -> Holding:
    certificate = facts.reply.certificate
    if certificate is None:
        return missing(clause, "not shown")
    return _hold_text(clause, certificate.issuer.encode(errors="replace"))


def _hold_text(clause: Clause, text: bytes) -> Holding:
    held = compare_text(clause.operator, text, clause.operands)
    got = bytes_in_quotes(text, _start(clause, text)) if text else "empty"
    return judged(clause, got, held=held)


def _start(clause: Clause, text: bytes) -> int:
    """Where to show the text from: a little before what was looked for."""
    if clause.operator not in (Operator.CONTAINS, Operator.NOT_CONTAINS):
        return 0
    return max(0, text.find(str(clause.operands[0]).encode()) - _CONTEXT)


_JUDGES: dict[str, Callable[[Clause, Facts], Holding]] = {
    "status": lambda clause, facts: _hold_number(clause, facts.reply.status),
    "exit": _hold_exit,
    "redirects": lambda clause, facts: _hold_number(clause, facts.reply.redirects),
    "db.calls": lambda clause, facts: _hold_number(clause, facts.db_calls),
    "certificate.days": lambda clause, facts: _hold_number(clause, facts.certificate_days),
    "http": _hold_http,
    "time": lambda clause, facts: _hold_duration(clause, facts.reply.phases.total),
    "time.dns": lambda clause, facts: _hold_duration(clause, facts.reply.phases.dns),
    "time.connect": lambda clause, facts: _hold_duration(clause, facts.reply.phases.connect),
    "time.tls": _hold_tls_time,
    "time.first_byte": lambda clause, facts: _hold_duration(clause, facts.reply.phases.first_byte),
    "time.transfer": lambda clause, facts: _hold_duration(clause, facts.reply.phases.transfer),
    "db.time": lambda clause, facts: _hold_duration(clause, facts.db_time),
    "size": _hold_size,
    "body": lambda clause, facts: _hold_text(clause, facts.text),
    "header": _hold_header,
    "certificate.issuer": _hold_issuer,
    "cache": _hold_cache,
    "json": hold_json,
}
