"""What the board is made of: every service of one environment with its paths as they stand.

There may be a thousand services and thousands of paths: of each only what places it on the board
is read, as plain tuples. What is shown of the rows of one page opsboard.web.board_rows reads.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.db.models import BigIntegerField, Exists, FilteredRelation, Q, QuerySet

from opsboard.alerts.hearing import Audience
from opsboard.probes.rules import State, worst
from opsboard.services.models import CriticalPath, Service, Team
from opsboard.services.together import Given, kept_rows
from opsboard.web.paths_seen import PLACE, PathSeen, calm_places, paths_seen
from opsboard.web.who_hears import why_unheard

PRODUCTION = "production"
# Of paths that the team of their service owns.
OWN_TEAM: frozenset[int | None] = frozenset({None})


class ServiceNow(NamedTuple):
    pk: int
    slug: str
    name: str
    summary: str
    tier: int
    team_id: int
    team_name: str
    team_slug: str
    # The person's teams own it, or one of its paths.
    is_mine: bool
    # None: the service has no environment yet, so nothing of it is probed anywhere.
    environment_id: int | None
    environment: str
    # Worst first. None: all of them pass, and as its row is not shown they were not read.
    seen: tuple[PathSeen, ...] | None
    # How many those are.
    unread: int
    state: State
    # Why nobody would be told when a path of it fails; "": somebody would be.
    why_unheard: str

    @property
    def paths(self) -> tuple[PathSeen, ...]:
        """Raises LookupError where they were not read."""
        if self.seen is None:
            raise LookupError(f"the paths of {self.slug} were not read")
        return self.seen

    @property
    def is_heard(self) -> bool:
        return not self.why_unheard

    @property
    def is_paused(self) -> bool:
        return self.state is State.PAUSED

    @property
    def rank(self) -> tuple[int, str]:
        return PLACE[self.state], self.name.lower()


@dataclass(frozen=True)
class Overview:
    # All that exist, production first.
    environments: list[str]
    environment: str
    # Worst first, then by name.
    services: list[ServiceNow]
    # Whether the person is in a team at all.
    has_teams: bool

    @cached_property
    def unheard(self) -> list[ServiceNow]:
        """Services about which nobody would be told."""
        return [service for service in self.services if service.why_unheard]

    @property
    def is_unheard(self) -> bool:
        """Nobody would be told of anything: said once in the head, not in every row."""
        return bool(self.services) and len(self.unheard) == len(self.services)

    @property
    def broken(self) -> list[PathSeen]:
        """Paths that do not pass, worst first, the longest in its state first."""
        paths = (path for one in self.services for path in one.seen or () if not _is_calm(path))
        return sorted(paths, key=lambda path: path.rank)

    @cached_property
    def states(self) -> Counter[State]:
        """How many paths are in each."""
        counts = Counter(path.state for one in self.services for path in one.seen or ())
        counts[State.PASSING] += sum(one.unread for one in self.services)
        return counts


def _is_calm(path: PathSeen) -> bool:
    return path.state in (State.PASSING, State.PAUSED)


def read_overview(
    environment: str | None,
    audience: Audience,
    shown_teams: Callable[[Sequence["ServiceLine"]], Collection[str] | None],
    *,
    person: User,
    now: datetime,
) -> Overview | None:
    """Three queries, however many services there are. None: no such environment.

    `shown_teams`: of the services that there are, the slugs of the teams whose passing services
    are shown; None: all may be.
    """
    lines = [ServiceLine(*row) for row in kept_rows(_lines).read(person=person.pk)]
    slugs = in_order(line.environment for line in lines)
    chosen = environment or slugs[0]
    if chosen not in slugs:
        return None
    there = [line for line in lines if line.environment in (chosen, None)]
    unread = _calm_unshown(there, shown_teams(there), chosen, now=now)
    paths: dict[int, list[PathSeen]] = {one.pk: [] for one in there if one.pk not in unread}
    for path in paths_seen(chosen, paths, now=now):
        paths[path.service_id].append(path)
    hears = _Hears(audience, chosen)
    services = [
        _service_now(line, paths.get(line.pk), unread.get(line.pk), chosen, hears) for line in there
    ]
    services.sort(key=lambda service: service.rank)
    has_teams = bool(lines) and lines[0].has_teams
    return Overview(slugs, chosen, services, has_teams)


def _calm_unshown(
    lines: Sequence["ServiceLine"],
    shown: Collection[str] | None,
    environment: str,
    *,
    now: datetime,
) -> dict[int, int]:
    """The services whose paths need not be read, by their ids; and how many paths each has."""
    if shown is None:
        return {}
    calm = calm_places(environment, now=now)
    return {
        line.pk: calm[line.environment_id]
        for line in lines
        if line.environment_id in calm and line.team_slug not in shown
    }


# Services


class ServiceLine(NamedTuple):
    """A service in one of its environments, or the whole of one that has none."""

    pk: int
    slug: str
    name: str
    summary: str
    tier: int
    team_id: int
    team_name: str
    team_slug: str
    environment_id: int | None
    environment: str | None
    is_mine: bool
    has_teams: bool


def _lines() -> QuerySet[Any, Any]:
    person = Given("person", BigIntegerField())
    teams = Team.objects.filter(members=person, removed_at=None)
    own_paths = CriticalPath.objects.filter(owner__in=teams, removed_at=None)
    standing = Q(environments__removed_at=None)
    return (
        Service.objects.standing()
        .annotate(
            place=FilteredRelation("environments", condition=standing),
            is_mine=Q(team__in=teams) | Q(pk__in=own_paths.values("service")),
            has_teams=Exists(teams),
        )
        .order_by()
        .values_list(
            *("pk", "slug", "name", "summary", "tier", "team_id", "team__name", "team__slug"),
            *("place__pk", "place__slug", "is_mine", "has_teams"),
        )
    )


def environments_of(services: Iterable[Service]) -> list[str]:
    return in_order(place.slug for one in services for place in one.environments.all())


def in_order(names: Iterable[str | None]) -> list[str]:
    """Of environments, each once, production first; production alone where there is none."""
    slugs = {name for name in names if name is not None}
    return sorted(slugs or {PRODUCTION}, key=lambda slug: (slug != PRODUCTION, slug))


class _Hears:
    """Why nobody would be told: the same of all services of a team, a tier and some owners."""

    def __init__(self, audience: Audience, environment: str) -> None:
        self._audience, self._environment = audience, environment
        self._known: dict[tuple[int, int, frozenset[int | None]], str] = {}

    def why_not(self, team: int, tier: int, owners: frozenset[int | None]) -> str:
        key = (team, tier, owners)
        if key not in self._known:
            self._known[key] = why_unheard(
                self._audience, team, owners, tier=tier, environment=self._environment
            )
        return self._known[key]


def _service_now(
    line: ServiceLine,
    paths: Sequence[PathSeen] | None,
    unread: int | None,
    chosen: str,
    hears: _Hears,
) -> ServiceNow:
    """Of its paths either each, or how many there are that all pass."""
    if paths is None:
        seen, owners, state = None, OWN_TEAM, State.PASSING
    else:
        seen = tuple(sorted(paths, key=lambda path: path.rank))
        owners = frozenset(path.owner_id for path in seen)
        state = seen[0].state if seen else worst([])
    return ServiceNow(
        *line[:8],
        is_mine=line.is_mine,
        environment_id=line.environment_id,
        environment=chosen,
        seen=seen,
        unread=unread or 0,
        state=state,
        why_unheard=hears.why_not(line.team_id, line.tier, owners),
    )
