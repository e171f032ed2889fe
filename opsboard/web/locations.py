"""How a path stands in each of the locations it is asked from, for its page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opsboard.probes.models import Probe, microseconds
from opsboard.probes.path_states import path_now
from opsboard.probes.rules import State
from opsboard.web import measuring
from opsboard.web.board_rows import MINUTE, NOW_SPAN
from opsboard.web.broken import why
from opsboard.web.measurements import NO_DATA, Measured
from opsboard.web.words import milliseconds


@dataclass(frozen=True, slots=True)
class LocationRow:
    name: str
    state: State
    # Microseconds since 1970; None: never asked from there.
    observed_at: int | None
    # Of the last 15 minutes, in words.
    p95: str
    # Why it is not passing, as a sentence; "" when it is.
    why: str


def locations_of(probes: Sequence[Probe], *, now: datetime) -> list[LocationRow]:
    """One row a probe; none where there is only one location, which the whole page is about."""
    if len(probes) < 2:
        return []
    at = microseconds(now)
    ids = [probe.pk for probe in probes]
    measured = measuring.by_probe(ids, since=at - NOW_SPAN, until=at + MINUTE)
    return [_row(probe, measured.get(probe.pk), now=now) for probe in probes]


def _row(probe: Probe, measured: Measured | None, *, now: datetime) -> LocationRow:
    standing = path_now([probe], now=now)
    p95 = measured.p95 if measured else None
    return LocationRow(
        name=probe.location,
        state=standing.state,
        observed_at=standing.observed_at,
        p95=NO_DATA if p95 is None else milliseconds(p95),
        why="" if standing.is_passing else why(standing, now=now),
    )
