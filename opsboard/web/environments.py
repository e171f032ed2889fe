"""The form of an environment with the rows of its variables."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from opsboard.alerts.planning import reconcile
from opsboard.services.models import Environment, Service
from opsboard.web.access import actor_of
from opsboard.web.finding import find_environment, find_service
from opsboard.web.forms.editing import Difference, typed
from opsboard.web.forms.environments import (
    EnvironmentForm,
    VariableFormSet,
    VariableRows,
    stored_variables,
    used_names,
)
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.saving import save_environment


def answer(request: HttpRequest, slug: str, environment: str | None) -> HttpResponse:
    """The form, or what became of it; `environment` None: a new one."""
    service = find_service(slug, Service.objects.select_related("team"))
    if request.method != "POST":
        place = _place(service, environment)
        form = EnvironmentForm(service=service, environment=place)
        return _page(request, form, _rows(place))
    if request.POST.get("act") == "rows":
        return _with_more_rows(request, service, _place(service, environment))
    return _save(request, service, environment)


def _save(request: HttpRequest, service: Service, slug: str | None) -> HttpResponse:
    now = timezone.now()
    with transaction.atomic():
        Service.objects.select_for_update().get(pk=service.pk)
        place = _place(service, slug)
        form = EnvironmentForm(request.POST, service=service, environment=place)
        rows = _rows(place, request.POST)
        # Both are judged, so that all that is wrong is said at once.
        if not all([form.is_valid(), rows.is_valid()]) or not _is_on_top(form, rows):
            return _page(request, form, rows)
        stored = save_environment(
            place,
            form.cleaned_data,
            rows.rows(),
            service=service,
            actor=actor_of(request),
            now=now,
        )
    reconcile(now=now)
    messages.success(request, f"{stored.slug} of {service.name} is saved.")
    return redirect("service", service.slug)


def _place(service: Service, slug: str | None) -> Environment | None:
    return find_environment(service, slug) if slug else None


def _rows(place: Environment | None, data: Any = None, **kwargs: Any) -> VariableRows:
    if data is None and "initial" not in kwargs:
        kwargs["initial"] = stored_variables(place)
    rows: VariableRows = VariableFormSet(data, prefix="variable", **kwargs)
    rows.kept = {one.name: one for one in place.variables.all()} if place else {}
    rows.used = used_names(place) if place else {}
    rows.tell_what_is_kept()
    return rows


def _with_more_rows(
    request: HttpRequest, service: Service, place: Environment | None
) -> HttpResponse:
    """What was typed, not judged, with three empty rows below it."""
    form = EnvironmentForm(request.POST, service=service, environment=place)
    unjudged = EnvironmentForm(service=service, environment=place)
    unjudged.initial.update(typed(form))
    rows = _rows(place, request.POST)
    return _page(request, unjudged, _rows(place, initial=[typed(row) for row in rows.forms]))


def _is_on_top(form: EnvironmentForm, rows: VariableRows) -> bool:
    theirs = stored_variables(form.environment)
    return form.is_on_top(Difference("Variables", _words(theirs), _words(rows.rows())))


def _words(rows: list[dict[str, Any]]) -> str:
    lines = (f"{row['name']}={'secret' if row['is_secret'] else row['value']}" for row in rows)
    return "\n".join(sorted(lines))


def _page(request: HttpRequest, form: EnvironmentForm, rows: VariableRows) -> HttpResponse:
    wrong = len(form.errors) + rows.total_error_count() if form.is_bound else 0
    context = {
        "form": form,
        "rows": rows,
        "service": form.service,
        "environment": form.environment,
        "to_fix": things_to_fix(wrong),
    }
    return render(request, "services/environment_form.html", context, status=422 if wrong else 200)
