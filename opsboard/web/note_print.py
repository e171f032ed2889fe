"""A rollback note on paper: all that is needed where no screen works."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from opsboard.incidents import rollback
from opsboard.incidents.beginnings import failed_at
from opsboard.incidents.models import Incident
from opsboard.rollbacks.known import Released
from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.rehearsing import rehearsals_of, state_of
from opsboard.rollbacks.words import NOTHING, Known, fill_steps
from opsboard.services.models import Environment
from opsboard.services.rota import on_duty
from opsboard.web.access import requires
from opsboard.web.incident_notes import Done
from opsboard.web.note_place import Place, place_of
from opsboard.web.rehearsed import rehearsed_of
from opsboard.web.sentences import note_sentence
from opsboard.web.trust import trust_of


@requires("viewer")
@require_safe
def show(request: HttpRequest, service: str, path: str | None = None) -> HttpResponse:
    """?environment=staging whose releases fill the words; ?incident=412 what is done of it."""
    place, now = place_of(service, path), timezone.now()
    incident = _incident(request, place)
    followed = rollback.of(incident) if incident else None
    version = _version(place, followed.version_id if followed else None)
    environment = incident.environment if incident else _environment(request, place)
    until = failed_at(incident) if incident else now
    known = (
        Released([environment.pk]).known(environment.pk, until=until) if environment else NOTHING
    )
    context = _read(place, version, known, followed.done if followed else {}, now=now) | {
        "incident": incident,
        "environment": environment.slug if environment else "",
        "started": followed,
    }
    return render(request, "notes/print.html", context)


def _known(environment: Environment | None, until: datetime) -> Known:
    if environment is None:
        return NOTHING
    return Released([environment.pk]).known(environment.pk, until=until)


def _version(place: Place, followed: int | None) -> NoteVersion:
    """The one that a rollback was started with, where that is of this note; else the one in use."""
    versions = place.versions()
    version = versions.filter(pk=followed).first() if followed else None
    version = version or versions.first()
    if version is None:
        raise Http404
    return version


def _incident(request: HttpRequest, place: Place) -> Incident | None:
    number = request.GET.get("incident")
    if number is None:
        return None
    found = Incident.objects.select_related("environment")
    is_number = number.isascii() and number.isdigit() and len(number) < 10
    incident = found.filter(pk=number, service=place.service).first() if is_number else None
    if incident is None:
        raise Http404
    return incident


def _environment(request: HttpRequest, place: Place) -> Environment | None:
    """The one that is asked for, else production, else the first; None: there is none."""
    standing = list(place.service.environments.filter(removed_at=None).order_by("slug")[:100])
    asked = request.GET.get("environment")
    if asked is not None and all(one.slug != asked for one in standing):
        raise Http404
    wanted = [one for one in standing if one.slug == (asked or "production")]
    return next(iter(wanted or standing), None)


def _read(
    place: Place, version: NoteVersion, known: Known, done: Mapping[int, Done], *, now: datetime
) -> dict[str, Any]:
    filled = fill_steps(version.steps, known)
    rehearsals = rehearsals_of([version.note_id])[version.note_id]
    return {
        "place": place,
        "service": place.service,
        "version": version,
        "size": note_sentence(len(version.steps), version.minutes),
        # A command is broken between its words alone: a hyphen at the end of a line is a riddle.
        "steps": [
            (step, step.get("run", "").split(" "), done.get(number))
            for number, step in enumerate(filled.steps, 1)
        ],
        "done": len(done),
        "unknown": filled.unknown,
        "known": known,
        "trust": trust_of(version, tier=place.service.tier, now=now),
        "rehearsed": rehearsed_of(state_of(version, rehearsals, now=now), now=now),
        "on_duty": on_duty(place.service.team, now),
        "now": now,
    }
