"""How each critical path stands now: from its probes, worst first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple, Protocol

from django.db.models import FETCH_RAISE, Exists, OuterRef, Q

from opsboard.probes.models import Probe, ProbeQuerySet, microseconds
from opsboard.probes.rules import State, path_state
from opsboard.services.models import CriticalPath, Environment

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
    places = Environment.objects.standing()
    if environment:
        places = places.filter(slug=environment)
    return (
        Probe.objects.filter(environment__in=places.values("pk"), path__removed_at=None)
        .filter(Q(ended_at=None) | Q(path__paused_at__isnull=False))
        .filter(is_asked_there())
        .order_by("path_id", "environment_id", "location")
        .fetch_mode(FETCH_RAISE)
    )


def is_asked_there() -> Q:
    """Of a probe: that its path is asked in its environment: no environment is chosen, or this one.

    Not joined: of an OR over a join PostgreSQL expects so few rows that it looks each up.
    """
    chosen = CriticalPath.environments.through.objects.filter(criticalpath=OuterRef("path_id"))
    return Q(~Exists(chosen) | Exists(chosen.filter(environment=OuterRef("environment_id"))))


def paths_now(probes: Iterable[Probe], *, now: datetime) -> list[PathNow]:
    """One for each path and environment of `probes`, which are in that order; it is kept."""
    return [
        path_now(list(group), now=now)
        for _, group in groupby(probes, key=attrgetter("path_id", "environment_id"))
    ]


def path_now(probes: Sequence[Probe], *, now: datetime) -> PathNow:
    standing = standing_of(probes, now=now)
    return PathNow(
        path=probes[0].path,
        probes=tuple(probes),
        state=standing.state,
        since=standing.since,
        reason=standing.reason,
        observed_at=standing.observed_at,
    )


class Heard(Protocol):
    """What of a probe tells how its path stands. Times in microseconds since 1970."""

    @property
    def state(self) -> str: ...
    @property
    def state_since(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def observed_at(self) -> int | None: ...
    @property
    def ended_at(self) -> datetime | None: ...
    @property
    def silent_at(self) -> int: ...
    @property
    def is_set_aside(self) -> bool: ...
    def state_at(self, now: datetime) -> State: ...


class Standing(NamedTuple):
    """How a path stands; the fields are those of PathNow."""

    state: State
    since: int
    reason: str
    observed_at: int | None


def standing_of(probes: Sequence[Heard], *, now: datetime) -> Standing:
    """Of the probes of one path in one environment."""
    states = [probe.state_at(now) for probe in probes]
    state = path_state(states)
    in_state = [probe for probe, own in zip(probes, states, strict=True) if own is state]
    telling = in_state or list(probes)
    return Standing(
        state=state,
        since=min(_since(probe, now) for probe in telling),
        reason=next((reason for probe in telling if (reason := _reason(probe, now))), ""),
        observed_at=max((p.observed_at for p in probes if p.observed_at), default=None),
    )


def is_silent(probe: Heard, now: datetime) -> bool:
    """No data because nothing was heard, and not for a reason of our own."""
    return (
        probe.state_at(now) is State.NO_DATA
        and microseconds(now) > probe.silent_at
        and not probe.is_set_aside
    )


def _since(probe: Heard, now: datetime) -> int:
    if probe.ended_at is not None:
        return microseconds(probe.ended_at)
    if is_silent(probe, now) and probe.state != State.NO_DATA:
        return probe.silent_at
    return probe.state_since


def _reason(probe: Heard, now: datetime) -> str:
    # What a silent probe last said is not why nothing is known now.
    return "" if is_silent(probe, now) else probe.reason
