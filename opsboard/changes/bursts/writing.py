"""What is written of a burst while a worker has it: every write holds the lease, or is none."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from opsboard.changes.bursts.claims import LEASE, BurstClaim
from opsboard.changes.collecting import since_of
from opsboard.changes.models import Burst, Change, Sample, Window
from opsboard.changes.sides import why_closed
from opsboard.probes.models import microseconds, moment
from opsboard.probes.schedule import database_now

MOST_TROUBLES = 10
LONGEST_TROUBLE = 300
# Before how many errors of ours came in a row, which a new turn goes on counting.
TROUBLES = "Errors of Opsboard itself in a row: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer, as a sample keeps it."""

    is_control: bool
    # Microseconds on the database's clock.
    at: int
    latency: int
    # Its place in opsboard.probes.stored.CACHE.
    cache: int
    is_ok: bool
    db_calls: int | None
    # Why it says nothing of the far side and is no sample; "": it is one.
    own_trouble: str = ""


@dataclass
class BurstBook:
    """A burst that this worker has claimed. Methods answer whether it goes on."""

    claim: BurstClaim
    burst: Burst
    # Samples that its window has of the path and of the control path, the warm-up's too.
    of_path: int = field(init=False)
    of_control: int = field(init=False)

    def __post_init__(self) -> None:
        held = self.burst.window.collected
        self.of_control = held.filter(is_control=True).count()
        self.of_path = held.filter(is_control=False).count()

    def renew(self) -> bool:
        """Keep the lease up while nothing is written. Not of a burst that somebody stopped."""
        standing = self._held.filter(stopped_at=None)
        return bool(standing.update(leased_until=database_now() + LEASE))

    def keep(self) -> bool:
        """Like `renew`, also of a stopped one: what is in flight is let end."""
        return bool(self._held.update(leased_until=database_now() + LEASE))

    @transaction.atomic
    def write(self, answer: Answer) -> bool:
        # Whoever seals the window holds the change too: nothing is added to what is sealed.
        Change.objects.select_for_update().filter(pk=self._change.pk).first()
        burst = self._held.select_related(
            "window__comparison__change__path",
            "window__comparison__change__service",
            "window__comparison__change__environment",
        ).first()
        if burst is None:
            return False
        now = database_now()
        if why := why_closed(burst.window, now=moment(now)):
            return self._end(burst, now, why)
        if not answer.own_trouble:
            self._add(burst, answer)
        if self._is_done(burst) or burst.stopped_at is not None:
            return self._end(burst, now)
        if answer.own_trouble:
            return self._take_trouble(burst, answer.own_trouble, now)
        self._held.update(asked=burst.asked, trouble="", leased_until=now + LEASE)
        return True

    def end(self, why: str) -> None:
        self._end(self.burst, database_now(), why)

    def give_back(self, free_at: int) -> None:
        """For any worker to go on from `free_at`; the end of one that was stopped."""
        stopped = self._held.filter(stopped_at__isnull=False)
        stopped.update(finished_at=moment(database_now()), claim_id=None, leased_until=None)
        self._held.update(claim_id=None, leased_until=free_at)

    @property
    def _held(self) -> QuerySet[Burst]:
        claim = self.claim
        return Burst.objects.filter(pk=claim.burst_id, claim_id=claim.claim_id, finished_at=None)

    @property
    def _change(self) -> Change:
        change: Change = self.burst.window.comparison.change
        return change

    def _add(self, burst: Burst, answer: Answer) -> None:
        Sample.objects.create(
            window=burst.window,
            is_control=answer.is_control,
            at=answer.at,
            latency=answer.latency,
            cache=answer.cache,
            is_ok=answer.is_ok,
            db_calls=answer.db_calls,
        )
        if answer.is_control:
            self.of_control += 1
            return
        burst.asked += self._counts(burst, answer.at)
        self.of_path += 1

    def _counts(self, burst: Burst, at: int) -> bool:
        """It is not of the warm-up, which lasts for a time or a number of samples."""
        window, fewest = burst.window, self._change.warm_up_samples
        if window.side == Window.Side.BEFORE:
            return True
        since = microseconds(since_of(window, self._change))
        held = window.collected.filter(is_control=False, at__gte=since, at__lt=at)
        is_past = at >= microseconds(window.starts_at)
        return is_past and (not fewest or held.order_by("at")[fewest - 1 : fewest].exists())

    def _is_done(self, burst: Burst) -> bool:
        is_even = self._change.control_id is None or self.of_control >= self.of_path
        return burst.asked >= burst.wanted and is_even

    def _take_trouble(self, burst: Burst, trouble: str, now: int) -> bool:
        count = _troubles_in(burst.trouble) + 1
        told = f"{TROUBLES}{count}. {trouble}"[:LONGEST_TROUBLE]
        if count >= MOST_TROUBLES:
            return self._end(burst, now, told)
        self._held.update(trouble=told, leased_until=now + LEASE)
        return True

    def _end(self, burst: Burst, now: int, why: str = "") -> bool:
        is_short = burst.asked < burst.wanted
        ended: datetime = moment(now)
        self._held.update(
            asked=burst.asked,
            trouble=why[:LONGEST_TROUBLE] if is_short else "",
            finished_at=ended,
            claim_id=None,
            leased_until=None,
        )
        return False


def _troubles_in(told: str) -> int:
    if not told.startswith(TROUBLES):
        return 0
    return int(told.removeprefix(TROUBLES).partition(".")[0])
