"""What people write about an incident, each with its audit entry: open, update, resolve, afterword.

After each, alerts and incidents are brought in line at once.
"""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from opsboard.alerts import planning
from opsboard.incidents.models import Incident
from opsboard.incidents.opening import AlreadyOpen
from opsboard.people.audit import record
from opsboard.services.models import Environment
from opsboard.web.access import actor_of, signed_in
from opsboard.web.forms.incidents import (
    AfterwordForm,
    NewIncidentForm,
    ResolutionForm,
    UpdateForm,
    standing_places,
)
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.incident_page import fails_still

KIND = "incident"


def new(request: HttpRequest) -> HttpResponse:
    initial = {"place": _asked_for(request)}
    form = NewIncidentForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid() and (opened := _open(request, form)):
        messages.success(request, f"{opened} is open. Who hears about it is below.")
        return redirect("incident", opened.pk)
    return _page(request, form, "incidents/new.html")


def _asked_for(request: HttpRequest) -> Environment | None:
    """The place that ?service=fares-api&environment=production names; None: none, or no such."""
    slug, where = request.GET.get("service", ""), request.GET.get("environment", "")
    places = standing_places().filter(service__slug=slug)
    found: Environment | None = (places.filter(slug=where) if where else places).first()
    return found


def _open(request: HttpRequest, form: NewIncidentForm) -> Incident | None:
    """None when one is open there: the form says which. One incident a service and environment."""
    place: Environment = form.cleaned_data["place"]
    title, text = form.cleaned_data["title"], form.cleaned_data["text"]
    by, now = signed_in(request), timezone.now()
    try:
        with transaction.atomic():
            incident = planning.open_by_hand(place.service, place, title=title, by=by, now=now)
            if text:
                incident.note(text, by=by, now=now)
            after = {"title": title, "text": text}
            record(actor_of(request), "opened", KIND, str(incident), now=now, after=after)
    except AlreadyOpen as found:
        form.add_error("place", str(found))
        return None
    planning.reconcile(now=now)
    return incident


def update(request: HttpRequest, incident: Incident) -> HttpResponse:
    form = UpdateForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        now, text = timezone.now(), form.cleaned_data["text"]
        with transaction.atomic():
            incident.note(text, by=signed_in(request), now=now)
            after = {"text": text}
            record(actor_of(request), "updated", KIND, str(incident), now=now, after=after)
        messages.success(request, "Your update stands in what happened.")
        return redirect("incident", incident.pk)
    return _page(request, form, "incidents/update.html", incident=incident)


def resolve(request: HttpRequest, incident: Incident) -> HttpResponse:
    if not incident.is_open:
        messages.info(request, f"{incident} is resolved already.")
        return redirect("incident", incident.pk)
    form = ResolutionForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        _resolve(request, incident, form.cleaned_data["text"])
        return redirect("incident", incident.pk)
    failing = fails_still(incident)
    return _page(request, form, "incidents/resolve.html", incident=incident, failing=failing)


def _resolve(request: HttpRequest, incident: Incident, text: str) -> None:
    by, now = signed_in(request), timezone.now()
    with transaction.atomic():
        if planning.resolve(incident, by=by, now=now, text=text):
            record(
                actor_of(request), "resolved", KIND, str(incident), now=now, after={"text": text}
            )
            said = f"{incident} is resolved."
        else:
            # It resolved itself, or somebody else was first: what was written is kept all the same.
            if text:
                incident.note(text, by=by, now=now)
            said = f"{incident} was resolved meanwhile."
    planning.reconcile(now=now)
    messages.success(request, said)


def write_afterword(request: HttpRequest, incident: Incident) -> HttpResponse:
    if incident.is_open:
        messages.info(request, "An afterword is written once the incident is over: resolve it.")
        return redirect("incident", incident.pk)
    with transaction.atomic():
        held = Incident.objects.select_for_update().get(pk=incident.pk)
        data = request.POST if request.method == "POST" else None
        form = AfterwordForm(data, incident=held)
        if form.is_valid() and form.is_on_top():
            _keep_afterword(request, held, form.cleaned_data["text"])
            return redirect("incident", incident.pk)
    return _page(request, form, "incidents/afterword.html", incident=incident)


def _keep_afterword(request: HttpRequest, incident: Incident, text: str) -> None:
    now, before = timezone.now(), {"afterword": incident.afterword}
    incident.write_afterword(text, by=signed_in(request), now=now)
    after = {"afterword": text}
    record(actor_of(request), "changed", KIND, str(incident), now=now, before=before, after=after)
    messages.success(request, "The afterword is saved.")


def _page(request: HttpRequest, form: Form, template: str, **context: Any) -> HttpResponse:
    context |= {"form": form, "to_fix": things_to_fix(len(form.errors)), "now": timezone.now()}
    return render(request, template, context, status=422 if form.errors else 200)
