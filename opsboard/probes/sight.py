"""Keeping results of our own blindness from becoming verdicts on the services.

A result that the network may have failed waits, for seconds at most, until we have looked at our
own side: `surroundings.look_around`, in a thread of its own. What was asked before a look that
found us well is the far side's. What `blindness` explains becomes an error of our own, until a look
finds us well again. Which locations are blind stands in the table of shifts, for the pages.
"""

import json
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from django.conf import settings
from django.db.models import Q

from opsboard.outbound.looked import Looked
from opsboard.outbound.reply import Failure
from opsboard.outbound.surroundings import look_around
from opsboard.outbound.targets import BadTargetError, read_target
from opsboard.probes.blindness import HANDFUL, NETWORK, Cause, Seen, explains, opinion, reason
from opsboard.probes.models import Probe, Shift
from opsboard.probes.results import Result, judge_result
from opsboard.probes.rules import State, Verdict

SECOND = 1_000_000
# Microseconds between two looks: while something is in doubt, and while we are blind.
LOOK_EVERY = SECOND
LOOK_AGAIN_EVERY = 2 * SECOND
NOTE_EVERY = SECOND
# Before the name of a location that is blind, in the table of shifts.
BLIND = "blind:"
# What was noted last so long ago is not so any more.
NOTED_LASTS = 60 * SECOND
# Of the probes asked last so many are counted at most.
_MOST_COUNTED = 500
# Of these causes a look says nothing without a failure of their kind.
_OF_ONE_KIND = {
    Cause.NO_RESOLVER: frozenset({Failure.DNS}),
    Cause.NO_ROUTE: frozenset({Failure.UNREACHABLE}),
}
_HERE = ("://127.", "://localhost", "://[::1]")


class _Look(threading.Thread):
    def __init__(self, began: int) -> None:
        super().__init__(name="look around", daemon=True)
        self.began = began
        self.found: Looked | None = None

    def run(self) -> None:
        self.found = look_around(settings.CANARIES)


@dataclass
class Sight:
    """One drain's opinion of its own eyes. All times are microseconds on the database's clock."""

    location: str
    cause: Cause | None = None
    # What was asked before this moment, and failed, was seen by eyes that are well.
    clear_at: int = 0
    looked_at: int = 0
    noted_at: int = 0
    look: _Look | None = None
    is_recalled: bool = False

    def part(self, results: list[Result], *, now: int) -> tuple[list[Result], list[Result]]:
        """Those that may be written now, and those that have to wait for a look."""
        self._recall(now)
        self._take_look(results)
        ready = [self._seen_well(result) for result in results]
        waiting = [result for result in ready if self._is_in_doubt(result)]
        if waiting or self.cause:
            self._look_around(now)
            self._note(now)
        if not waiting:
            return ready, []
        return [result for result in ready if not self._is_in_doubt(result)], waiting

    def _is_in_doubt(self, result: Result) -> bool:
        """It may be ours, would change what is believed, and nobody has looked since."""
        if result.asked_at <= self.clear_at or not _may_be_ours(result):
            return False
        return result.claim.standing.streak_state is not State.FAILING

    def _seen_well(self, result: Result) -> Result:
        """The result as it is; an error of our own where our blindness explains it."""
        if self.cause is None or not _may_be_ours(result, self.cause):
            return result
        why = reason(self.cause, self.location)
        ours = replace(result.reply, is_ours=True, detail=why)
        return judge_result(result.claim, result.order, ours, asked_at=result.asked_at)

    # Looking.

    def _look_around(self, now: int) -> None:
        every = LOOK_AGAIN_EVERY if self.cause else LOOK_EVERY
        if self.look is None and not 0 <= now - self.looked_at < every:
            self.looked_at = now
            self.look = _Look(now)
            self.look.start()

    def _take_look(self, results: Sequence[Result]) -> None:
        if self.look is None or self.look.is_alive():
            return
        look, self.look = self.look, None
        # A look that broke off found nothing wanting.
        looked = look.found or Looked()
        cause = self._opinion(results, looked)
        if cause is None:
            self.clear_at = look.began
        if cause is not self.cause:
            self.cause, self.noted_at = cause, 0
            self._forget()

    def _opinion(self, results: Sequence[Result], looked: Looked) -> Cause | None:
        doubted = [result for result in results if _may_be_ours(result)]
        failures = frozenset(result.reply.failure for result in doubted if result.reply.failure)
        # What it explains fails on, whether or not anything came in just now.
        if self.cause:
            failures |= _OF_ONE_KIND.get(self.cause, frozenset())
        since = min((result.asked_at for result in doubted), default=None)
        is_counted = looked.names_canaries and not looked.canary_answers
        seen = count(self.location, results, since=since) if is_counted else Seen(0, 0, 0)
        return opinion(failures, seen, looked)

    # What other processes, and the pages, know of it.

    def _recall(self, now: int) -> None:
        """The drain before this one may have been blind."""
        if self.is_recalled:
            return
        self.is_recalled = True
        noted = Shift.objects.filter(duty=BLIND + self.location, claimed_at__gt=now - NOTED_LASTS)
        if (row := noted.first()) and row.instance in list(Cause):
            self.cause = Cause(row.instance)

    def _note(self, now: int) -> None:
        if self.cause is None or now - self.noted_at < NOTE_EVERY:
            return
        self.noted_at = now
        duty, instance = BLIND + self.location, self.cause.value
        Shift.objects.bulk_create(
            [Shift(duty=duty, instance=instance, began_at=now, claimed_at=now)],
            update_conflicts=True,
            unique_fields=["duty", "instance"],
            update_fields=["claimed_at"],
        )

    def _forget(self) -> None:
        Shift.objects.filter(duty=BLIND + self.location).delete()


def _may_be_ours(result: Result, cause: Cause | None = None) -> bool:
    """The network may have failed it; with a cause: that may have."""
    failure = result.reply.failure
    if result.judgement.verdict is not Verdict.FAILING or failure not in NETWORK:
        return False
    return (cause is None or explains(cause, failure)) and not _is_here(result.order.ask.url)


@lru_cache(maxsize=4096)
def _is_here(url: str) -> bool:
    """On this machine: no network is needed to get there."""
    try:
        host = read_target(url.encode()).host
    except BadTargetError:
        return False
    return any(f"://{host}".startswith(here) for here in _HERE)


def count(location: str, results: Iterable[Result], *, since: int | None) -> Seen:
    """The probes asked since then, at least the newest few; what is in hand counts before what is
    stored. `since` None: only the newest few."""
    here = Q()
    for words in _HERE:
        here |= Q(environment__base_url__contains=words)
    watched = Probe.objects.active().filter(location=location).exclude(here)
    asked = watched.filter(observed_at__isnull=False).order_by("-observed_at")
    turns: dict[int, tuple[int, bool]] = {
        pk: (at or 0, json.loads(latest).get("failure") in list(NETWORK))
        for pk, at, latest in asked.values_list("pk", "observed_at", "latest")[:_MOST_COUNTED]
    }
    for result in results:
        if not _is_here(result.order.ask.url):
            turns[result.claim.probe_id] = (result.asked_at, result.reply.failure in NETWORK)
    newest = sorted(turns.values(), reverse=True)
    recent = [turn for turn in newest if since is not None and turn[0] >= since]
    counted = recent if len(recent) >= HANDFUL else newest[:HANDFUL]
    failed = sum(has_failed for _, has_failed in counted)
    return Seen(asked=len(counted), failed=failed, watched=watched.count())
