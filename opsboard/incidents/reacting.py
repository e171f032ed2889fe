"""From confirmed changes to incidents: open, join, leave, resolve, and begin again.

Recording and reconciling call the same code. The service's row is held by the caller, so that two
paths of one service never decide beside each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from opsboard.incidents.beginnings import began_at
from opsboard.incidents.linking import link
from opsboard.incidents.models import Incident, IncidentPath, TimelineEntry
from opsboard.incidents.rules import continues
from opsboard.incidents.suspecting import Suspicion
from opsboard.probes.models import Probe
from opsboard.probes.rules import State, path_state
from opsboard.services.models import CriticalPath, Environment

Act = TimelineEntry.Act


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the incident: it began (again), another path fails too, or it resolved."""

    incident: Incident
    opened: bool = False
    joined: bool = False
    resolved: bool = False


def settle(path: CriticalPath, environment: Environment, *, now: datetime) -> Outcome | None:
    """Bring one path's place in its service's incident in line with its standing.

    None when nothing changed. No data neither joins nor leaves: nobody knows. Call it in a
    transaction that holds the service's row.
    """
    probes = list(Probe.objects.filter(path=path, environment=environment).select_related("path"))
    standing = _standing_of(probes, now=now)
    incident = Incident.objects.open().filter(service=path.service, environment=environment).first()
    if standing is State.FAILING:
        failure = Failure(path, environment, probes)
        return _join(incident, failure, now=now) if incident else _begin(failure, now=now)
    if standing is State.NO_DATA:
        return None
    if incident is None:
        _recover_after_all(path, environment, now=now)
        return None
    return _leave(incident, path, now=now)


def _standing_of(probes: Sequence[Probe], *, now: datetime) -> State:
    """A location that fell silent says nothing beside those that speak. Where all are silent, what
    was confirmed last holds on."""
    states = [probe.state_at(now) for probe in probes]
    if all(state in (State.NO_DATA, State.PAUSED) for state in states):
        states = [State.PAUSED if probe.ended_at else State(probe.state) for probe in probes]
    return path_state(states)


@dataclass(frozen=True, slots=True)
class Failure:
    """A path that fails in an environment, with its probes there."""

    path: CriticalPath
    environment: Environment
    probes: list[Probe]

    @property
    def reason(self) -> str:
        return next((probe.reason for probe in self.probes if probe.state == State.FAILING), "")


def _join(incident: Incident, failure: Failure, *, now: datetime) -> Outcome | None:
    if not _take_place(incident, failure, now=now):
        return None
    incident.timeline.create(at=now, act=Act.JOINED, path=failure.path, text=failure.reason)
    return Outcome(incident, joined=True)


def _take_place(incident: Incident, failure: Failure, *, now: datetime) -> bool:
    """False: the path has its place already."""
    place, joined = IncidentPath.objects.get_or_create(
        incident=incident,
        path=failure.path,
        defaults={"joined_at": now, "reason": failure.reason},
    )
    if not joined and place.left_at is None:
        return False
    if not joined:
        place.left_at, place.reason = None, failure.reason
        place.save(update_fields=["left_at", "reason"])
    return True


def _begin(failure: Failure, *, now: datetime) -> Outcome | None:
    """A new incident, or the last one again when that has only just ended."""
    ended = Incident.objects.filter(
        service=failure.path.service, environment=failure.environment, resolved_at__isnull=False
    )
    last = ended.order_by("-resolved_at", "-pk").first()
    if last is None:
        return _open(failure, now=now)
    if not continues(resolved_at=last.resolved_at, now=now, within=reopen_within()):
        _places_after_the_end(failure.path, failure.environment).update(left_at=now)
        return _open(failure, now=now)
    if last.paths.filter(path=failure.path, left_at=None).exists():
        # A person resolved it though this fails: they know better, for so long.
        return None
    return _reopen(last, failure, now=now)


def reopen_within() -> timedelta:
    return timedelta(seconds=settings.REOPEN_WITHIN_SECONDS)


def _open(failure: Failure, *, now: datetime) -> Outcome:
    path = failure.path
    began = began_at(failure.probes, now=now)
    incident = Incident.objects.create(
        service=path.service,
        environment=failure.environment,
        title=f"{path.name} is failing",
        opened_at=now,
        cause=_cause(failure, began, now=now),
    )
    incident.paths.create(path=path, joined_at=now, reason=failure.reason)
    return _begun(incident, failure, Act.OPENED, began, now=now)


def _reopen(incident: Incident, failure: Failure, *, now: datetime) -> Outcome:
    """People are asked again who has it; who had it stays in the timeline."""
    began = began_at(failure.probes, now=now)
    incident.openings += 1
    incident.reopened_at = now
    incident.resolved_at = incident.resolved_by = None
    incident.acknowledged_at = incident.acknowledged_by = None
    incident.acknowledged_as = ""
    incident.cause = _cause(failure, began, now=now)
    incident.save()
    _take_place(incident, failure, now=now)
    return _begun(incident, failure, Act.REOPENED, began, now=now)


def _cause(failure: Failure, began: datetime, *, now: datetime) -> dict[str, Any]:
    probe_ids = [probe.pk for probe in failure.probes]
    suspicion = Suspicion(failure.path.service, failure.environment, began, probe_ids)
    return suspicion.cause(now=now)


def _begun(
    incident: Incident, failure: Failure, act: str, began: datetime, *, now: datetime
) -> Outcome:
    incident.timeline.create(
        at=now,
        act=act,
        path=failure.path,
        text=failure.reason,
        facts={"began": began.isoformat(), "opening": incident.openings},
    )
    link(incident, now=now)
    return Outcome(incident, opened=True)


def _leave(incident: Incident, path: CriticalPath, *, now: datetime) -> Outcome | None:
    left = incident.paths.filter(path=path, left_at=None).update(left_at=now)
    if not left:
        return None
    incident.timeline.create(at=now, act=Act.LEFT, path=path)
    if incident.is_by_hand or incident.paths.filter(left_at=None).exists():
        return Outcome(incident)
    incident.resolved_at = now
    incident.save(update_fields=["resolved_at"])
    incident.timeline.create(at=now, act=Act.RESOLVED)
    return Outcome(incident, resolved=True)


def _recover_after_all(path: CriticalPath, environment: Environment, *, now: datetime) -> None:
    """It failed still when a person resolved its incident; if it fails again, that is new."""
    for place in _places_after_the_end(path, environment).select_related("incident"):
        place.left_at = now
        place.save(update_fields=["left_at"])
        place.incident.timeline.create(at=now, act=Act.LEFT, path=path)


def _places_after_the_end(path: CriticalPath, environment: Environment) -> QuerySet[IncidentPath]:
    return IncidentPath.objects.filter(
        path=path,
        left_at=None,
        incident__environment=environment,
        incident__resolved_at__isnull=False,
    )


def out_of_line() -> list[tuple[int, int, int]]:
    """Path, environment and service of every path whose place may not fit its standing.

    Failing and in no open incident, or in one and not failing any more: recovered, paused, removed.
    """
    failing = Probe.objects.active().filter(state=State.FAILING)
    hurting = set(failing.values_list("path_id", "environment_id", "path__service_id"))
    open_places = IncidentPath.objects.filter(left_at=None, incident__resolved_at=None)
    placed = set(
        open_places.values_list("path_id", "incident__environment_id", "incident__service_id")
    )
    return sorted(hurting ^ placed)
