"""One worker's turn at one burst: a request at a time, evenly paced, each answer written at once.

The requests go the probes' way: the same policy, secrets, pass, token and trace, and the sheet's
clauses say whether an answer is wrong.
"""

import time
from collections.abc import Callable

from opsboard.changes.bursts.asking import BurstAsker
from opsboard.changes.bursts.claims import LEASE, LONGEST_PAUSE, BurstClaim
from opsboard.changes.bursts.orders import (
    Questions,
    questions_of,
    requests_of,
    why_not_asked,
)
from opsboard.changes.bursts.writing import BurstBook
from opsboard.changes.models import Burst, Change
from opsboard.changes.sealing import why_not_the_same
from opsboard.changes.sides import why_closed
from opsboard.probes.models import moment
from opsboard.services.models import SECOND

# Then the next bell takes it on, or another burst.
TURN_SECONDS = 10.0
RENEW_EVERY = LEASE / SECOND / 5
LOOK_EVERY = 0.05


def take_turn(claim: BurstClaim, *, is_stopping: Callable[[], bool]) -> None:
    """Ask for some seconds, then end the burst or give it back."""
    burst = Burst.objects.select_related(
        "window__comparison__change__service",
        "window__comparison__change__path__service",
        "window__comparison__change__control__service",
        "window__comparison__change__environment",
    )
    found = (
        burst.prefetch_related("window__comparison__change__environment__variables")
        .filter(pk=claim.burst_id)
        .first()
    )
    if found is None:
        return
    book = BurstBook(claim, found)
    if why := _why_ended(found, claim.at):
        book.end(why)
        return
    change: Change = found.window.comparison.change
    questions = questions_of(change, found.location)
    with BurstAsker(claim.offset, keep=_at_times(book.keep), is_stopping=is_stopping) as asker:
        free_at = _ask(book, questions, asker, rate=change.rate, is_stopping=is_stopping)
    book.give_back(round((free_at - claim.offset) * SECOND))


def _why_ended(burst: Burst, now: int) -> str:
    comparison = burst.window.comparison
    change: Change = comparison.change
    return (
        why_closed(burst.window, now=moment(now))
        or why_not_asked(change)
        or why_not_the_same(comparison)
    )


def _ask(
    book: BurstBook,
    questions: Questions,
    asker: BurstAsker,
    *,
    rate: float,
    is_stopping: Callable[[], bool],
) -> float:
    """Returns when the next request may start, in monotonic seconds."""
    at = began = time.monotonic()
    renew = _at_times(book.renew)
    while at < began + TURN_SECONDS and _waits(at, renew, is_stopping):
        question = questions.following(book.of_path, book.of_control)
        order = question.nth(book.of_control if question.is_control else book.of_path)
        answer, started = asker.ask(order, is_control=question.is_control, at=at)
        at = following(started, requests_of(order), rate, now=time.monotonic())
        if answer is None or not book.write(answer):
            break
    return at


def following(started: float, requests: int, rate: float, *, now: float) -> float:
    """When the next may start: as long after this one as its requests take at this rate.

    What was late is not caught up.
    """
    return max(now, started + min(requests / rate, LONGEST_PAUSE / SECOND))


def _waits(until: float, renew: Callable[[], bool], is_stopping: Callable[[], bool]) -> bool:
    """False: told to stop, stopped by somebody, or no longer ours."""
    while (left := until - time.monotonic()) > 0:
        if is_stopping() or not renew():
            return False
        time.sleep(min(left, LOOK_EVERY))
    return not is_stopping()


def _at_times(do: Callable[[], bool]) -> Callable[[], bool]:
    """The same, once in a while; in between it was well."""
    next_at = time.monotonic() + RENEW_EVERY

    def at_times() -> bool:
        nonlocal next_at
        if time.monotonic() < next_at:
            return True
        next_at = time.monotonic() + RENEW_EVERY
        return do()

    return at_times
