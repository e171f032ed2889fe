"""Gates: what releases of a team's services need, and what one service wants otherwise."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from opsboard.board.readiness import choices_of, write_gates
from opsboard.people import audit
from opsboard.releases.choosing import (
    DEFAULT_NEEDS,
    DEFAULTS,
    Chosen,
    choice_lines,
    chosen,
    lasts_words,
)
from opsboard.services.models import Service, Team
from opsboard.services.told import kind_of, subject_of
from opsboard.web.access import actor_of, requires
from opsboard.web.finding import find_service, find_team
from opsboard.web.forms.editing import Difference, typed
from opsboard.web.forms.gates import GatesForm, OwnGateFormSet, OwnGateRows, stored_own
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.words import counted

type Owner = Team | Service


@dataclass(frozen=True, slots=True)
class Row:
    gate: str
    name: str
    need: str
    lasts: str
    source: str


@requires("viewer")
@require_safe
def show_team(request: HttpRequest, team: str) -> HttpResponse:
    return _show(request, find_team(team))


@requires("viewer")
@require_safe
def show_service(request: HttpRequest, service: str) -> HttpResponse:
    return _show(request, find_service(service, _services()))


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def edit_team(request: HttpRequest, team: str) -> HttpResponse:
    with transaction.atomic():
        return _edit(request, find_team(team, Team.objects.select_for_update()))


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def edit_service(request: HttpRequest, service: str) -> HttpResponse:
    with transaction.atomic():
        return _edit(request, find_service(service, _services().select_for_update(of=("self",))))


def _services() -> Any:
    return Service.objects.select_related("team")


def _show(request: HttpRequest, owner: Owner) -> HttpResponse:
    own = choices_of(owner)
    team = choices_of(owner.team) if isinstance(owner, Service) else own
    service = own if isinstance(owner, Service) else {}
    found = chosen(team, service, DEFAULT_NEEDS)
    context = _places(owner) | {
        "rows": [_row(one) for one in found.values()],
        "head": _head(owner, len(own)),
        "team": owner.team if isinstance(owner, Service) else owner,
    }
    return render(request, "teams/gates.html", context)


def _row(one: Chosen) -> Row:
    lasts = f" Lasts {lasts_words(one.lasts)}." if one.lasts else ""
    if one.source == "default":
        return Row(one.gate, one.name, DEFAULTS.get(one.gate, ""), "", one.source)
    return Row(one.gate, one.name, f"{one.need.capitalize()}.", lasts, one.source)


def _head(owner: Owner, count: int) -> str:
    if not count:
        return f"{owner.name} has chosen no gates of its own"
    return f"{owner.name} has chosen {counted(count, 'gate')}"


def _places(owner: Owner) -> dict[str, Any]:
    """The names of the pages around it."""
    kind = kind_of(owner)
    return {"owner": owner, "kind": kind, "page": f"{kind}-gates", "edit": f"{kind}-gates-edit"}


# Editing


def _edit(request: HttpRequest, owner: Owner) -> HttpResponse:
    """The caller holds the owner's row."""
    if request.method != "POST":
        form = GatesForm(owner=owner)
        return _page(request, form, _rows(form, initial=stored_own(form)))
    form = GatesForm(request.POST, owner=owner)
    rows = _rows(form, request.POST)
    if request.POST.get("act") == "rows":
        return _with_more_rows(request, form, rows)
    # Both are judged, so that all that is wrong is said at once.
    if not all([form.is_valid(), rows.is_valid()]) or not _is_on_top(form, rows):
        return _page(request, form, rows)
    _save(request, form, form.choices | rows.choices)
    messages.success(request, f"The gates of {owner.name} are saved.")
    return redirect(f"{kind_of(owner)}-gates", owner.slug)


def _save(request: HttpRequest, form: GatesForm, choices: dict[str, dict[str, Any]]) -> None:
    owner = form.owner
    write_gates([(owner, choices)])
    audit.record(
        actor_of(request),
        "changed",
        kind_of(owner),
        subject_of(owner),
        now=timezone.now(),
        before={"gates": choice_lines(form.stored_choices)},
        after={"gates": choice_lines(choices)},
    )


def _rows(form: GatesForm, data: Any = None, **kwargs: Any) -> OwnGateRows:
    rows: OwnGateRows = OwnGateFormSet(data, prefix="own", **kwargs)
    rows.known = form.known
    return rows


def _is_on_top(form: GatesForm, rows: OwnGateRows) -> bool:
    own = {gate: one for gate, one in form.stored_choices.items() if gate not in form.known}
    theirs, yours = choice_lines(own), choice_lines(rows.choices)
    return form.is_on_top(Difference("Gates of its own", "\n".join(theirs), "\n".join(yours)))


def _with_more_rows(request: HttpRequest, form: GatesForm, rows: OwnGateRows) -> HttpResponse:
    """What was typed, not judged, with two empty rows below it."""
    unjudged = GatesForm(owner=form.owner)
    unjudged.initial.update(typed(form))
    return _page(request, unjudged, _rows(form, initial=[typed(row) for row in rows.forms]))


def _page(request: HttpRequest, form: GatesForm, rows: OwnGateRows) -> HttpResponse:
    wrong = len(form.errors) + rows.total_error_count() if form.is_bound else 0
    context = _places(form.owner) | {
        "form": form,
        "rows": rows,
        "to_fix": things_to_fix(wrong),
    }
    return render(request, "teams/gates_form.html", context, status=422 if wrong else 200)
