"""What is stored of a result: the columns of its probe, its observation, its newest facts, and the
reply of a path that is not passing. Secrets are masked here, and nothing unprintable gets in."""

import json
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from opsboard.expectations.facts import was_delayed
from opsboard.probes.models import Exchange, Gap, Kind
from opsboard.probes.narrow import NOTHING, flags_of, join_told
from opsboard.probes.orders import Order
from opsboard.probes.results import Result
from opsboard.probes.rules import MINUTE, State, Verdict, grid_after
from opsboard.probes.schedule import SECOND, gap_between
from opsboard.probes.step_facts import dump_steps, latest_steps
from opsboard.probes.waves import Columns

CACHE = ["unknown", "hit", "miss", "stale", "bypass"]
EXCERPT_BYTES = 4096
SMALLINT = 32_767
# What a person reads in a row; the whole of a failing reply is kept apart.
LONGEST_REASON = 1000
# Days before its end from which a certificate is written down, for a notice.
ENDING_DAYS = 21

HIDDEN_HEADERS = {"set-cookie", "authorization", "www-authenticate", "proxy-authenticate"}


# What a result changes of its probe.
MOVED = Columns(
    {
        "probe": "bigint",
        "claim": "bigint",
        "slot": "bigint",
        "again": "bigint",
        "asked": "bigint",
        "state": "text",
        "since": "bigint",
        "streak": "text",
        "recent": "text",
        "reason": "text",
        "windows": "text",
        "observed": "bigint",
        "latest": "text",
        "verdict": "bigint",
        "lateness": "bigint",
    }
)
OBSERVED = Columns(
    {
        "slot_at": "bigint",
        "probe_id": "integer",
        "total": "integer",
        "dns": "integer",
        "connect": "integer",
        "tls": "integer",
        "first_byte": "integer",
        "transfer": "integer",
        "lateness": "integer",
        "size": "integer",
        "db_time": "integer",
        "db_calls": "smallint",
        "status": "smallint",
        "flags": "smallint",
        "failure": "text",
        "told": "text",
    }
)


def moved_row(result: Result, now: int) -> list[Any]:
    claim, standing = result.claim, result.turn.standing
    is_scheduled = claim.kind is Kind.SCHEDULED
    return [
        claim.probe_id,
        claim.claim_id,
        _following(result, now) if is_scheduled else claim.grid_at,
        _ask_again_at(result, now),
        result.asked_at,
        standing.state,
        standing.since,
        standing.streak_state,
        standing.recent,
        text_of(standing.reason, result.order),
        standing.tally.dump(),
        standing.observed_at,
        json.dumps(_latest(result)),
        result.judgement.verdict,
        _lateness(result),
    ]


def _following(result: Result, now: int) -> int:
    claim = result.claim
    return grid_after(max(now, claim.slot_at), claim.interval, claim.spread_key)


def missed_of(result: Result, now: int) -> Gap | None:
    """The slots that passed while this one was asked."""
    claim = result.claim
    if claim.kind is not Kind.SCHEDULED:
        return None
    return gap_between(claim.probe_id, claim.slot_at, _following(result, now), claim.interval)


def _ask_again_at(result: Result, now: int) -> int | None:
    """When a first disagreement is asked again; None where the next slot is as soon."""
    after: int = round(settings.REASK_AFTER_SECONDS * SECOND)
    if not result.turn.asks_again or result.claim.interval <= 2 * after:
        return None
    return now + after


def observed_row(result: Result) -> list[Any]:
    reply, facts, phases = result.reply, result.judgement.facts, result.reply.phases
    return [
        result.claim.slot_at,
        result.claim.probe_id,
        # A job may run for longer than the 36 minutes that the column holds.
        min(phases.total, 2**31 - 1),
        phases.dns,
        phases.connect,
        phases.tls,
        phases.first_byte,
        phases.transfer,
        _lateness(result),
        len(reply.body),
        NOTHING if facts.db_time is None else min(facts.db_time, 2**31 - 1),
        NOTHING if facts.db_calls is None else min(facts.db_calls, SMALLINT),
        NOTHING if reply.status is None else reply.status,
        flags_of(
            kind=result.claim.kind,
            verdict=result.judgement.verdict,
            cache=CACHE.index(facts.cache),
            is_wrong=result.judgement.is_wrong,
            is_delayed=was_delayed(reply),
        ),
        reply.failure or "",
        join_told(
            text_of(result.judgement.reason, result.order),
            dump_steps(result.judgement.steps, lambda text: text_of(text, result.order)),
        ),
    ]


def _lateness(result: Result) -> int:
    # A path asked once a day may be late by more than the 36 minutes that the column holds.
    return min(max(0, result.asked_at - result.claim.slot_at), 2**31 - 1)


def _latest(result: Result) -> dict[str, Any]:
    """The newest facts as pages show them, beside the sheet's clauses."""
    facts, reply = result.judgement.facts, result.reply
    windows = [
        {"clause": window.clause.text, "held": window.held, "got": window.got}
        for window in result.turn.windows
    ]
    clauses = [
        {
            "clause": holding.clause.text,
            "held": holding.held,
            "got": text_of(holding.got, result.order),
        }
        for holding in result.judgement.holdings
    ]
    steps = latest_steps(result.judgement.steps, lambda text: text_of(text, result.order))
    return {
        "verdict": result.judgement.verdict.name.lower(),
        "total": reply.phases.total,
        "lateness": _lateness(result),
        "status": reply.status,
        "exit": reply.exit_code,
        "failure": reply.failure,
        "cache": facts.cache,
        "db_calls": facts.db_calls,
        "db_time": facts.db_time,
        "certificate_days": facts.certificate_days,
        **_ending_certificate(result),
        "clauses": clauses + windows,
        **({"steps": steps} if steps else {}),
    }


def _ending_certificate(result: Result) -> dict[str, Any]:
    """The certificate while it is near its end, so that those are found by the word alone."""
    certificate, days = result.reply.certificate, result.judgement.facts.certificate_days
    if certificate is None or days is None or days >= ENDING_DAYS:
        return {}
    which = f"{certificate.issuer}\0{certificate.serial}\0{certificate.not_after}"
    return {
        "ending_certificate": {
            "key": blake2b(which.encode(), digest_size=16).hexdigest(),
            "not_after": certificate.not_after.timestamp(),
            "subject": printable(certificate.subject),
            "host": urlsplit(result.order.ask.url).hostname or "",
        }
    }


def is_worth_keeping(result: Result) -> bool:
    """The replies of a path that is not passing: the first, those of a change, one a minute."""
    if result.judgement.verdict in (Verdict.PASSING, Verdict.ERROR):
        return False
    if result.reply.status is None and not result.reply.body:
        return False
    before = result.claim.standing
    is_first = before.streak_state is State.PASSING or bool(result.turn.changes)
    return is_first or (before.observed_at or 0) // MINUTE != result.asked_at // MINUTE


def exchange_of(result: Result) -> Exchange:
    reply, order = result.reply, result.order
    return Exchange(
        probe_id=result.claim.probe_id,
        slot_at=result.claim.slot_at,
        status=reply.status,
        headers=[
            [name, "[hidden]" if name.lower() in HIDDEN_HEADERS else text_of(value, order)]
            for name, value in reply.headers
        ],
        excerpt=_excerpt(reply.body, order),
    )


def _excerpt(body: bytes, order: Order) -> str:
    """The first 4 KiB as text. Masked before it is cut: half a secret is one too."""
    reach = EXCERPT_BYTES + max((len(secret) * 3 for secret in order.secrets), default=0)
    text = printable(order.mask(body[:reach].decode(errors="replace")))
    return text.encode()[:EXCERPT_BYTES].decode(errors="ignore")


def text_of(text: str, order: Order) -> str:
    return printable(order.mask(text))[:LONGEST_REASON]


def printable(text: str) -> str:
    """Without the control characters a hostile far side may send; PostgreSQL refuses NUL."""
    if text.isprintable():
        return text
    return "".join(
        character if character in "\n\t" or character.isprintable() else "�" for character in text
    )
