"""Taking things off the board, bringing them back, and letting them go for good.

Removed is a dated fact: the row stays, with all that hangs on it, for KEPT_AFTER_REMOVAL.
"""

import time
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from opsboard.alerts.planning import reconcile
from opsboard.people import audit
from opsboard.people.audit import Actor, Via
from opsboard.probes.models import HourlyRollup, Observation, Probe, stand_up
from opsboard.services.models import (
    KEPT_AFTER_REMOVAL,
    CriticalPath,
    Environment,
    Service,
    Team,
)
from opsboard.services.told import Thing, kind_of, subject_of

KINDS: dict[str, type[Thing]] = {
    "service": Service,
    "environment": Environment,
    "path": CriticalPath,
    "team": Team,
}
ROWS_A_PIECE = 5_000
REST_SECONDS = 0.02


class Refused(Exception):
    """It cannot be removed, or not be restored; the message says why, in one sentence."""


def removed(kind: str, *, now: datetime) -> QuerySet[Thing]:
    """What can still be brought back, the newest first."""
    things: QuerySet[Thing] = KINDS[kind]._default_manager.filter(
        removed_at__gt=now - KEPT_AFTER_REMOVAL
    )
    return things.order_by("-removed_at", "-pk")


def why_not(thing: Thing) -> str:
    """Why `thing` cannot be removed, as one sentence; "": it can."""
    match thing:
        case Service(is_built_in=True) | Environment(service=Service(is_built_in=True)):
            return "Opsboard watches itself with this: it cannot be removed."
        case Team():
            return _what_a_team_owns(thing)
    return ""


def _what_a_team_owns(team: Team) -> str:
    paths = team.paths.filter(removed_at=None, service__removed_at=None)
    names = [
        *team.services.filter(removed_at=None).order_by("name").values_list("name", flat=True),
        *paths.order_by("name").values_list("name", flat=True),
    ]
    if not names:
        return ""
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"{team.name} owns {', '.join(names[:10])}{more}: give that to another team first."


def asked_only_in(environment: Environment) -> list[CriticalPath]:
    """The paths that are asked nowhere else: they go with it."""
    places = list(environment.service.environments.standing())
    paths = environment.service.paths.standing().prefetch_related("environments")
    chosen = [path for path in paths.order_by("name") if path.environments.all()]
    return [path for path in chosen if path.asked_in(places) == [environment]]


def remove(actor: Actor, thing: Thing, *, now: datetime) -> None:
    """Take it off the board, and end its probes. Raises Refused."""
    with transaction.atomic():
        _hold(thing)
        if wrong := why_not(thing):
            raise Refused(wrong)
        if isinstance(thing, Environment):
            for path in asked_only_in(thing):
                _take_off(actor, path, now=now)
        if isinstance(thing, Team):
            thing.channels.filter(removed_at=None).update(removed_at=now)
        _take_off(actor, thing, now=now)
        _bring_in_line(thing, now=now)
    reconcile(now=now)


def _take_off(actor: Actor, thing: Thing, *, now: datetime) -> None:
    thing.remove(by=actor.person, now=now)
    audit.record(actor, "removed", kind_of(thing), subject_of(thing), now=now)


def _hold(thing: Thing) -> None:
    """Two people who remove and edit the same thing wait for each other here."""
    if isinstance(thing, Team):
        Team.objects.select_for_update().get(pk=thing.pk)
    else:
        Service.objects.select_for_update().get(pk=_service_of(thing).pk)


def _service_of(thing: Service | Environment | CriticalPath) -> Service:
    return thing if isinstance(thing, Service) else thing.service


def _bring_in_line(thing: Thing, *, now: datetime) -> None:
    if not isinstance(thing, Team):
        stand_up(_service_of(thing), now=now, location=settings.HOME_LOCATION)


# Bringing back -----------------------------------------------------------------------------


def restore(actor: Actor, thing: Thing, *, now: datetime) -> list[str]:
    """Bring it back with its probes. Returns what else there is to know, as sentences.

    Raises Refused.
    """
    with transaction.atomic():
        _hold(thing)
        thing.refresh_from_db()
        if thing.removed_at is None:
            return []
        _check_home(thing)
        at, said = thing.removed_at, []
        _put_back(actor, thing, now=now)
        match thing:
            case Service():
                said = _with_its_owners(actor, thing, now=now)
            case Environment():
                said = _with_its_paths(actor, thing, at, now=now)
            case CriticalPath():
                said = _with_its_owner(actor, thing, now=now)
            case Team():
                thing.channels.filter(removed_at=at).update(removed_at=None)
        _bring_in_line(thing, now=now)
        said += _not_brought_back(thing)
    reconcile(now=now)
    return said


def _check_home(thing: Thing) -> None:
    """A path needs its service, and an environment to be asked in."""
    if isinstance(thing, (Environment, CriticalPath)) and thing.service.removed_at:
        raise Refused(f"{thing.service.name} is removed too: restore it first.")
    if isinstance(thing, CriticalPath):
        gone = thing.environments.filter(removed_at__isnull=False).first()
        if gone and not thing.environments.standing().exists():
            raise Refused(
                f"{thing.name} is asked in {gone.slug} only, which is removed: restore that first."
            )


def _put_back(actor: Actor, thing: Thing, *, now: datetime) -> None:
    thing.restore()
    audit.record(actor, "restored", kind_of(thing), subject_of(thing), now=now)


def _with_its_owners(actor: Actor, service: Service, *, now: datetime) -> list[str]:
    teams = Team.objects.filter(Q(services=service) | Q(paths__in=service.paths.standing()))
    return _teams_back(actor, teams.filter(removed_at__isnull=False).distinct(), now=now)


def _with_its_owner(actor: Actor, path: CriticalPath, *, now: datetime) -> list[str]:
    return _teams_back(actor, Team.objects.filter(paths=path, removed_at__isnull=False), now=now)


def _teams_back(actor: Actor, teams: QuerySet[Team], *, now: datetime) -> list[str]:
    said = []
    for team in teams:
        team.channels.filter(removed_at=team.removed_at).update(removed_at=None)
        _put_back(actor, team, now=now)
        said.append(f"Its team {team.name} came back with it.")
    return said


def _with_its_paths(
    actor: Actor, environment: Environment, at: datetime, *, now: datetime
) -> list[str]:
    """The paths that went with it, unless they were brought back before."""
    paths = list(environment.service.paths.filter(removed_at=at, environments=environment))
    for path in paths:
        _put_back(actor, path, now=now)
    return [f"{path.name} came back with it." for path in paths]


def _not_brought_back(thing: Thing) -> list[str]:
    said = []
    if isinstance(thing, Service):
        paused = thing.paths.standing().filter(paused_at__isnull=False).order_by("name")
        said += [f"{path.name} stays paused." for path in paused]
        lost = thing.paths.filter(removed_at__isnull=False).order_by("name")
        said += [f"{path.name} was removed before, and stays removed." for path in lost]
    if isinstance(thing, CriticalPath):
        gone = thing.environments.filter(removed_at__isnull=False).order_by("slug")
        said += [f"It is not asked in {place.slug}, which is removed." for place in gone]
    return said


# Letting go --------------------------------------------------------------------------------


def purge(*, now: datetime) -> None:
    """Let go for good of what was removed more than KEPT_AFTER_REMOVAL ago, in small pieces."""
    old = now - KEPT_AFTER_REMOVAL
    for model in (Service, CriticalPath, Environment, Team):
        for thing in model.objects.filter(removed_at__lte=old).order_by("removed_at", "pk"):
            _let_go(thing, now=now)


def _let_go(thing: Thing, *, now: datetime) -> None:
    if isinstance(thing, Team) and (thing.services.exists() or thing.paths.exists()):
        # They are removed too, and go first; the team goes in a later round.
        return
    for probe_id in _probes_of(thing).values_list("pk", flat=True):
        _forget(probe_id)
    with transaction.atomic():
        audit.record(
            Actor(None, Via.BOARD, who="Opsboard"),
            "purged",
            kind_of(thing),
            subject_of(thing),
            now=now,
        )
        thing.delete()


def _probes_of(thing: Thing) -> QuerySet[Probe]:
    match thing:
        case Service():
            return Probe.objects.filter(path__service=thing)
        case Environment():
            return Probe.objects.filter(environment=thing)
        case CriticalPath():
            return Probe.objects.filter(path=thing)
    return Probe.objects.none()


def _forget(probe_id: int) -> None:
    """Delete what was measured, a piece at a time: no lock is held for long."""
    HourlyRollup.objects.filter(probe_id=probe_id).delete()
    seen = Observation.objects.filter(probe_id=probe_id).order_by("slot_at")
    while edge := list(seen.values_list("slot_at", flat=True)[:ROWS_A_PIECE]):
        Observation.objects.filter(probe_id=probe_id, slot_at__lte=edge[-1]).delete()
        time.sleep(REST_SECONDS)
