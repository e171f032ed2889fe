"""Asking now, for somebody who waits: one path or all of a service. Nothing is recorded."""

import difflib
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from queue import Empty

from opsboard.expectations.holding import hold
from opsboard.outbound.http import Asker, ask_once
from opsboard.outbound.reply import Failure, Reply
from opsboard.probes.beats import listen
from opsboard.probes.models import Probe, microseconds
from opsboard.probes.orders import Order, compile_order
from opsboard.probes.rules import Judgement, judge
from opsboard.probes.walkers import Walker
from opsboard.probes.walking import Walk
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
        return _judged(order, order.refusal(), now=now)
    if order.schedule is not None:
        [reply] = listen([order], now=microseconds(now)).values()
        return _judged(order, reply, now=now)
    walk = order.walk_for(microseconds(now), now=now)
    if walk is None:
        ask = order.ask_for(microseconds(now), now=now)
        return _judged(order, ask_once(ask, policy=order.policy), now=now)
    following = walk.begin()
    while following:
        following = walk.hear(ask_once(following, policy=order.policy))
    return _walked(order, walk)


def ask_all(
    orders: Sequence[Order], *, now: datetime, within: int = ALL_WITHIN
) -> list[tuple[Reply, Judgement]]:
    """Ask many at once and wait, `within` microseconds at most. In the order of `orders`."""
    jobs = listen(orders, now=microseconds(now))
    heard = _heard(orders, now=now, within=within)
    return [
        heard.get(at) or _judged(order, _unasked(order, jobs), now=now)
        for at, order in enumerate(orders)
    ]


def _heard(
    orders: Sequence[Order], *, now: datetime, within: int
) -> Mapping[int, tuple[Reply, Judgement]]:
    """By the place in `orders`. What was not answered in time is missing."""
    asker, heard = Asker(max_open=MOST_OPEN), dict[int, tuple[Reply, Judgement]]()
    walkers: dict[int, Walker] = {}
    ends_at = time.monotonic() + within / SECOND
    # A little less than all the time: their own timeout is told better than ours.
    bound, slot_at = within - SECOND // 2, microseconds(now)
    asker.start()
    try:
        for at, order in enumerate(orders):
            if order.problem or order.schedule is not None:
                continue
            if walk := order.walk_for(slot_at, now=now, within=bound):
                walkers[at] = Walker(walk, asker, order.policy)
                walkers[at].begin(at, at=time.monotonic())
                continue
            ask = order.ask_for(slot_at, now=now)
            ask = replace(ask, timeout=min(ask.timeout, bound))
            asker.ask(ask, policy=order.policy, at=time.monotonic(), key=at)
        while (asker.in_flight or not asker.replies.empty()) and time.monotonic() < ends_at:
            with suppress(Empty):
                key, started, reply = asker.replies.get(timeout=_LOOK_UP)
                at = int(str(key))
                if at not in walkers:
                    heard[at] = _judged(orders[at], reply, now=now)
                elif not walkers[at].goes_on(at, started, reply):
                    heard[at] = _walked(orders[at], walkers[at].walk)
    finally:
        asker.abandon()
        asker.stop()
    return heard


def _unasked(order: Order, jobs: Mapping[tuple[int, int], Reply]) -> Reply:
    """Of an order that nobody was asked for: refused, a job that reports, or out of time."""
    if order.problem:
        return order.refusal()
    return jobs.get((order.path_id, order.environment_id), _LATE)


def _judged(order: Order, reply: Reply, *, now: datetime) -> tuple[Reply, Judgement]:
    clauses = (*order.expected.clauses, *order.expected.windowed)
    return reply, judge(reply, clauses, now=now)


def _walked(order: Order, walk: Walk) -> tuple[Reply, Judgement]:
    reply, judgement = walk.finish()
    windowed = (hold(clause, judgement.facts, reply) for clause in order.expected.windowed)
    return reply, replace(judgement, holdings=(*judgement.holdings, *windowed))
