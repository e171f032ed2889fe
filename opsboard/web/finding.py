"""Finding what an address names. What was removed is said to be, with the way to bring it back."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from opsboard.changes.models import Change
from opsboard.incidents.models import Incident
from opsboard.people.models import role_of
from opsboard.services.models import CriticalPath, Environment, Service, Team
from opsboard.services.told import Thing, kind_of
from opsboard.web.access import may_edit
from opsboard.web.nearest import nearest, words_of


class Gone(Http404):
    """It was removed. `thing` is what has to be brought back for the address to be one again."""

    def __init__(self, thing: Thing) -> None:
        super().__init__(f"{thing} was removed")
        self.thing = thing


def find_service(slug: str, services: QuerySet[Service] | None = None) -> Service:
    """Of `services`, or of all. Raises Http404; Gone for one that was removed."""
    return _standing(services if services is not None else Service.objects.all(), slug=slug)


def find_environment(service: Service, slug: str) -> Environment:
    """Raises Http404; Gone for one that was removed."""
    return _standing(service.environments.select_related("service"), slug=slug)


def find_path(service: Service, slug: str) -> CriticalPath:
    """Raises Http404; Gone for one that was removed."""
    return _standing(service.paths.select_related("service"), slug=slug)


def find_team(slug: str, teams: QuerySet[Team] | None = None) -> Team:
    """Of `teams`, or of all. Raises Http404; Gone for one that was removed."""
    return _standing(teams if teams is not None else Team.objects.all(), slug=slug)


def find_incident(number: int) -> Incident:
    """Raises Http404; Gone when its service or environment was removed."""
    incident = Incident.objects.for_pages().filter(pk=number).first()
    if incident is None:
        raise Http404
    for place in (incident.service, incident.environment):
        if place.removed_at is not None:
            raise Gone(place)
    return incident


def find_change(number: int) -> Change:
    """Raises Http404; Gone when its service, path or environment was removed."""
    change = Change.objects.for_pages().filter(pk=number).first()
    if change is None:
        raise Http404
    for place in (change.service, change.path, change.environment):
        if place.removed_at is not None:
            raise Gone(place)
    return change


def _standing[One: (Service, Environment, CriticalPath, Team)](
    things: QuerySet[One], *, slug: str
) -> One:
    thing = things.filter(slug=slug).first()
    if thing is None:
        raise Http404
    if thing.removed_at is not None:
        raise Gone(thing)
    return thing


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The page of every 404."""
    if not isinstance(exception, Gone):
        # Names are for those who may see the board; others are told that nothing is here.
        return render(request, "404.html", _meant(request), status=404)
    thing, now = exception.thing, timezone.now()
    is_kept = thing.goes_at is not None and thing.goes_at > now
    context = {
        "thing": thing,
        "kind": kind_of(thing),
        "can_restore": is_kept and may_edit(request),
    }
    return render(request, "removed/gone.html", context, status=404)


def _meant(request: HttpRequest) -> dict[str, Any]:
    """Names are for those who may see the board; others are told that nothing is here."""
    if role_of(request.user) is None:
        return {}
    return {"nearest": nearest(request.path), "words": words_of(request.path)}
