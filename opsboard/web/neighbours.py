"""The services around a service: whom it calls and who calls it, as they stand."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from opsboard.probes.path_states import paths_now, shown_probes
from opsboard.probes.rules import State, worst
from opsboard.services.models import Service


@dataclass(frozen=True, slots=True)
class Neighbour:
    service: Service
    # None: nothing of it is probed in this environment.
    state: State | None


def read_neighbours(
    service: Service, environment: str, *, now: datetime
) -> dict[str, list[Neighbour]]:
    """Three queries, however many there are."""
    calls = list(service.depends_on.standing().order_by("name"))
    called_by = list(service.called_by.standing().order_by("name"))
    states = _states([*calls, *called_by], environment, now=now)
    return {
        "calls": [Neighbour(one, states.get(one.pk)) for one in calls],
        "called_by": [Neighbour(one, states.get(one.pk)) for one in called_by],
    }


def _states(services: Iterable[Service], environment: str, *, now: datetime) -> dict[int, State]:
    ids = {service.pk for service in services}
    if not ids:
        return {}
    probes = shown_probes(environment=environment).filter(path__service__in=ids)
    by_service: dict[int, list[State]] = defaultdict(list)
    for path in paths_now(probes.select_related("path"), now=now):
        by_service[path.path.service_id].append(path.state)
    return {pk: worst(states) for pk, states in by_service.items()}
