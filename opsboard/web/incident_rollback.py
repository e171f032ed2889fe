"""Going back: who started it and when, and which steps are done. It is written down, not run."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from opsboard.incidents import rollback
from opsboard.incidents.models import Incident
from opsboard.people.audit import record
from opsboard.rollbacks.models import NoteVersion
from opsboard.web.access import actor_of, signed_in
from opsboard.web.incident_notes import notes_of, places_of

KIND = "incident"


def start(request: HttpRequest, incident: Incident) -> HttpResponse:
    """The version that was shown is the one that is followed, also when a newer one is written."""
    version = _shown(incident, request.POST.get("version", ""))
    if not incident.is_open:
        messages.error(request, f"{incident} is resolved: there is nothing to go back from.")
    elif version is None:
        messages.error(request, "This note is not the one in use any more. Read it, then start.")
    else:
        _start(request, incident, version)
    return redirect("incident", incident.pk)


def _shown(incident: Incident, key: str) -> NoteVersion | None:
    """The version in use that has this key; None: it is no way back of the incident, or not now."""
    versions = (note.version for note in notes_of(incident, places_of(incident)))
    return next((version for version in versions if str(version.pk) == key), None)


def _start(request: HttpRequest, incident: Incident, version: NoteVersion) -> None:
    now = timezone.now()
    with transaction.atomic():
        if not rollback.start(incident, version, by=signed_in(request), now=now):
            messages.info(request, "Somebody started the rollback already: go on below.")
            return
        after = {"note": version.title, "version": version.number}
        act = "started the rollback of"
        record(actor_of(request), act, KIND, str(incident), now=now, after=after)


def mark(request: HttpRequest, incident: Incident, step: int) -> HttpResponse:
    now, done = timezone.now(), request.POST.get("done") != "no"
    with transaction.atomic():
        held = Incident.objects.select_for_update().get(pk=incident.pk)
        if wrong := _why_not(held, step):
            messages.error(request, wrong)
        elif rollback.mark(held, step, done=done, by=signed_in(request), now=now):
            act = "marked a step done of" if done else "marked a step not done of"
            record(actor_of(request), act, KIND, str(held), now=now, after={"step": step})
    return redirect("incident", incident.pk)


def _why_not(incident: Incident, step: int) -> str:
    """One sentence; "": the step may be marked, or is as it is to be."""
    followed = rollback.of(incident)
    if not incident.is_open:
        return f"{incident} is resolved: its steps stay as they are."
    if followed is None:
        return "Start the rollback first: then its steps can be marked."
    return "" if 1 <= step <= followed.steps else f"This note has no step {step}."
