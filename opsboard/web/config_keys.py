"""The configuration of a service: which keys are declared, and how each environment stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from opsboard.probes.rules import State
from opsboard.releases.config_reports import Standing, standings
from opsboard.releases.config_rules import differences_words, facts_of
from opsboard.services import config_keys
from opsboard.services.models import ConfigKey, Service
from opsboard.services.told import tell
from opsboard.web.access import actor_of, requires
from opsboard.web.finding import find_service
from opsboard.web.forms.config_keys import (
    KeyFormSet,
    KeyRows,
    KeysForm,
    stored_lines,
    stored_rows,
)
from opsboard.web.forms.editing import Difference, typed
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.saving import note_down
from opsboard.web.words import counted


@dataclass(frozen=True, slots=True)
class Row:
    """An environment beside the declared keys."""

    environment: str
    at: datetime | None
    state: State
    words: str
    lines: list[str]


@requires("viewer")
@require_safe
def show(request: HttpRequest, service: str) -> HttpResponse:
    one = find_service(service, Service.objects.select_related("team"))
    keys = list(one.config_keys.order_by("name"))
    rows = [_row(standing) for standing in standings(one)] if keys else []
    context = {
        "service": one,
        "keys": [(key.name, config_keys.words(config_keys.rules_of(key))) for key in keys],
        "rows": rows,
        "head": _head(one, keys, rows),
        "now": timezone.now(),
    }
    return render(request, "services/config_keys.html", context)


def _row(standing: Standing) -> Row:
    if standing.report is None or standing.judgement is None:
        return Row(standing.environment, None, State.NO_DATA, "never reported", [])
    judgement = standing.judgement
    state, words = {
        "passed": (State.PASSING, "keeps its rules"),
        "failed": (State.FAILING, "does not keep its rules"),
    }.get(judgement.outcome, (State.NO_DATA, "cannot be compared yet"))
    lines = differences_words(facts_of(judgement, root="", report=0))
    return Row(standing.environment, standing.report.at, state, words, lines)


def _head(service: Service, keys: list[ConfigKey], rows: list[Row]) -> str:
    if not keys:
        return f"{service.name} declares no config keys"
    wrong = [row.environment for row in rows if row.state is State.FAILING]
    if wrong:
        does = "does" if len(wrong) == 1 else "do"
        return f"{', '.join(wrong)} {does} not keep the config rules of {service.name}"
    unknown = [row.environment for row in rows if row.state is State.NO_DATA]
    if unknown:
        return f"The configuration of {service.name} is not known in {', '.join(unknown)}"
    return f"{service.name} keeps the rules of its {counted(len(keys), 'config key')}"


# Editing


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, service: str) -> HttpResponse:
    if request.method != "POST":
        one = find_service(service)
        return _page(request, KeysForm(service=one), _rows(one))
    if request.POST.get("act") == "rows":
        return _with_more_rows(request, find_service(service))
    return _save(request, service)


def _save(request: HttpRequest, slug: str) -> HttpResponse:
    with transaction.atomic():
        one = find_service(slug, Service.objects.select_for_update())
        form, rows = KeysForm(request.POST, service=one), _rows(one, request.POST)
        # Both are judged, so that all that is wrong is said at once.
        if not all([form.is_valid(), rows.is_valid()]) or not _is_on_top(form, rows):
            return _page(request, form, rows)
        before = tell(one)
        one.config_keys.all().delete()
        ConfigKey.objects.bulk_create(
            config_keys.made(one, name, rules) for name, rules in rows.keys().items()
        )
        note_down(actor_of(request), "changed", one, now=timezone.now(), before=before)
    messages.success(request, f"The config keys of {one.name} are saved.")
    return redirect("config-keys", one.slug)


def _is_on_top(form: KeysForm, rows: KeyRows) -> bool:
    theirs, yours = stored_lines(form.service), config_keys.lines(rows.keys())
    return form.is_on_top(Difference("Config keys", "\n".join(theirs), "\n".join(yours)))


def _rows(service: Service, data: Any = None, **kwargs: Any) -> KeyRows:
    if data is None and "initial" not in kwargs:
        kwargs["initial"] = stored_rows(service)
    rows: KeyRows = KeyFormSet(data, prefix="key", **kwargs)
    return rows


def _with_more_rows(request: HttpRequest, service: Service) -> HttpResponse:
    """What was typed, not judged, with three empty rows below it."""
    form = KeysForm(service=service)
    form.initial["shown"] = request.POST.get("shown", "")
    rows = _rows(service, request.POST)
    return _page(request, form, _rows(service, initial=[typed(row) for row in rows.forms]))


def _page(request: HttpRequest, form: KeysForm, rows: KeyRows) -> HttpResponse:
    wrong = len(form.errors) + rows.total_error_count() if form.is_bound else 0
    context = {
        "form": form,
        "rows": rows,
        "service": form.service,
        "to_fix": things_to_fix(wrong),
    }
    return render(request, "services/config_keys_form.html", context, status=422 if wrong else 200)
