"""Critical paths and their sheets."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.alerts.planning import reconcile
from opsboard.probes.models import stand_up
from opsboard.probes.path_states import path_now
from opsboard.services.models import CriticalPath
from opsboard.web import csv_files, removing, sheets
from opsboard.web.access import actor_of, may_edit, requires, signed_in
from opsboard.web.expected import limits_for
from opsboard.web.finding import find_path, find_service
from opsboard.web.heartbeats import read_heartbeat
from opsboard.web.history_csv import chart_columns, chart_rows
from opsboard.web.live import answer, is_poll, polled
from opsboard.web.path_page import read_path_page
from opsboard.web.path_place import PEOPLE, find_place
from opsboard.web.saving import note_down
from opsboard.web.series import RANGES, USUAL, changes_in, read_series


def find(service: str, path: str) -> CriticalPath:
    """The path with its service and its people. Raises Http404; Gone for one that was removed."""
    standing = CriticalPath.objects.standing().select_related(*PEOPLE)
    found = standing.filter(service__slug=service, slug=path).first()
    return found or find_path(find_service(service), path)


@requires("viewer")
@require_safe
@polled
def show(request: HttpRequest, service: str, path: str) -> HttpResponse:
    now = timezone.now()
    place = find_place(service, path, request.GET.get("environment"))
    if place is None:
        return _not_probed(request, find(service, path))
    chosen = RANGES.get(request.GET.get("range", USUAL))
    if chosen is None:
        raise Http404
    editor = may_edit(request)
    context = read_path_page(place, chosen, is_poll=is_poll(request), may_edit=editor, now=now)
    context |= read_heartbeat(place, may_edit=editor)
    # A poll gets no context of the whole page: what its part needs is said here.
    context |= {"now": now, "may_edit": editor, "here": request.get_full_path()}
    return answer(request, "paths/show.html", context, part="path")


@requires("viewer")
@require_safe
def chart_csv(request: HttpRequest, service: str, path: str) -> HttpResponse:
    """What the chart of a range shows, a line for each of its steps."""
    now = timezone.now()
    place = find_place(service, path, request.GET.get("environment"))
    chosen = RANGES.get(request.GET.get("range", USUAL))
    if place is None:
        # Where it was removed, that is said.
        find(service, path)
    if place is None or chosen is None:
        raise Http404
    one = place.path
    standing = path_now(place.probes, now=now)
    changes = changes_in(standing, chosen, now=now)
    series = read_series(standing, chosen, limits_for(one), changes, now=now)
    name = f"{service}-{path}-{place.environment.slug}-{chosen.slug}-{now:%Y-%m-%d}.csv"
    return csv_files.answer(name, chart_columns(one.kind), chart_rows(series, one.kind))


def _not_probed(request: HttpRequest, path: CriticalPath) -> HttpResponse:
    """A sheet that nothing asks yet is still read; an environment it is not probed in is not."""
    if "environment" in request.GET:
        raise Http404
    return render(request, "paths/not_probed.html", {"path": path, "service": path.service})


@requires("editor")
@require_POST
def ask_now(request: HttpRequest, service: str, path: str) -> HttpResponse:
    one, environment = find(service, path), request.POST.get("environment", "")
    now = timezone.now()
    probes = one.probes.active().select_related("environment")
    with transaction.atomic():
        for probe in probes:
            if environment in ("", probe.environment.slug):
                probe.ask_now(now)
        note_down(actor_of(request), "asked now", one, now=now)
    return _back(one, environment)


@requires("editor")
@require_POST
def pause(request: HttpRequest, service: str, path: str) -> HttpResponse:
    """Pause in every environment, or with paused=no ask again. Twice is as good as once."""
    one, now, actor = find(service, path), timezone.now(), actor_of(request)
    with transaction.atomic():
        if request.POST.get("paused") == "no":
            if one.paused_at is not None:
                note_down(actor, "resumed", one, now=now)
            one.resume()
        elif one.paused_at is None:
            note_down(actor, "paused", one, now=now)
            one.pause(by=signed_in(request), now=now)
        stand_up(one.service, now=now, location=settings.HOME_LOCATION)
    reconcile(now=now)
    return _back(one, request.POST.get("environment", ""))


@requires("editor")
@require_POST
def still_true(request: HttpRequest, service: str, path: str) -> HttpResponse:
    one, now = find(service, path), timezone.now()
    with transaction.atomic():
        one.still_true(by=signed_in(request), now=now)
        note_down(actor_of(request), "checked", one, now=now)
    if request.POST.get("back") == "mine":
        messages.success(request, f"{one.name} is checked: its sheet is still true.")
        return redirect("mine")
    return _back(one, request.POST.get("environment", ""))


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, service: str, path: str) -> HttpResponse:
    return removing.answer(request, find(service, path))


def _back(path: CriticalPath, environment: str) -> HttpResponse:
    url = reverse("path", args=[path.service.slug, path.slug])
    return redirect(f"{url}?{urlencode({'environment': environment})}" if environment else url)


# Forms


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, service: str) -> HttpResponse:
    return sheets.answer(request, service, None)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, service: str, path: str) -> HttpResponse:
    return sheets.answer(request, service, path)
