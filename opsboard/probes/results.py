"""A probe turn with what it came to: the reply, its judgement, and the standing after it."""

from dataclasses import dataclass, replace

from opsboard.expectations.facts import was_delayed
from opsboard.outbound.reply import Reply
from opsboard.probes.models import Kind, moment
from opsboard.probes.orders import Order
from opsboard.probes.rules import Judgement, Turn, is_disputed, judge, take_turn
from opsboard.probes.schedule import Claim


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


def judge_result(
    claim: Claim, order: Order, reply: Reply, *, asked_at: int, judgement: Judgement | None = None
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
        claim=claim, order=order, reply=reply, judgement=judgement, turn=turn, asked_at=asked_at
    )
