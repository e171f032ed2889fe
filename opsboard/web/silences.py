"""Silences: nobody is told of what they are about, until they end. Observing goes on."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.alerts import silencing
from opsboard.alerts.models import Silence
from opsboard.alerts.silencing import about
from opsboard.web.access import actor_of, may_edit, requires
from opsboard.web.finding import find_path, find_service, find_team
from opsboard.web.forms.reach import path_names
from opsboard.web.forms.silences import SilenceForm
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.turning import turn
from opsboard.web.words import clock

ENDED_SHOWN = timedelta(days=30)


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    known = Silence.objects.filter(ends_at__gt=now - ENDED_SHOWN).select_related(
        "team", "service", "path__service", "by"
    )
    in_force, coming, ended = [], [], []
    for silence in known.order_by("starts_at", "pk"):
        # Called off before it began: from and until are the same moment.
        if silence.ends_at <= max(now, silence.starts_at):
            ended.append((silence, about(silence)))
        elif silence.starts_at > now:
            coming.append((silence, about(silence)))
        else:
            in_force.append((silence, about(silence)))
    ended.sort(key=lambda pair: pair[0].ends_at, reverse=True)
    shown, turning = turn(ended, request.GET)
    context = {
        "now": now,
        "may_edit": may_edit(request),
        "head": _head(len(in_force)),
        "in_force": in_force,
        "coming": coming,
        "ended": shown,
        "turning": turning,
    }
    return render(request, "silences/index.html", context)


def _head(count: int) -> str:
    if not count:
        return "Nothing is silenced"
    return f"{count} silence{' is' if count == 1 else 's are'} in force"


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    posted = request.POST if request.method == "POST" else None
    form = SilenceForm(posted, stored=prefilled(request), now=now)
    if not form.is_valid():
        return _page(request, form)
    data = form.cleaned_data
    silence = silencing.begin(
        form.reach(),
        reason=data["reason"],
        starts_at=data["starts_at"],
        ends_at=data["ends_at"],
        by=actor_of(request),
        now=now,
    )
    until = clock(silence.ends_at, now)
    messages.success(request, f"{about(silence)} is silenced until {until} UTC. Observing goes on.")
    return redirect("silences")


@requires("editor")
@require_POST
def end(request: HttpRequest, silence: int) -> HttpResponse:
    """It holds nothing back from now on; what fails still is told."""
    now = timezone.now()
    try:
        one = silencing.end(silence, by=actor_of(request), now=now)
    except Silence.DoesNotExist as gone:
        raise Http404 from gone
    messages.success(request, f"{about(one)} is not silenced by this any more.")
    return redirect("silences")


def prefilled(request: HttpRequest) -> dict[str, Any]:
    """What an address with ?service= and so on asks to be filled in. Raises Http404."""
    asked = request.GET
    stored: dict[str, Any] = {"environment": asked.get("environment", "")}
    if asked.get("team"):
        stored["team"] = find_team(asked["team"]).pk
    if asked.get("service"):
        service = find_service(asked["service"])
        stored["service"] = service.pk
        if asked.get("path"):
            stored["path"] = find_path(service, asked["path"])
    return stored


def _page(request: HttpRequest, form: SilenceForm) -> HttpResponse:
    context = {
        "form": form,
        "paths": path_names(),
        "to_fix": things_to_fix(len(form.errors)),
    }
    return render(request, "silences/new.html", context, status=422 if form.errors else 200)
