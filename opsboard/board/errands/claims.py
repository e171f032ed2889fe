"""Which worker does an errand: a short lease in the database, by its clock, taken by one statement.

A worker that died holds it for some seconds. One that comes back late finds its claim gone, and
what it did is undone with its transaction.
"""

import secrets
from dataclasses import dataclass

from django.db.models import F, Q

from opsboard.board.models import Errand
from opsboard.probes.models import moment
from opsboard.probes.schedule import database_now
from opsboard.services.models import SECOND

# Kept up by every word of progress.
LEASE = 30 * SECOND
# A lease that ends later than this was given by a clock that has since been set back.
IMPOSSIBLE = LEASE + 60 * SECOND
# Then something in it ends the workers: it is not begun again.
MOST_TRIES = 3
TOO_OFTEN = (
    f"It was begun {MOST_TRIES} times, and each time what did it stopped before the end. Nothing "
    "of it was changed. Its log says why."
)


@dataclass(frozen=True, slots=True)
class ErrandClaim:
    errand_id: int
    claim_id: int


def claim() -> ErrandClaim | None:
    """Take the errand that waits longest. None: none does."""
    open_ones = Errand.objects.under_way()
    if not open_ones.exists():
        return None
    now = database_now()
    _give_up_those_tried_too_often(now)
    waiting = open_ones.filter(is_free(now))
    if open_ones.exclude(is_free(now)).filter(kind=Errand.Kind.APPLY).exists():
        # One apply at a time: another would only read its files to learn that.
        waiting = waiting.exclude(kind=Errand.Kind.APPLY)
    for errand_id in waiting.order_by("asked_at", "pk").values_list("pk", flat=True)[:10]:
        if claimed := take(errand_id, now):
            return claimed
    return None


def take(errand_id: int, now: int) -> ErrandClaim | None:
    """None: somebody else was first. `now` by the database's clock."""
    claim_id = secrets.randbits(62)
    free = Errand.objects.under_way().filter(is_free(now), pk=errand_id)
    taken = free.update(
        claim_id=claim_id,
        leased_until=now + LEASE,
        started_at=moment(now),
        tries=F("tries") + 1,
        phase="",
    )
    return ErrandClaim(errand_id, claim_id) if taken else None


def is_free(now: int) -> Q:
    is_over = Q(leased_until__lte=now) | Q(leased_until__gt=now + IMPOSSIBLE)
    return Q(leased_until=None) | is_over


def _give_up_those_tried_too_often(now: int) -> None:
    lost = Errand.objects.under_way().filter(is_free(now), tries__gte=MOST_TRIES)
    lost.update(failed_at=moment(now), outcome=TOO_OFTEN, claim_id=None, leased_until=None)
