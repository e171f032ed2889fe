"""How each critical path stands now: from its probes, worst first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter

from django.db.models import FETCH_RAISE, F, Q

from opsboard.probes.models import Probe, ProbeQuerySet, microseconds
from opsboard.probes.rules import State, path_state
from opsboard.services.models import CriticalPath

# The order of the pages: what needs a person first.
WORST_FIRST = [State.FAILING, State.WARNING, State.NO_DATA, State.PAUSED, State.PASSING]


@dataclass(frozen=True, slots=True)
class PathNow:
    """One critical path in one environment as it stands at a moment."""

    path: CriticalPath
    # One for each location; never empty.
    probes: tuple[Probe, ...]
    state: State
    # Microseconds since 1970: when the state began.
    since: int
    # Why, in the words of the newest judgement; "" when passing.
    reason: str
    # None: never observed.
    observed_at: int | None

    @property
    def is_passing(self) -> bool:
        return self.state is State.PASSING

    @property
    def is_paused(self) -> bool:
        return self.state is State.PAUSED

    @property
    def is_stale(self) -> bool:
        """What it said last is too old to be shown as of now."""
        return self.state in (State.NO_DATA, State.PAUSED)

    @property
    def rank(self) -> tuple[int, int]:
        return WORST_FIRST.index(self.state), self.since


def shown_probes(*, environment: str = "") -> ProbeQuerySet:
    """The probes that are shown: paused ones too, removed and left ones not.

    Of one environment by its name; "": of all.
    """
    everywhere, here = Q(path__environments=None), Q(path__environments=F("environment_id"))
    return (
        (Probe.objects.filter(environment__slug=environment) if environment else Probe.objects)
        .filter(environment__removed_at=None)
        .filter(path__removed_at=None, path__service__removed_at=None)
        .filter(Q(ended_at=None) | Q(path__paused_at__isnull=False))
        .filter(everywhere | here)
        .order_by("path_id", "environment_id", "location")
        .fetch_mode(FETCH_RAISE)
    )


def paths_now(probes: Iterable[Probe], *, now: datetime) -> list[PathNow]:
    """One for each path and environment of `probes`, which are in that order; it is kept."""
    return [
        path_now(list(group), now=now)
        for _, group in groupby(probes, key=attrgetter("path_id", "environment_id"))
    ]


def path_now(probes: Sequence[Probe], *, now: datetime) -> PathNow:
    states = [probe.state_at(now) for probe in probes]
    state = path_state(states)
    in_state = [probe for probe, own in zip(probes, states, strict=True) if own is state]
    telling = in_state or list(probes)
    return PathNow(
        path=probes[0].path,
        probes=tuple(probes),
        state=state,
        since=min(_since(probe, now) for probe in telling),
        reason=next((reason for probe in telling if (reason := _reason(probe, now))), ""),
        observed_at=max((p.observed_at for p in probes if p.observed_at), default=None),
    )


def is_silent(probe: Probe, now: datetime) -> bool:
    """No data because nothing was heard, and not for a reason of our own."""
    return (
        probe.state_at(now) is State.NO_DATA
        and microseconds(now) > probe.silent_at
        and not probe.is_set_aside
    )


def _since(probe: Probe, now: datetime) -> int:
    if probe.ended_at is not None:
        return microseconds(probe.ended_at)
    if is_silent(probe, now) and probe.state != State.NO_DATA:
        return probe.silent_at
    return probe.state_since


def _reason(probe: Probe, now: datetime) -> str:
    # What a silent probe last said is not why nothing is known now.
    return "" if is_silent(probe, now) else probe.reason
