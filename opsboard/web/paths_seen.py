"""How the critical paths of one environment stand, with as little of each as places it."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from django.db.models import BigIntegerField, Count, F, Max, Min, Q, QuerySet

from opsboard.probes.models import MOST_LEASES_LOST, microseconds
from opsboard.probes.path_states import WORST_FIRST, Standing, shown_probes, standing_of
from opsboard.probes.rules import State
from opsboard.services.together import Given, kept_rows

# The place of each state among them, worst first.
PLACE = {state: number for number, state in enumerate(WORST_FIRST)}


class PathSeen(NamedTuple):
    """One critical path in the environment, as it stands."""

    pk: int
    service_id: int
    # None: the team of the service.
    owner_id: int | None
    slug: str
    # Whether its sheet sets a limit on its time: such a path tells more of a service.
    has_time_limit: bool
    # One for each location.
    probe_ids: tuple[int, ...]
    state: State
    # Microseconds since 1970: when the state began, and when it was last heard of (None: never).
    since: int
    reason: str
    observed_at: int | None

    @property
    def rank(self) -> tuple[int, int]:
        return PLACE[self.state], self.since


class _ProbeSeen(NamedTuple):
    path_id: int
    service_id: int
    owner_id: int | None
    slug: str
    has_time_limit: bool
    pk: int
    state: str
    state_since: int
    reason: str
    observed_at: int | None
    interval: int
    timeout: int
    ended_at: datetime | None
    leases_lost: int

    @property
    def silent_at(self) -> int:
        return (self.observed_at or self.state_since) + 2 * self.interval + self.timeout

    @property
    def is_set_aside(self) -> bool:
        return self.leases_lost > MOST_LEASES_LOST

    def state_at(self, now: datetime) -> State:
        if self.ended_at is not None:
            return State.PAUSED
        silent = self.observed_at is None or microseconds(now) > self.silent_at
        return State.NO_DATA if silent else State(self.state)


def calm_places(environment: str, *, now: datetime) -> dict[int, int]:
    """By the environments' ids, how many paths there are where nothing of any needs to be seen.

    All of them pass and were heard of in time, from one location, and the team of the service owns
    them. One query: on a large board nearly all services are like this.
    """
    return dict(kept_rows(_calm, environment).read(at=microseconds(now)))


def _calm(environment: str) -> QuerySet[Any, Any]:
    at = Given("at", BigIntegerField())
    heard = {"observed_at__gte": at - 2 * F("interval") - F("timeout")}
    return (
        shown_probes(environment=environment)
        .order_by()
        .values("environment_id")
        .annotate(
            paths=Count("pk"),
            calm=Count(
                "pk",
                filter=Q(state=State.PASSING, ended_at=None, path__owner=None, **heard),
            ),
            first=Min("location"),
            last=Max("location"),
        )
        .filter(calm=F("paths"), first=F("last"))
        .values_list("environment_id", "paths")
    )


def paths_seen(environment: str, services: Collection[int], *, now: datetime) -> Iterator[PathSeen]:
    """Those of some services, by their ids. One query, however many there are."""
    rows = (
        shown_probes(environment=environment)
        .filter(path__service__in=services)
        .annotate(has_time_limit=Q(path__expected_result__contains="time"))
        .values_list(
            *("path_id", "path__service_id", "path__owner_id", "path__slug", "has_time_limit"),
            *("pk", "state", "state_since", "reason", "observed_at", "interval"),
            *("timeout", "ended_at", "leases_lost"),
        )
    )
    at = microseconds(now)
    for _, some in groupby(rows, key=itemgetter(0)):
        probes = [_ProbeSeen(*row) for row in some]
        yield _path_seen(probes, now=now, at=at)


def _path_seen(probes: Sequence[_ProbeSeen], *, now: datetime, at: int) -> PathSeen:
    first = probes[0]
    # Nearly every path is like this, and there are thousands.
    if (
        len(probes) == 1
        and first.state == State.PASSING
        and first.ended_at is None
        and first.observed_at is not None
        and at <= first.silent_at
    ):
        standing = Standing(State.PASSING, first.state_since, first.reason, first.observed_at)
    else:
        standing = standing_of(probes, now=now)
    return PathSeen(*first[:5], tuple(probe.pk for probe in probes), *standing)
