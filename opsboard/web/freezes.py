"""Freezes and holds: times in which nothing of a service is to go out."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.releases import stopping
from opsboard.releases.models import Freeze, Hold
from opsboard.releases.refusing import Refused
from opsboard.web.access import actor_of, may_edit, requires
from opsboard.web.finding import find_service
from opsboard.web.forms.freezes import EndHoldForm, FreezeForm, HoldForm
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.release_days import about
from opsboard.web.release_forms import did
from opsboard.web.silences import prefilled

ENDED_SHOWN = timedelta(days=30)
MOST_SHOWN = 200


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    since = now - ENDED_SHOWN
    known = Freeze.objects.filter(ends_at__gt=since).select_related("team", "service", "planned_by")
    rows = [(one, about(one)) for one in known.order_by("starts_at", "pk")[:MOST_SHOWN]]
    standing = [row for row in rows if row[0].removed_at is None and row[0].ends_at > now]
    frozen = [row for row in standing if row[0].starts_at <= now]
    holds = Hold.objects.open().filter(service__removed_at=None)
    held = list(holds.select_related("service", "by").order_by("at", "pk")[:MOST_SHOWN])
    context = {
        "now": now,
        "may_edit": may_edit(request),
        "head": _head(len(frozen), len(held)),
        "frozen": frozen,
        "coming": [row for row in standing if row[0].starts_at > now],
        "ended": [row for row in reversed(rows) if row not in standing],
        "holds": held,
    }
    return render(request, "releases/freezes.html", context)


def _head(frozen: int, held: int) -> str:
    said = [f"{frozen} freeze{' stands' if frozen == 1 else 's stand'}"] if frozen else []
    said += [f"{held} service{' is' if held == 1 else 's are'} held"] if held else []
    return ", ".join(said) or "Nothing is frozen or held"


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    posted = request.POST if request.method == "POST" else None
    form = FreezeForm(posted, stored=prefilled(request), now=now)
    if form.is_valid():
        data = form.cleaned_data

        def act() -> object:
            return stopping.freeze(
                reason=data["reason"],
                starts_at=data["starts_at"],
                ends_at=data["ends_at"],
                by=actor_of(request),
                now=now,
                team=data["team"],
                service=data["service"],
                environment_slug=data["environment"],
            )

        if did(form, act):
            messages.success(request, "The freeze is planned. A rollback is always allowed.")
            return redirect("freezes")
    return _page(request, form, "releases/freeze.html")


@requires("editor")
@require_POST
def end(request: HttpRequest, freeze: int) -> HttpResponse:
    """It ends now; one that has not begun is called off."""
    one = get_object_or_404(Freeze, pk=freeze)
    try:
        stopping.end_freeze(one, by=actor_of(request), now=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"{about(one)} is not frozen by this any more.")
    return redirect("freezes")


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new_hold(request: HttpRequest) -> HttpResponse:
    posted = request.POST if request.method == "POST" else None
    slug = request.GET.get("service", "")
    form = HoldForm(posted, initial={"service": find_service(slug).pk} if slug else {})
    if form.is_valid():
        service, reason = form.cleaned_data["service"], form.cleaned_data["reason"]
        by, now = actor_of(request), timezone.now()
        if did(form, lambda: stopping.hold(service, reason=reason, by=by, now=now)):
            messages.success(request, f"{service.name} is held until somebody ends it.")
            return redirect("freezes")
    return _page(request, form, "releases/hold.html")


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def end_hold(request: HttpRequest, hold: int) -> HttpResponse:
    one = get_object_or_404(Hold.objects.select_related("service", "by"), pk=hold)
    form = EndHoldForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        because, by, now = form.cleaned_data["because"], actor_of(request), timezone.now()
        if did(form, lambda: stopping.end_hold(one, because=because, by=by, now=now)):
            messages.success(request, f"{one.service.name} is not held any more.")
            return redirect("freezes")
    return _page(request, form, "releases/hold_end.html", hold=one)


def _page(request: HttpRequest, form: Any, template: str, **more: Any) -> HttpResponse:
    context = {"form": form, "to_fix": things_to_fix(len(form.errors)), "now": timezone.now()}
    return render(request, template, context | more, status=422 if form.errors else 200)
