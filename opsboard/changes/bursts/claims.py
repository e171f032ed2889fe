"""Which worker asks a burst: a short lease in the database, by its clock, taken by one statement.

Between two turns `leased_until` is when it may be asked on, so that its pace outlasts a turn.
"""

import secrets
import time
from dataclasses import dataclass

from django.db.models import F, Q

from opsboard.changes.models import Burst
from opsboard.probes.models import Shift
from opsboard.probes.schedule import database_now
from opsboard.probes.sight import BLIND, NOTED_LASTS
from opsboard.services.models import SECOND

# Kept up every second: whoever is killed holds it for some seconds at most.
LEASE = 5 * SECOND
# Longer than any pause between two requests of a burst.
LONGEST_PAUSE = 600 * SECOND
# A lease that ends later than this was given by a clock that has since been set back. The minute
# is for a claim that began a moment before another, and finds that one's newest lease.
IMPOSSIBLE = LONGEST_PAUSE + 60 * SECOND


@dataclass(frozen=True, slots=True)
class BurstClaim:
    burst_id: int
    claim_id: int
    # The database's time of the claim, and local monotonic seconds minus it.
    at: int
    offset: float


def claim(location: str) -> BurstClaim | None:
    """Take the burst that has waited longest. None: none is due, or one is asked there already.

    One at a time leaves the other workers of a location to its drains.
    """
    running = Burst.objects.filter(location=location, finished_at=None)
    if not running.exists():
        return None
    now = database_now()
    offset = time.monotonic() - now / SECOND
    under_way = running.filter(claim_id__isnull=False, leased_until__gt=now)
    if under_way.filter(leased_until__lte=now + IMPOSSIBLE).exists() or _is_blind(location, now):
        return None
    due = running.filter(is_free(now)).order_by(F("leased_until").asc(nulls_first=True), "pk")
    for burst_id in due.values_list("pk", flat=True)[:10]:
        claim_id = secrets.randbits(62)
        free = running.filter(is_free(now), pk=burst_id)
        if free.update(claim_id=claim_id, leased_until=now + LEASE):
            return BurstClaim(burst_id, claim_id, now, offset)
    return None


def is_free(now: int) -> Q:
    """Nobody asks it, and it may be asked."""
    is_over = Q(leased_until__lte=now) | Q(leased_until__gt=now + IMPOSSIBLE)
    return Q(leased_until=None) | is_over


def _is_blind(location: str, now: int) -> bool:
    """This location's own network is away: what came of a request would say nothing."""
    noted = Shift.objects.filter(duty=BLIND + location, claimed_at__gt=now - NOTED_LASTS)
    return noted.exists()
