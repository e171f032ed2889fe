"""The likely cause of a failure, in sentences: what was released before it, and what moved with it.

Pure. It is stored in Incident.cause as {"sentence", "deploy", "moved", "at"}.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from opsboard.expectations.units import format_duration

LOOK_BACK = timedelta(hours=24)
NOTHING = "Nothing was released in 24 h; going back may not help."
COMMIT = re.compile(r"[0-9a-f]{20,64}")
# Fewer than this are counted, not turned into a percentage.
ENOUGH_FOR_PERCENT = 20
# Fewer before than this say nothing about what was usual.
ENOUGH_BEFORE = 5
# What moved less is lost in the noise: half as much again, and so much at least.
FACTOR = 1.5
LEAST_TIME = 20_000
LEAST_CALLS = 2
LEAST_POINTS = 10
PHASES = {
    "dns": "Looking up the name",
    "connect": "Connecting",
    "tls": "The TLS handshake",
    "first_byte": "First byte",
    "transfer": "The download",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A deploy, release or change that is known."""

    kind: str
    name: str
    service: str
    at: datetime
    url: str = ""
    # It was only seen to run, at the latest so long after it began to.
    seen_within: timedelta = timedelta()
    # The first that was ever seen there: it may have run for a year.
    is_first_seen: bool = False

    def is_before(self, began_at: datetime) -> bool:
        return began_at - LOOK_BACK <= self.at < began_at + self.seen_within


def newest_before(deploys: Iterable[Known], began_at: datetime) -> Known | None:
    """What is most likely behind a failure that began then; None: nothing was released."""
    before = [one for one in deploys if one.is_before(began_at) and not one.is_first_seen]
    return max(before, key=lambda one: one.at, default=None)


def sentence_of(deploy: Known | None, began_at: datetime, *, blind: Sequence[str]) -> str:
    """`blind` names the services whose releases cannot be seen."""
    if deploy is None:
        cannot = (
            f"Opsboard cannot see releases of {name}: give its environment a version route."
            for name in blind
        )
        return " ".join([NOTHING, *cannot])
    named = f"{deploy.kind} {short(deploy.name)} of {deploy.service}"
    if deploy.at >= began_at:
        return f"{named}, first seen {_gone(deploy.at - began_at)} after the first failure."
    return f"{named}, {_gone(began_at - deploy.at)} before the first failure."


def short(name: str) -> str:
    """A commit as people write it."""
    return name[:7] if COMMIT.fullmatch(name) else name


def _gone(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours = seconds // 60, seconds // 3600
    return f"{minutes} min" if minutes < 60 else f"{hours} h {minutes % 60} min"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Sums over the scheduled observations of a stretch. Times in microseconds."""

    answered: int = 0
    dns: int = 0
    connect: int = 0
    tls: int = 0
    first_byte: int = 0
    transfer: int = 0
    cache_hits: int = 0
    cache_known: int = 0
    calls: int = 0
    calls_reported: int = 0


def moved(before: Seen, now: Seen) -> list[str]:
    """What is not as it was before, each as a clause that begins a sentence."""
    found = [_phase(before, now), _calls(before, now), _hits(before, now)]
    return [words for words in found if words]


def _phase(before: Seen, now: Seen) -> str:
    """The one phase that grew most: the others often grow with it."""
    if before.answered < ENOUGH_BEFORE or not now.answered:
        return ""
    grown = {
        name: (
            round(getattr(before, name) / before.answered),
            round(getattr(now, name) / now.answered),
        )
        for name in PHASES
    }
    name = max(grown, key=lambda name: grown[name][1] - grown[name][0])
    was, takes = grown[name]
    if takes < was * FACTOR or takes - was < LEAST_TIME:
        return ""
    return f"{PHASES[name]} took {format_duration(takes)}, against {format_duration(was)} before"


def _calls(before: Seen, now: Seen) -> str:
    if before.calls_reported < ENOUGH_BEFORE or not now.calls_reported:
        return ""
    was, makes = before.calls / before.calls_reported, now.calls / now.calls_reported
    low, high = sorted((was, makes))
    if high < low * FACTOR or high - low < LEAST_CALLS:
        return ""
    return f"{round(makes):,} database calls against {round(was):,}"


def _hits(before: Seen, now: Seen) -> str:
    if before.cache_known < ENOUGH_BEFORE or not now.cache_known:
        return ""
    was, is_now = before.cache_hits / before.cache_known, now.cache_hits / now.cache_known
    if abs(was - is_now) * 100 < LEAST_POINTS:
        return ""
    said = _share(now.cache_hits, now.cache_known)
    return f"Cache hits {said} against {_share(before.cache_hits, before.cache_known)}"


def _share(part: int, whole: int) -> str:
    if whole < ENOUGH_FOR_PERCENT:
        return f"{part} of {whole}"
    return f"{round(100 * part / whole)}%"
