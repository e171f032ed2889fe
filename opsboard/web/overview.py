"""What the board is made of: every service of one environment with its paths as they stand."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import FETCH_RAISE

from opsboard.alerts.hearing import Audience
from opsboard.probes.path_states import WORST_FIRST, PathNow, paths_now, shown_probes
from opsboard.probes.rules import State, worst
from opsboard.services.models import Environment, Service
from opsboard.web.who_hears import why_unheard

PRODUCTION = "production"
# Read of every path, not only of those on the page: no more than the board needs.
LIGHT = (
    "path_id",
    "path__service_id",
    "path__owner_id",
    "path__slug",
    "path__name",
    "path__owner_id",
    "path__expected_result",
    "path__kind",
    "path__interval",
    "environment_id",
    "location",
    "interval",
    "timeout",
    "ended_at",
    "leases_lost",
    "state",
    "state_since",
    "reason",
    "observed_at",
)


@dataclass(frozen=True, slots=True)
class ServiceNow:
    service: Service
    # None: the service has no environment yet, so nothing of it is probed anywhere.
    environment: Environment | None
    # Worst first.
    paths: tuple[PathNow, ...]
    state: State
    # Why nobody would be told when a path of it fails; "": somebody would be.
    why_unheard: str

    @property
    def is_heard(self) -> bool:
        return not self.why_unheard

    @property
    def is_passing(self) -> bool:
        return self.state is State.PASSING

    @property
    def is_paused(self) -> bool:
        return self.state is State.PAUSED

    @property
    def hurts(self) -> bool:
        return self.state in (State.FAILING, State.WARNING)

    @property
    def rank(self) -> tuple[int, str]:
        return WORST_FIRST.index(self.state), self.service.name.lower()


@dataclass(frozen=True, slots=True)
class Overview:
    # All that exist, production first.
    environments: list[str]
    environment: str
    # Worst first, then by name.
    services: list[ServiceNow]

    @property
    def unheard(self) -> list[ServiceNow]:
        """Services about which nobody would be told."""
        return [service for service in self.services if not service.is_heard]

    @property
    def is_unheard(self) -> bool:
        """Nobody would be told of anything: said once in the head, not in every row."""
        return bool(self.services) and len(self.unheard) == len(self.services)

    @property
    def paths(self) -> list[PathNow]:
        """Worst first, the longest in its state first."""
        paths = (path for service in self.services for path in service.paths)
        return sorted(paths, key=lambda path: path.rank)

    @property
    def states(self) -> list[State]:
        return [path.state for service in self.services for path in service.paths]


def read_overview(environment: str | None, *, now: datetime) -> Overview | None:
    """As many queries however many services there are. None: no such environment."""
    standing = Service.objects.standing().with_sheets().order_by("name", "slug")
    services = list(standing.fetch_mode(FETCH_RAISE))
    slugs = environments_of(services)
    chosen = environment or slugs[0]
    if chosen not in slugs:
        return None
    probes = shown_probes(environment=chosen).select_related("path").only(*LIGHT)
    paths: dict[int, list[PathNow]] = defaultdict(list)
    for path in paths_now(probes, now=now):
        paths[path.path.service_id].append(path)
    audience = Audience(now)
    rows = [
        _service_now(service, place, paths[service.pk], chosen, audience)
        for service in services
        for place in _places(service, chosen)
    ]
    return Overview(slugs, chosen, sorted(rows, key=lambda row: row.rank))


def environments_of(services: Iterable[Service]) -> list[str]:
    slugs = {place.slug for service in services for place in service.environments.all()}
    return sorted(slugs or {PRODUCTION}, key=lambda slug: (slug != PRODUCTION, slug))


def _places(service: Service, chosen: str) -> list[Environment | None]:
    """The chosen environment of a service; a service without any is shown in all of them."""
    places = list(service.environments.all())
    return [place for place in places if place.slug == chosen] if places else [None]


def _service_now(
    service: Service,
    environment: Environment | None,
    paths: Sequence[PathNow],
    chosen: str,
    audience: Audience,
) -> ServiceNow:
    ordered = tuple(sorted(paths, key=lambda path: path.rank))
    return ServiceNow(
        service=service,
        environment=environment,
        paths=ordered,
        state=worst(path.state for path in ordered),
        why_unheard=why_unheard(
            audience, service, chosen, (path.path.owner_id for path in ordered)
        ),
    )
