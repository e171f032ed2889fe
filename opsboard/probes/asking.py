"""Asking now, for somebody who waits: one path or all of a service. Nothing is recorded."""

import difflib
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from queue import Empty

from opsboard.outbound.http import Asker, ask_once
from opsboard.outbound.reply import Ask, Failure, Reply
from opsboard.probes.beats import listen
from opsboard.probes.models import Probe, microseconds
from opsboard.probes.orders import Order, compile_order
from opsboard.probes.rules import Judgement, judge
from opsboard.services.models import SECOND, CriticalPath, Environment

# All paths of a service at once: somebody, and a thread of the server, waits as long at most.
ALL_WITHIN = 25 * SECOND
MOST_OPEN = 50
_LOOK_UP = 0.05
_LATE = Reply(
    failure=Failure.INTERNAL,
    detail=f"There was no time to ask this path: all of them have {ALL_WITHIN // SECOND} s.",
    is_ours=True,
)


class NowhereToAskError(Exception):
    """The path is not asked in that environment; the message is one sentence that says where."""


def place_of(path: CriticalPath, wanted: str | None) -> Environment:
    """Where to ask: as wanted, else in production, else in the only one. Reads its variables.

    Raises NowhereToAskError.
    """
    standing = path.service.environments.standing().order_by("slug")
    places = path.asked_in(standing.prefetch_related("variables"))
    slugs = [place.slug for place in places]
    if not places:
        raise NowhereToAskError(f"{path.service.slug} runs nowhere yet: add an environment first.")
    if wanted is None and len(places) > 1 and "production" not in slugs:
        raise NowhereToAskError(f"Say which environment: {' or '.join(slugs)}.")
    slug = wanted or ("production" if "production" in slugs else slugs[0])
    if slug not in slugs:
        raise NowhereToAskError(f"{path.slug} is not asked in {slug}. {did_you_mean(slug, slugs)}")
    return places[slugs.index(slug)]


def did_you_mean(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.4) or list(known)[:10]
    return f"Did you mean {' or '.join(near)}?" if near else "There are none yet."


def order_now(path: CriticalPath, place: Environment) -> Order:
    """As a worker would have it, of the sheet as it stands."""
    return compile_order(Probe(path=path, environment=place))


def ask_order(order: Order, *, now: datetime) -> tuple[Reply, Judgement]:
    if order.problem:
        reply = order.refusal()
    elif order.schedule is not None:
        reply = listen([order], now=microseconds(now))[order.path_id, order.environment_id]
    else:
        reply = ask_once(order.ask_for(microseconds(now), now=now), policy=order.policy)
    return reply, judged(order, reply, now=now)


def ask_all(
    orders: Sequence[Order], *, now: datetime, within: int = ALL_WITHIN
) -> list[tuple[Reply, Judgement]]:
    """Ask many at once and wait, `within` microseconds at most. In the order of `orders`."""
    replies = _replies(orders, now=now, within=within)
    jobs = listen(orders, now=microseconds(now))
    heard = [
        order.refusal()
        if order.problem
        else jobs.get((order.path_id, order.environment_id)) or replies.get(at, _LATE)
        for at, order in enumerate(orders)
    ]
    return [
        (reply, judged(order, reply, now=now)) for order, reply in zip(orders, heard, strict=True)
    ]


def _replies(orders: Sequence[Order], *, now: datetime, within: int) -> Mapping[int, Reply]:
    """By the place in `orders`. What was not answered in time is missing."""
    asker, replies = Asker(max_open=MOST_OPEN), dict[int, Reply]()
    ends_at = time.monotonic() + within / SECOND
    asker.start()
    try:
        for at, order in enumerate(orders):
            if not order.problem and order.schedule is None:
                ask = _bounded(order.ask_for(microseconds(now), now=now), within)
                asker.ask(ask, policy=order.policy, at=time.monotonic(), key=at)
        while (asker.in_flight or not asker.replies.empty()) and time.monotonic() < ends_at:
            with suppress(Empty):
                key, _, reply = asker.replies.get(timeout=_LOOK_UP)
                replies[int(str(key))] = reply
    finally:
        asker.abandon()
        asker.stop()
    return replies


def _bounded(ask: Ask, within: int) -> Ask:
    # A little less than all the time: its own timeout is told better than ours.
    return replace(ask, timeout=min(ask.timeout, within - SECOND // 2))


def judged(order: Order, reply: Reply, *, now: datetime) -> Judgement:
    return judge(reply, (*order.expected.clauses, *order.expected.windowed), now=now)
