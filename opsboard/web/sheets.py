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
from opsboard.web.forms.editing import Difference
from opsboard.web.forms.paths import PathForm, known_kind
from opsboard.web.forms.step_acts import after, is_an_act
from opsboard.web.forms.steps import PREFIX, sent_steps, text_of
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.live import is_poll
from opsboard.web.saving import save_path


def answer(request: HttpRequest, slug: str, path: str | None) -> HttpResponse:
    """The form, or what became of it; `path` None: a new one."""
    service = find_service(slug, Service.objects.select_related("team"))
    if request.method != "POST":
        kind = request.GET.get("kind", "")
        return _page(request, PathForm(service=service, path=_path(service, path), kind=kind))
    act = request.POST.get("act", "")
    if act == "check":
        return _check(request)
    if is_an_act(act):
        return _show_again(request, act, service, _path(service, path))
    if act == "ask":
        return _ask(request, _sent(request, service, path))
    return _save(request, service, path)


def _sent(request: HttpRequest, service: Service, path: str | None) -> PathForm:
    return PathForm(
        request.POST, service=service, path=_path(service, path), rows=sent_steps(request.POST)
    )


def _show_again(
    request: HttpRequest, act: str, service: Service, path: CriticalPath | None
) -> HttpResponse:
    """What was typed, not judged, with another kind or other steps."""
    data, rows = after(act, request.POST)
    form = PathForm(data, service=service, path=path, rows=rows)
    form.full_clean()
    form.errors.clear()
    return _page(request, form)


def _path(service: Service, slug: str | None) -> CriticalPath | None:
    return find_path(service, slug) if slug else None


def _check(request: HttpRequest) -> HttpResponse:
    """Whether each clause can be read, while it is typed. Nothing else is judged or kept."""
    data = request.POST
    try:
        interval = PathForm.base_fields["interval"].clean(data.get("interval", ""))
    except ValidationError:
        interval = None
    of = data.get("of", "expected_result")
    clauses = check_clauses(
        data.get(of, ""),
        interval,
        kind=known_kind(data.get("kind", "")),
        is_of_step=of != "expected_result",
        has_steps=f"{PREFIX}-TOTAL_FORMS" in data,
    )
    return render(request, "_clauses.html", {"clauses": clauses})


def _ask(request: HttpRequest, form: PathForm) -> HttpResponse:
    """Ask with what stands in the form. Nothing is saved, and the rest of it may be unfinished."""
    if form.is_valid() or form.can_be_asked:
        environment = form.chosen_environments()[0]
        asked = ask_path(form.as_path(), environment, now=timezone.now())
        return _page(request, form, asked=asked, status=200)
    return _page(request, form)


def _save(request: HttpRequest, service: Service, slug: str | None) -> HttpResponse:
    now = timezone.now()
    with transaction.atomic():
        # Two people saving the same slug wait for each other here.
        Service.objects.select_for_update().get(pk=service.pk)
        form = _sent(request, service, slug)
        if not form.is_valid() or not form.is_on_top(*_steps_of_both(form)):
            return _page(request, form)
        stored = save_path(
            form.path, form.cleaned_data, service=service, actor=actor_of(request), now=now
        )
    reconcile(now=now)
    messages.success(request, f"{stored.name} is saved. It is asked again now.")
    return redirect("path", service.slug, stored.slug)


def _steps_of_both(form: PathForm) -> list[Difference]:
    theirs, mine = form.stored["steps"], form.cleaned_data["steps"]
    return [Difference("Steps", text_of(theirs), text_of(mine))]


def _page(
    request: HttpRequest, form: PathForm, *, status: int | None = None, **context: Any
) -> HttpResponse:
    context |= {
        "form": form,
        "service": form.service,
        "path": form.path,
        "is_asked": request.POST.get("act") == "ask",
        "to_fix": things_to_fix(form.wrong),
        "kinds": CriticalPath.Kind.choices,
    }
    usual = 422 if form.wrong else 200
    # The page stays, and what was typed in it: only what stands beside the form is answered.
    is_beside = context["is_asked"] and is_poll(request)
    template = "paths/_beside.html" if is_beside else "paths/path_form.html"
    return render(request, template, context, status=status or usual)
