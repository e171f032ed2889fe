"""Recording: a wave of observations in one transaction, each confirmed change in one of its own.

Everything is written under the claim it was asked under. A claim that is gone (its lease ran out
and another worker took it, or a person edited the sheet) changes nothing.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction

from opsboard.expectations.facts import was_delayed
from opsboard.outbound.reply import Reply
from opsboard.probes.models import (
    Exchange,
    Gap,
    Kind,
    Probe,
    StateChange,
    moment,
)
from opsboard.probes.narrow import NOTHING, flags_of, join_told
from opsboard.probes.orders import Order
from opsboard.probes.rules import (
    MINUTE,
    Judgement,
    State,
    Turn,
    Verdict,
    grid_after,
    is_disputed,
    judge,
    take_turn,
)
from opsboard.probes.schedule import SECOND, Claim, gap_between, write_missed
from opsboard.probes.step_facts import dump_steps, latest_steps
from opsboard.probes.waves import Columns
from opsboard.services.models import Service

CACHE = ["unknown", "hit", "miss", "stale", "bypass"]
EXCERPT_BYTES = 4096
SMALLINT = 32_767
# What a person reads in a row; the whole of a failing reply is kept apart.
LONGEST_REASON = 1000
# Days before its end from which a certificate is written down, for a notice.
ENDING_DAYS = 21

HIDDEN_HEADERS = {"set-cookie", "authorization", "www-authenticate", "proxy-authenticate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One probe turn, judged, and ready to be written."""

    claim: Claim
    order: Order
    reply: Reply
    judgement: Judgement
    turn: Turn
    # When it was asked, in microseconds on the database's clock.
    asked_at: int


# Called for each confirmed change, inside its transaction, with the service's row held.
React = Callable[[Result], None]


def judge_result(
    claim: Claim,
    order: Order,
    reply: Reply,
    *,
    asked_at: int,
    judgement: Judgement | None = None,
) -> Result:
    """`judgement` is that of a path of several requests, which were judged on the way."""
    judgement = judgement or judge(reply, order.expected.clauses, now=moment(asked_at))
    turn = take_turn(
        claim.standing,
        judgement,
        order.expected,
        at=max(asked_at, claim.slot_at),
        total=reply.phases.total if reply.is_timed and not was_delayed(reply) else None,
        patience=order.patience,
        patience_to_recover=order.patience_to_recover,
        silent_at=claim.silent_at,
        is_scheduled=claim.kind is Kind.SCHEDULED,
    )
    if order.schedule is not None and is_disputed(turn.standing):
        # Asking a job's newest report again costs nothing, and is what confirms it.
        turn = replace(turn, asks_again=True)
    return Result(
        claim=claim,
        order=order,
        reply=reply,
        judgement=judgement,
        turn=turn,
        asked_at=asked_at,
    )


def record(results: Sequence[Result], *, now: int, react: React) -> int:
    """Write a wave. Returns how many results were dropped because their claim was gone."""
    quiet = without_news(results)
    dropped = _record_quiet(quiet, now=now) if quiet else 0
    told = {result.claim.probe_id for result in quiet}
    for result in results:
        if result.claim.probe_id not in told:
            dropped += _record_change(result, now=now, react=react)
    return dropped


def without_news(results: Sequence[Result]) -> list[Result]:
    """Those without a change, and those that were only silent: well before, and well again.

    After a pause of ours that is every probe there is. To react to each of them by itself took so
    long that the next fell silent meanwhile. Where a path is asked from elsewhere too, a silence
    may have changed what is said of the path, and is reacted to.
    """
    silent = [result for result in results if result.turn.changes and _is_as_before(result)]
    elsewhere = _asked_elsewhere(silent) if silent else set()
    return [
        result
        for result in results
        if not result.turn.changes
        or (_is_as_before(result) and result.claim.probe_id not in elsewhere)
    ]


def _is_as_before(result: Result) -> bool:
    before, after = result.claim.standing, result.turn.standing
    calm = (State.PASSING, State.WARNING)
    return before.state in calm and after.state is before.state


def _asked_elsewhere(results: Sequence[Result]) -> set[int]:
    """Which of their probes are not the only one of their path in its environment."""
    paths = {result.order.path_id for result in results}
    probes = Probe.objects.filter(path_id__in=paths, ended_at=None)
    places = Counter(probes.values_list("path_id", "environment_id"))
    return {
        result.claim.probe_id
        for result in results
        if places[result.order.path_id, result.order.environment_id] > 1
    }


def _record_quiet(results: Sequence[Result], *, now: int) -> int:
    with transaction.atomic():
        written = _write(results, now=now)
        _note_changes(written)
    return len(results) - len(written)


def _record_change(result: Result, *, now: int, react: React) -> int:
    with transaction.atomic():
        # The service first: two probes of it recovering together must see each other.
        Service.objects.select_for_update().get(pk=result.order.service_id)
        if not _write([result], now=now):
            return 1
        _note_changes([result])
        react(result)
    return 0


def _note_changes(results: Sequence[Result]) -> None:
    changes = [
        StateChange(
            probe_id=result.claim.probe_id,
            at=change.at,
            before=change.before,
            after=change.after,
            reason=_text(change.reason, result.order),
        )
        for result in results
        for change in result.turn.changes
    ]
    if changes:
        StateChange.objects.bulk_create(changes)


def _write(results: Sequence[Result], *, now: int) -> list[Result]:
    """Move the schedule and the standing on, and store the observation, where the claim holds."""
    held = _move_on(sorted(results, key=lambda result: result.claim.probe_id), now=now)
    written = [result for result in results if result.claim.probe_id in held]
    if written:
        _observe(written)
    write_missed(missed for result in written if (missed := _missed(result, now)))
    if kept := [_exchange(result) for result in written if _is_worth_keeping(result)]:
        Exchange.objects.bulk_create(kept, ignore_conflicts=True)
    return written


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
COUNTED = {
    "counted_passing": Verdict.PASSING,
    "counted_warning": Verdict.WARNING,
    "counted_failing": Verdict.FAILING,
    "counted_errors": Verdict.ERROR,
}


def _move_on(results: Sequence[Result], *, now: int) -> set[int]:
    counts = ", ".join(
        f"{column} = {column} + CASE WHEN v.verdict = {verdict.value} THEN 1 ELSE 0 END"
        for column, verdict in COUNTED.items()
    )
    # Nothing of a result is in the text of the statement.
    statement = f"""
        UPDATE probes_probe SET
            claim_id = NULL, leased_until = NULL, leases_lost = 0,
            slot_at = v.slot,
            ask_now_at = COALESCE(v.again,
                CASE WHEN ask_now_at > v.asked THEN ask_now_at END),
            ask_now_kind = CASE WHEN v.again IS NULL THEN ask_now_kind
                ELSE {Kind.ASKED_AGAIN.value} END,
            state = v.state, state_since = v.since, streak_state = v.streak,
            recent = v.recent, reason = v.reason, windows = v.windows,
            observed_at = v.observed, latest = v.latest,
            {counts}, lateness_sum = lateness_sum + v.lateness
        FROM {MOVED.rows()}
        WHERE probes_probe.id = v.probe AND probes_probe.claim_id = v.claim
        RETURNING probes_probe.id"""  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(statement, [MOVED.text(_row(result, now) for result in results)])
        return {row[0] for row in cursor.fetchall()}


def _observe(results: Sequence[Result]) -> None:
    """Store the observations. One that is there already (a clock was set back) stays as it is."""
    statement = f"""
        INSERT INTO probes_observation ({OBSERVED.names})
        SELECT {OBSERVED.names} FROM {OBSERVED.rows()} WHERE true
        ON CONFLICT DO NOTHING"""  # noqa: S608 - names of this module only
    with connection.cursor() as cursor:
        cursor.execute(statement, [OBSERVED.text(map(_observation, results))])


def _row(result: Result, now: int) -> list[Any]:
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
        _text(standing.reason, result.order),
        standing.tally.dump(),
        standing.observed_at,
        json.dumps(_latest(result)),
        result.judgement.verdict,
        _lateness(result),
    ]


def _following(result: Result, now: int) -> int:
    claim = result.claim
    return grid_after(max(now, claim.slot_at), claim.interval, claim.spread_key)


def _missed(result: Result, now: int) -> Gap | None:
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


def _observation(result: Result) -> list[Any]:
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
            _text(result.judgement.reason, result.order),
            dump_steps(result.judgement.steps, lambda text: _text(text, result.order)),
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
            "got": _text(holding.got, result.order),
        }
        for holding in result.judgement.holdings
    ]
    steps = latest_steps(result.judgement.steps, lambda text: _text(text, result.order))
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


def _is_worth_keeping(result: Result) -> bool:
    """The replies of a path that is not passing: the first, those of a change, one a minute."""
    if result.judgement.verdict in (Verdict.PASSING, Verdict.ERROR):
        return False
    if result.reply.status is None and not result.reply.body:
        return False
    before = result.claim.standing
    is_first = before.streak_state is State.PASSING or bool(result.turn.changes)
    return is_first or (before.observed_at or 0) // MINUTE != result.asked_at // MINUTE


def _exchange(result: Result) -> Exchange:
    reply, order = result.reply, result.order
    return Exchange(
        probe_id=result.claim.probe_id,
        slot_at=result.claim.slot_at,
        status=reply.status,
        headers=[
            [name, "[hidden]" if name.lower() in HIDDEN_HEADERS else _text(value, order)]
            for name, value in reply.headers
        ],
        excerpt=_excerpt(reply.body, order),
    )


def _excerpt(body: bytes, order: Order) -> str:
    """The first 4 KiB as text. Masked before it is cut: half a secret is one too."""
    reach = EXCERPT_BYTES + max((len(secret) * 3 for secret in order.secrets), default=0)
    text = printable(order.mask(body[:reach].decode(errors="replace")))
    return text.encode()[:EXCERPT_BYTES].decode(errors="ignore")


def _text(text: str, order: Order) -> str:
    return printable(order.mask(text))[:LONGEST_REASON]


def printable(text: str) -> str:
    """Without the control characters a hostile far side may send; PostgreSQL refuses NUL."""
    if text.isprintable():
        return text
    return "".join(
        character if character in "\n\t" or character.isprintable() else "�" for character in text
    )
