"""Incidents: what hurts, the way back, who has it, who was told, and what people do about it."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.people.audit import record
from opsboard.web import feed, incident_forms, incident_rollback
from opsboard.web.access import actor_of, may_edit, requires, signed_in
from opsboard.web.finding import find_incident
from opsboard.web.incident_list import read_incidents
from opsboard.web.incident_page import read_incident_page
from opsboard.web.live import answer, polled
from opsboard.web.words import holder


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    person = signed_in(request)
    context = read_incidents(request.GET, person=person, now=now)
    context["feed"] = feed.address_of(person, request.GET)
    status = 422 if context["mistake"] else 200
    return render(request, "incidents/index.html", context, status=status)


@requires("viewer")
@require_safe
@polled
def show(request: HttpRequest, number: int) -> HttpResponse:
    now = timezone.now()
    incident = find_incident(number)
    context = read_incident_page(incident, now=now)
    # A poll gets no context of the whole page: what its part needs is said here.
    context |= {"now": now, "may_edit": may_edit(request), "here": request.get_full_path()}
    return answer(request, "incidents/show.html", context, part="incident")


@requires("editor")
@require_POST
def acknowledge(request: HttpRequest, number: int) -> HttpResponse:
    """The first person wins; to everybody after, the page says who has it."""
    incident = find_incident(number)
    now = timezone.now()
    with transaction.atomic():
        is_first = incident.acknowledge(by=signed_in(request), now=now)
        if is_first:
            record(actor_of(request), "acknowledged", "incident", str(incident), now=now)
    if not is_first and incident.acknowledged_at:
        messages.info(request, f"{holder(incident)} has {incident} already.")
    elif not is_first:
        messages.info(request, f"{incident} is resolved: there is nothing to acknowledge.")
    return redirect("incident", number)


# The way back


@requires("editor")
@require_POST
def start_rollback(request: HttpRequest, number: int) -> HttpResponse:
    """Says who goes back, and since when. It runs nothing."""
    return incident_rollback.start(request, find_incident(number))


@requires("editor")
@require_POST
def mark_step(request: HttpRequest, number: int, step: int) -> HttpResponse:
    return incident_rollback.mark(request, find_incident(number), step)


# Forms


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    return incident_forms.new(request)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def update(request: HttpRequest, number: int) -> HttpResponse:
    return incident_forms.update(request, find_incident(number))


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def resolve(request: HttpRequest, number: int) -> HttpResponse:
    return incident_forms.resolve(request, find_incident(number))


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def write_afterword(request: HttpRequest, number: int) -> HttpResponse:
    return incident_forms.write_afterword(request, find_incident(number))
