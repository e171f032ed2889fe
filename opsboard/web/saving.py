"""Storing what a form says, each write with its audit entry, in one transaction.

Every change of a sheet or its place brings the probes in line.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from opsboard.people import audit
from opsboard.people.audit import Actor
from opsboard.probes.models import stand_up
from opsboard.services.models import CriticalPath, Environment, Service, Team
from opsboard.services.told import Thing, Told, kind_of, subject_of, tell
from opsboard.web.forms.paths import WRITTEN
from opsboard.web.forms.teams import find_team, new_slug


def note_down(
    actor: Actor, act: str, thing: Thing, *, now: datetime, before: Told | None = None
) -> None:
    """Record that `actor` did `act`, with what differs from `before`; without, all that it has."""
    after = tell(thing) if act in ("added", "changed") else {}
    audit.record(actor, act, kind_of(thing), subject_of(thing), now=now, before=before, after=after)


@transaction.atomic
def add_team(data: Mapping[str, Any], *, actor: Actor, now: datetime) -> Team | None:
    """None: somebody else took its name in addresses a moment ago."""
    try:
        with transaction.atomic():
            team = Team.objects.create(**_only(data, "slug", "name", "contact", "zone"))
    except IntegrityError:
        return None
    team.members.set(data["members"])
    note_down(actor, "added", team, now=now)
    return team


@transaction.atomic
def change_team(team: Team, data: Mapping[str, Any], *, actor: Actor, now: datetime) -> None:
    before = tell(team)
    _set(team, data, "name", "contact", "zone")
    team.save()
    team.members.set(data["members"])
    note_down(actor, "changed", team, now=now, before=before)


def team_called(name: str, *, actor: Actor, now: datetime) -> Team:
    """The team of that name, made if there is none. `name` passed OwnerField."""
    if found := find_team(name):
        return found
    team, is_new = Team.objects.get_or_create(slug=new_slug(name), defaults={"name": name})
    if is_new:
        note_down(actor, "added", team, now=now)
    return team


ABOUT = ("name", "summary", "tier", "links", "tags", "facts")


def add_service(data: Mapping[str, Any], *, actor: Actor, now: datetime) -> Service | None:
    """A service with production and its health path; None: somebody else took its name."""
    try:
        with transaction.atomic():
            service = Service.objects.create(
                **_only(data, "slug", *ABOUT),
                team=team_called(data["team"], actor=actor, now=now),
            )
            service.depends_on.set(data["depends_on"])
            place = service.environments.create(slug="production", base_url=data["base_url"])
            path = service.paths.create(
                slug="health",
                name="Health",
                route=data["health_route"],
                expected_result="status in 200..299",
            )
            stand_up(service, now=now, location=settings.HOME_LOCATION)
            for made in (service, place, path):
                note_down(actor, "added", made, now=now)
    except IntegrityError:
        return None
    return service


@transaction.atomic
def change_service(
    service: Service, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> None:
    before = tell(service)
    _set(service, data, *ABOUT)
    service.team = team_called(data["team"], actor=actor, now=now)
    service.save()
    # Calls of what was removed come back with it.
    removed = service.depends_on.filter(removed_at__isnull=False)
    service.depends_on.set([*data["depends_on"], *removed])
    note_down(actor, "changed", service, now=now, before=before)


@transaction.atomic
def save_path(
    path: CriticalPath | None,
    data: Mapping[str, Any],
    *,
    service: Service,
    actor: Actor,
    now: datetime,
) -> CriticalPath:
    """Store a sheet, checked by who wrote it. The caller holds the service's row."""
    before = tell(path) if path else None
    stored = path or CriticalPath(service=service, slug=data["slug"])
    _set(stored, data, *WRITTEN)
    stored.checked_by, stored.checked_at = actor.person, now
    stored.save()
    stored.environments.set(_places(stored, data["environments"]))
    stand_up(service, now=now, location=settings.HOME_LOCATION)
    note_down(actor, "changed" if path else "added", stored, now=now, before=before)
    return stored


def _places(path: CriticalPath, chosen: Iterable[Environment]) -> list[Environment]:
    """The chosen environments; none chosen means all, and a removed one is kept for its return."""
    places = list(chosen)
    return [*places, *path.environments.filter(removed_at__isnull=False)] if places else []


@transaction.atomic
def save_environment(
    environment: Environment | None,
    data: Mapping[str, Any],
    variables: list[dict[str, Any]],
    *,
    service: Service,
    actor: Actor,
    now: datetime,
) -> Environment:
    """Store a place and its variables. The caller holds the service's row.

    A secret without a value keeps the one it has; variables that are not named are removed.
    """
    before = tell(environment) if environment else None
    stored = environment or Environment(service=service, slug=data["slug"])
    _set(stored, data, "base_url", "version_route", "version_commit", "version_config_root")
    stored.save()
    set_anew = _keep_variables(stored, variables)
    stand_up(service, now=now, location=settings.HOME_LOCATION)
    audit.record(
        actor,
        "changed" if environment else "added",
        "environment",
        subject_of(stored),
        now=now,
        before=before,
        after=tell(stored, new_secrets=set_anew),
    )
    return stored


def _keep_variables(environment: Environment, rows: list[dict[str, Any]]) -> list[str]:
    """Returns the names of the secrets that were written anew."""
    environment.variables.exclude(name__in=[row["name"] for row in rows]).delete()
    known = {variable.name: variable for variable in environment.variables.all()}
    for row in rows:
        variable = known.get(row["name"]) or environment.variables.model(
            environment=environment, name=row["name"]
        )
        if row["value"] or not row["is_secret"]:
            if row["is_secret"] or variable.value != row["value"]:
                # It is not what a board file's ${NAME} gave any more.
                variable.reference = ""
            variable.is_secret = row["is_secret"]
            variable.keep(row["value"])
            variable.save()
    return [row["name"] for row in rows if row["is_secret"] and row["value"]]


def _only(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: data[name] for name in names}


def _set(thing: object, data: Mapping[str, Any], *names: str) -> None:
    for name in names:
        setattr(thing, name, data[name])
