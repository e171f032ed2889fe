"""Silences: nobody is told of what they are about, until they end. Observing goes on."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.alerts.models import Silence
from opsboard.alerts.planning import reconcile
from opsboard.people.audit import record
from opsboard.web.access import actor_of, may_edit, requires, signed_in
from opsboard.web.finding import find_path, find_service, find_team
from opsboard.web.forms.reach import about, path_names
from opsboard.web.forms.silences import SilenceForm
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.words import clock

KIND = "silence"
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
    context = {
        "now": now,
        "may_edit": may_edit(request),
        "head": _head(len(in_force)),
        "in_force": in_force,
        "coming": coming,
        "ended": ended,
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
    with transaction.atomic():
        silence = _stored(form, request)
        words = facts(silence)
        record(actor_of(request), "added", KIND, about(silence), now=now, after=words)
    reconcile(now=now)
    until = clock(silence.ends_at, now)
    messages.success(request, f"{about(silence)} is silenced until {until} UTC. Observing goes on.")
    return redirect("silences")


@requires("editor")
@require_POST
def end(request: HttpRequest, silence: int) -> HttpResponse:
    """It holds nothing back from now on; what fails still is told."""
    now = timezone.now()
    with transaction.atomic():
        one = get_object_or_404(Silence.objects.select_for_update(of=("self",)), pk=silence)
        if one.ends_at > max(now, one.starts_at):
            before = facts(one)
            # One that has not begun ends as it begins: it was never in force.
            one.ends_at = max(now, one.starts_at)
            one.save(update_fields=["ends_at"])
            after = facts(one)
            record(
                actor_of(request), "ended", KIND, about(one), now=now, before=before, after=after
            )
    reconcile(now=now)
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


def facts(silence: Silence) -> dict[str, str]:
    """What the audit log keeps of it."""
    return {
        "about": about(silence),
        "why": silence.reason,
        "from": f"{silence.starts_at:%Y-%m-%d %H:%M} UTC",
        "until": f"{silence.ends_at:%Y-%m-%d %H:%M} UTC",
    }


def _stored(form: SilenceForm, request: HttpRequest) -> Silence:
    data = form.cleaned_data
    path = data["path"]
    return Silence.objects.create(
        team=data["team"],
        service=path.service if path else data["service"],
        path=path,
        environment_slug=data["environment"],
        reason=data["reason"],
        starts_at=data["starts_at"],
        ends_at=data["ends_at"],
        by=signed_in(request),
    )


def _page(request: HttpRequest, form: SilenceForm) -> HttpResponse:
    context = {
        "form": form,
        "paths": path_names(),
        "to_fix": things_to_fix(len(form.errors)),
    }
    return render(request, "silences/new.html", context, status=422 if form.errors else 200)
