"""What is around a service: where it runs, whom it calls, and who calls it."""

from dataclasses import dataclass
from datetime import datetime

from opsboard.probes.rules import State
from opsboard.services.models import Environment, Service
from opsboard.services.rota import Duties, OnDuty, parts_of_rotas, rotas_of
from opsboard.services.together import NOW, Part, kept

SHOWN = ("id", "slug", "name")


@dataclass(frozen=True, slots=True)
class Neighbour:
    service: Service
    # None: nothing of it is probed in this environment.
    state: State | None


@dataclass(frozen=True, slots=True)
class Around:
    # Those that stand, in the order they were made.
    environments: list[Environment]
    # By name; of each its id, slug and name.
    calls: list[Service]
    called_by: list[Service]
    # Of its team.
    on_duty: OnDuty | None

    @property
    def neighbours(self) -> set[int]:
        return {one.pk for one in (*self.calls, *self.called_by)}


def read_around(service: Service, *, now: datetime) -> Around:
    """One query, however many there are."""
    found = kept(_parts, service.pk, service.team_id).read(now=now)
    environments: list[Environment] = found["environments"]
    for one in environments:
        one.service = service
    return Around(
        environments=sorted(environments, key=lambda one: one.pk),
        calls=sorted((Service(**row) for row in found["calls"]), key=_by_name),
        called_by=sorted((Service(**row) for row in found["called_by"]), key=_by_name),
        on_duty=Duties(rotas_of(found), now=now).of(service.team_id),
    )


def _parts(service: int, team: int) -> dict[str, Part]:
    return {
        "environments": (Environment.objects.standing().filter(service=service), None),
        "calls": (Service.objects.standing().filter(called_by=service), SHOWN),
        "called_by": (Service.objects.standing().filter(depends_on=service), SHOWN),
        **parts_of_rotas([team], since=NOW),
    }


def _by_name(service: Service) -> tuple[str, int]:
    return service.name, service.pk
