"""Putting a path on the board: paste what should work, look at the reply, name it."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from opsboard.alerts.planning import reconcile
from opsboard.outbound.http import ask_once
from opsboard.people.audit import Actor
from opsboard.probes.asking import ask_order
from opsboard.probes.rules import judge
from opsboard.services.models import CriticalPath, Service
from opsboard.services.rules import slug_from
from opsboard.web import drafts, starting
from opsboard.web.access import actor_of, requires
from opsboard.web.asking import Asked, shown
from opsboard.web.clause_check import check_clauses
from opsboard.web.forms.first_run import PasteForm, StartForm
from opsboard.web.forms.services import free_service_slug
from opsboard.web.forms.teams import team_names
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.saving import note_down, team_called


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("pasted")
def add(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, PasteForm())
    if request.POST.get("act") == "save":
        return _save(request, StartForm(request.POST))
    if request.POST.get("act") == "check":
        clauses = check_clauses(request.POST.get("expected_result", ""))
        return render(request, "_clauses.html", {"clauses": clauses})
    form = PasteForm(request.POST)
    return _ask(request, form) if form.is_valid() else _page(request, form)


def _page(request: HttpRequest, form: PasteForm, **context: Any) -> HttpResponse:
    is_first = not Service.objects.standing().filter(is_built_in=False).exists()
    context |= {
        "form": form,
        "is_first": is_first,
        # In production nobody starts sample services beside the board.
        "offers_demo": is_first and settings.EMBEDDED,
        "to_fix": things_to_fix(len(form.errors)),
        "teams": team_names(),
        "services": Service.objects.standing().order_by("name").values_list("name", flat=True),
    }
    return render(request, "first_run/add.html", context, status=422 if form.errors else 200)


def _ask(request: HttpRequest, form: PasteForm) -> HttpResponse:
    start, typed = form.start, request.POST
    asked, proposed = _reply(start, typed)
    is_corrected = typed.get("expected_result", "") not in ("", typed.get("proposed", ""))
    filled = StartForm(
        initial={
            "pasted": typed["pasted"],
            "service": typed.get("service") or _service_words(start),
            "owner": typed.get("owner") or _owner_words(start),
            "name": typed.get("name") or starting.guessed_name(start),
            "expected_result": typed["expected_result"] if is_corrected else proposed,
            "proposed": proposed,
        }
    )
    return _page(request, filled, start=start, asked=asked)


def _reply(start: starting.Start, typed: Any) -> tuple[Asked, str]:
    """What came back, and the clauses proposed from it; judged by those that were typed."""
    now = timezone.now()
    order = drafts.order_for(drafts.draft(start), start)
    reply, judgement = ask_order(order, now=now)
    proposed = drafts.proposal(reply, judgement)
    clauses = drafts.readable(typed.get("expected_result") or proposed)
    judgement = judge(reply, clauses, now=now)
    return shown(order, reply, judgement, environment=start.environment.slug), proposed


def _service_words(start: starting.Start) -> str:
    name = start.service.name if start.service else ""
    return name or starting.guessed_service(start.request.site)


def _owner_words(start: starting.Start) -> str:
    """The service's team; for a new one the only team there is, besides Opsboard's own."""
    if start.service:
        return start.service.team.name
    teams = [name for name in team_names() if name != "Opsboard"]
    return teams[0] if len(teams) == 1 else ""


def _save(request: HttpRequest, form: StartForm) -> HttpResponse:
    if not form.is_valid():
        return _page(request, form, start=getattr(form, "start", None))
    try:
        path, health = _store(form, actor=actor_of(request), now=timezone.now())
    except (IntegrityError, ValidationError):
        # Somebody was faster between the look and the write.
        form.add_error(None, "Somebody else added one of these a moment ago. Save again.")
        return _page(request, form, start=form.start)
    reconcile(now=timezone.now())
    _say(request, path, health)
    return redirect("path", path.service.slug, path.slug)


def _store(
    form: StartForm, *, actor: Actor, now: datetime
) -> tuple[CriticalPath, CriticalPath | None]:
    """The path, and the health path that was made beside it, or None."""
    start, data = form.start, form.cleaned_data
    path = drafts.draft(start, expected_result=data["expected_result"], name=data["name"])
    path.slug = "health" if start.becomes_health else slug_from(data["name"])[0]
    health = _health(start) if start.lacks_health and not start.becomes_health else None
    with transaction.atomic():
        service = start.service or _new_service(data, actor=actor, now=now)
        owner = team_called(data["owner"], actor=actor, now=now) if data["owner"] else None
        path.owner = None if owner == service.team else owner
        paths = [path] if health is None else [path, health]
        drafts.put_on_board(start, service, paths, actor=actor, now=now)
    return path, health


def _new_service(data: dict[str, Any], *, actor: Actor, now: datetime) -> Service:
    name = data["service"]
    team = team_called(data["owner"], actor=actor, now=now)
    service = Service.objects.create(slug=free_service_slug("", name=name), name=name, team=team)
    note_down(actor, "added", service, now=now)
    return service


def _health(start: starting.Start) -> CriticalPath:
    path = drafts.health_path(start)
    order = drafts.order_for(path, start)
    reply = order.refusal() if order.problem else ask_once(order.ask, policy=order.policy)
    path.expected_result = drafts.health_expected(reply)
    return path


def _say(request: HttpRequest, path: CriticalPath, health: CriticalPath | None) -> None:
    messages.success(request, f"{path.name} is on the board. It is being asked now.")
    if health is None:
        return
    edit = reverse("path-edit", args=[path.service.slug, health.slug])
    messages.info(
        request,
        format_html(
            "Every service has the path health: it asks GET / and expects {}. "
            '<a href="{}">Edit it</a> if another route says better that the service is up.',
            health.expected_result,
            edit,
        ),
    )
