"""Saying "still alive": only while claiming, recording and delivering each worked lately.

Whoever is told so at the address of choice notices when it stops, even when all of Opsboard has.
"""

import logging
from datetime import datetime

from django.conf import settings

from opsboard.outbound import alive
from opsboard.probes.models import microseconds
from opsboard.probes.orders import policy_of_this_place
from opsboard.probes.wellness import SECOND, Signs, read_signs, stopped

# Seconds. That a duty was done is noted every few of them: sooner nobody can tell.
NOTED_EVERY = 6.0

log = logging.getLogger(__name__)


def say_alive(*, now: datetime) -> list[str]:
    """Send the message, or say in the log why it is not sent. Returns what has stopped."""
    if not settings.ALIVE_URL:
        return []
    signs, at = read_signs(), microseconds(now)
    lately = max(settings.ALIVE_SECONDS, NOTED_EVERY)
    reasons = stopped(signs, now=at, max_age=round(lately * SECOND))
    if reasons:
        log.warning("no word of being alive is sent: %s", " ".join(reasons))
    elif trouble := alive.say(settings.ALIVE_URL, _facts(signs, at), policy=policy_of_this_place()):
        log.warning("OPSBOARD_ALIVE_URL did not take the word of being alive: %s", trouble)
    return reasons


def _facts(signs: Signs, at: int) -> dict[str, object]:
    """How many seconds ago each duty was last done; null: nothing is being watched."""
    times = {
        "claimed": signs.claimed_at,
        "recorded": signs.newest_at,
        "delivered": signs.delivered_at,
    }
    ages = {
        f"{name}_seconds_ago": None if last is None else round((at - last) / SECOND, 1)
        for name, last in times.items()
    }
    return {"opsboard": settings.URL, "alive": True, **ages}
