"""Routes: which alerts go to which channels, when; and trying who would hear."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.alerts.models import Channel, Route
from opsboard.alerts.planning import reconcile
from opsboard.people.audit import record
from opsboard.web.access import actor_of, requires
from opsboard.web.forms.fields import zones
from opsboard.web.forms.routes import STORED, RouteForm, TryForm
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.route_words import facts, row_of
from opsboard.web.who_hears import tried

KIND = "alert route"


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    standing = Channel.objects.standing().order_by("name")
    routes = (
        Route.objects.standing()
        .select_related("team")
        .prefetch_related(Prefetch("channels", standing), Prefetch("escalate_to", standing))
        .order_by("name", "pk")
    )
    form = TryForm(request.GET if "service" in request.GET else None, now=now)
    context = {
        "now": now,
        "rows": [row_of(route, now=now) for route in routes],
        "form": form,
        "zones": zones(),
    }
    return render(request, "routes/index.html", context | _answer(form))


def _answer(form: TryForm) -> dict[str, Any]:
    if not form.is_valid():
        return {}
    data, at = form.cleaned_data, form.moment
    heard = tried(data["service"], data["environment"], data["kind"], at=at)
    return {"hearing": heard, "asked_at": at}


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    return _edit(request, None)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, route: int) -> HttpResponse:
    return _edit(request, route)


@requires("editor")
@require_POST
def remove(request: HttpRequest, route: int) -> HttpResponse:
    """What it told stays told; what comes now takes the other routes, or the default route."""
    now = timezone.now()
    with transaction.atomic():
        one = get_object_or_404(Route.objects.standing().select_for_update(), pk=route)
        before = facts(one)
        one.removed_at = now
        one.save(update_fields=["removed_at"])
        record(actor_of(request), "removed", KIND, one.name, now=now, before=before)
    reconcile(now=now)
    messages.success(request, f"The route {one.name} is removed.")
    return redirect("routes")


def _edit(request: HttpRequest, number: int | None) -> HttpResponse:
    """The form, or what became of it; `number` None: a new route."""
    if request.method != "POST":
        return _page(request, RouteForm(route=_route(number)))
    now = timezone.now()
    with transaction.atomic():
        form = RouteForm(request.POST, route=_route(number, to_change=True))
        if not form.is_valid() or not form.is_on_top():
            return _page(request, form)
        before = facts(form.route) if form.route else {}
        route = _store(form)
        act = "changed" if before else "added"
        record(actor_of(request), act, KIND, route.name, now=now, before=before, after=facts(route))
    reconcile(now=now)
    messages.success(request, f"The route {route.name} is saved.")
    return redirect("routes")


def _route(number: int | None, *, to_change: bool = False) -> Route | None:
    if number is None:
        return None
    routes = Route.objects.standing()
    return get_object_or_404(routes.select_for_update() if to_change else routes, pk=number)


def _store(form: RouteForm) -> Route:
    route, data = form.route or Route(), form.cleaned_data
    for name in (*STORED, "team"):
        setattr(route, name, data[name])
    route.save()
    route.channels.set(data["channels"])
    # Minutes without channels are no second step, nor channels without minutes.
    route.escalate_to.set(data["escalate_to"] if data["escalate_after"] else [])
    return route


def _page(request: HttpRequest, form: RouteForm) -> HttpResponse:
    context = {
        "form": form,
        "route": form.route,
        "zones": zones(),
        "to_fix": things_to_fix(len(form.errors)),
    }
    return render(request, "routes/route_form.html", context, status=422 if form.errors else 200)
