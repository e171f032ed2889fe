"""One request of a burst, or the few that its sheet takes: asked, waited for and judged."""

import itertools
import logging
import time
from collections.abc import Callable
from queue import Empty
from types import TracebackType
from typing import Self

from opsboard.changes.bursts.writing import Answer
from opsboard.changes.files import MOST_CALLS
from opsboard.expectations.facts import was_delayed
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Failure, Reply
from opsboard.probes.models import moment
from opsboard.probes.orders import Order
from opsboard.probes.rules import Judgement, Verdict, judge
from opsboard.probes.stored import CACHE
from opsboard.probes.walkers import Walker
from opsboard.services.models import SECOND

log = logging.getLogger(__name__)

LOOK_EVERY = 0.05
# How long a path of several steps may clean up when this worker is told to stop.
LAST_WAIT = 1.0
MOST_LATENCY = 2**31 - 1
LATE = "Opsboard was too busy to time the answer: start another worker."
OURS = Reply(
    failure=Failure.INTERNAL,
    detail="Opsboard could not judge this reply: see its log.",
    is_ours=True,
)


class BurstAsker:
    """Asks one at a time, as a context: leaving it breaks off what is under way."""

    def __init__(
        self, offset: float, *, keep: Callable[[], bool], is_stopping: Callable[[], bool]
    ) -> None:
        """`offset` is monotonic seconds minus the database's; `keep` says whether the burst is
        still ours, and is asked all the time."""
        self._offset = offset
        self._keep = keep
        self._is_stopping = is_stopping
        self._asker = Asker(max_open=1)
        self._keys = itertools.count()

    def __enter__(self) -> Self:
        self._asker.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._asker.stop()

    def ask(self, order: Order, *, is_control: bool, at: float) -> tuple[Answer | None, float]:
        """Ask at monotonic time `at`. Returns the answer and when its asking really started.

        None: told to stop, or the burst is no longer ours; nothing may be made of it.
        """
        if order.problem:
            return self._answer(order, order.refusal(), at, is_control=is_control), at
        slot_at = self._on_the_database(at)
        key = next(self._keys)
        if walk := order.walk_for(slot_at, now=moment(slot_at)):
            walker = Walker(walk, self._asker, order.policy)
            walker.begin(key, at=at)
            if (heard := self._walked(walker, key)) is None:
                return None, walker.started or at
            reply, judgement = heard
            started = walker.started
        else:
            ask = order.ask_for(slot_at, now=moment(slot_at))
            self._asker.ask(ask, policy=order.policy, at=at, key=key)
            if (found := self._next(key)) is None:
                return None, at
            started, reply = found
            judgement = None
        answer = self._answer(order, reply, started, is_control=is_control, judgement=judgement)
        return answer, started

    def _next(self, key: object) -> tuple[float, Reply] | None:
        while self._keep() and not self._is_stopping():
            if found := self._heard(key):
                return found
        return None

    def _heard(self, key: object) -> tuple[float, Reply] | None:
        try:
            found, started, reply = self._asker.replies.get(timeout=LOOK_EVERY)
        except Empty:
            return None
        return (started, reply) if found == key else None

    def _walked(self, walker: Walker, key: object) -> tuple[Reply, Judgement] | None:
        """Walk to the end. Told to stop, only what cleans up is asked yet, for a second."""
        deadline, cleaning = 0.0, next(self._keys)
        while self._keep():
            if self._is_stopping():
                deadline = deadline or time.monotonic() + LAST_WAIT
                walker.walk.wind_up()
                if (left := deadline - time.monotonic()) <= 0:
                    return None
                if left < LAST_WAIT / 2 and key != cleaning:
                    key = cleaning if walker.breaks_off(cleaning, left=left) else key
            if (found := self._heard(key)) and not walker.goes_on(key, *found):
                return None if walker.walk.is_cut_short else walker.walk.finish()
        return None

    def _answer(
        self,
        order: Order,
        reply: Reply,
        started: float,
        *,
        is_control: bool,
        judgement: Judgement | None = None,
    ) -> Answer:
        at = self._on_the_database(started)
        if judgement is None:
            judgement = _judged(order, reply, at)
        facts = judgement.facts
        trouble = ""
        if judgement.verdict is Verdict.ERROR:
            trouble = order.mask(judgement.reason)
        elif was_delayed(reply):
            trouble = LATE
        return Answer(
            is_control=is_control,
            at=at,
            latency=min(max(1, reply.phases.total), MOST_LATENCY),
            cache=CACHE.index(facts.cache),
            is_ok=not judgement.is_wrong,
            db_calls=None if facts.db_calls is None else min(facts.db_calls, MOST_CALLS),
            own_trouble=trouble,
        )

    def _on_the_database(self, monotonic: float) -> int:
        return round((monotonic - self._offset) * SECOND)


def _judged(order: Order, reply: Reply, at: int) -> Judgement:
    try:
        return judge(reply, order.expected.clauses, now=moment(at))
    except Exception:
        # A bug of ours in judging one reply is no verdict on the far side.
        log.exception("could not judge a reply of a burst on path %s", order.path_id)
        return judge(OURS, (), now=moment(at))
