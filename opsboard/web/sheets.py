"""The form of a critical path's sheet: look at it, try it, save it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from opsboard.alerts.planning import reconcile
from opsboard.services.models import CriticalPath, Service
from opsboard.web.access import actor_of
from opsboard.web.asking import ask_path
from opsboard.web.clause_check import check_clauses
from opsboard.web.finding import find_path, find_service
from opsboard.web.forms.paths import ASKED_WITH, PathForm
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.live import is_poll
from opsboard.web.saving import save_path


def answer(request: HttpRequest, slug: str, path: str | None) -> HttpResponse:
    """The form, or what became of it; `path` None: a new one."""
    service = find_service(slug, Service.objects.select_related("team"))
    if request.method != "POST":
        return _page(request, PathForm(service=service, path=_path(service, path)))
    act = request.POST.get("act")
    if act in ("ask", "check"):
        form = PathForm(request.POST, service=service, path=_path(service, path))
        return _ask(request, form) if act == "ask" else _check(request, form)
    return _save(request, service, path)


def _path(service: Service, slug: str | None) -> CriticalPath | None:
    return find_path(service, slug) if slug else None


def _check(request: HttpRequest, form: PathForm) -> HttpResponse:
    """Whether each clause can be read, while it is typed. Nothing else is judged or kept."""
    text, written = form["expected_result"].data or "", form["interval"].data or ""
    try:
        interval = form.fields["interval"].clean(written)
    except ValidationError:
        interval = None
    return render(request, "_clauses.html", {"clauses": check_clauses(text, interval)})


def _ask(request: HttpRequest, form: PathForm) -> HttpResponse:
    """Ask with what stands in the form. Nothing is saved, and the rest of it may be unfinished."""
    if form.is_valid() or not any(name in form.errors for name in (*ASKED_WITH, "__all__")):
        environment = form.chosen_environments()[0]
        asked = ask_path(form.as_path(), environment, now=timezone.now())
        return _page(request, form, asked=asked, status=200)
    return _page(request, form)


def _save(request: HttpRequest, service: Service, slug: str | None) -> HttpResponse:
    now = timezone.now()
    with transaction.atomic():
        # Two people saving the same slug wait for each other here.
        Service.objects.select_for_update().get(pk=service.pk)
        form = PathForm(request.POST, service=service, path=_path(service, slug))
        if not form.is_valid() or not form.is_on_top():
            return _page(request, form)
        stored = save_path(
            form.path, form.cleaned_data, service=service, actor=actor_of(request), now=now
        )
    reconcile(now=now)
    messages.success(request, f"{stored.name} is saved. It is asked again now.")
    return redirect("path", service.slug, stored.slug)


def _page(
    request: HttpRequest, form: PathForm, *, status: int | None = None, **context: Any
) -> HttpResponse:
    context |= {
        "form": form,
        "service": form.service,
        "path": form.path,
        "is_asked": request.POST.get("act") == "ask",
        "to_fix": things_to_fix(len(form.errors)),
    }
    usual = 422 if form.errors else 200
    # The page stays, and what was typed in it: only what stands beside the form is answered.
    is_beside = context["is_asked"] and is_poll(request)
    template = "paths/_beside.html" if is_beside else "paths/path_form.html"
    return render(request, template, context, status=status or usual)
