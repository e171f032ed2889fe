"""What a person does with a change: declare and edit it, and tell what was done, step by step.

What the room refuses stands on the change's page, or above the form, which keeps what was typed.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.changes import applying, baselines, bursts, declaring
from opsboard.changes.models import Change, Comparison, latest_of
from opsboard.changes.refusing import Refused
from opsboard.web import change_forms
from opsboard.web.access import actor_of, may_edit, requires
from opsboard.web.change_list import read_changes
from opsboard.web.finding import find_change
from opsboard.web.forms.change_acts import ClearedForm, GiveUpForm, ToldForm
from opsboard.web.forms.wording import things_to_fix

NOTHING_BEGUN = "No baseline was opened yet: open one first."


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    context = read_changes(request.GET, now=timezone.now())
    context["may_edit"] = may_edit(request)
    return render(request, "changes/index.html", context)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    return change_forms.new(request)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, number: int) -> HttpResponse:
    return change_forms.edit(request, find_change(number))


# Measuring ---------------------------------------------------------------------------------


@requires("editor")
@require_POST
def open_baseline(request: HttpRequest, number: int) -> HttpResponse:
    """The first attempt, or with the same settings another one."""
    return _tried(
        request,
        number,
        lambda change, **told: baselines.open_baseline(change, **told),
        "The baseline is open: the path is measured as it is now. Change nothing yet.",
    )


@requires("editor")
@require_POST
def seal(request: HttpRequest, number: int) -> HttpResponse:
    return _tried(
        request,
        number,
        lambda change, **told: baselines.seal(_attempt(change), **told),
        "The baseline is sealed. Now make the change, and record it here.",
    )


@requires("editor")
@require_POST
def start_burst(request: HttpRequest, number: int) -> HttpResponse:
    return _tried(
        request,
        number,
        lambda change, **told: bursts.start(_attempt(change), **told),
        "The burst is ordered: a worker begins to ask within seconds.",
    )


@requires("editor")
@require_POST
def stop_burst(request: HttpRequest, number: int) -> HttpResponse:
    return _tried(
        request,
        number,
        lambda change, **told: bursts.stop_of(change, **told),
        "The burst stops. What was asked stays.",
    )


def _attempt(change: Change) -> Comparison:
    """The newest one. Raises Refused when there is none."""
    attempt = latest_of(change)
    if attempt is None:
        raise Refused(NOTHING_BEGUN)
    return attempt


def _tried(
    request: HttpRequest, number: int, act: Callable[..., object], done: str
) -> HttpResponse:
    """`act` takes the change, and who does it and when by their names."""
    change = find_change(number)
    try:
        act(change, by=actor_of(request), now=timezone.now())
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, done)
    return redirect("change", change.pk)


# What was done, told ------------------------------------------------------------------------


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def applied(request: HttpRequest, number: int) -> HttpResponse:
    """Records that it was applied. It runs nothing."""
    change, by, now = find_change(number), actor_of(request), timezone.now()
    form = ToldForm(_posted(request), now=now, initial={"command": "\n".join(change.commands)})
    if form.is_valid():
        told = applying.Told(**form.told())
        if did(form, lambda: applying.mark_applied(_attempt(change), told, by=by, now=now)):
            messages.success(
                request, f"{change} is recorded as applied. After the warm-up it is measured again."
            )
            return redirect("change", change.pk)
    return _page(request, form, "changes/applied.html", change)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def cleared(request: HttpRequest, number: int) -> HttpResponse:
    """Records what was cleared from a cache. It clears nothing."""
    change, by, now = find_change(number), actor_of(request), timezone.now()
    form = ClearedForm(_posted(request), now=now, initial={"what": "key"})
    if form.is_valid():
        told = applying.Cleared(**form.told())
        if did(form, lambda: applying.record_clear(_attempt(change), told, by=by, now=now)):
            messages.success(
                request, "What was cleared is recorded. The first answer after it must be a miss."
            )
            return redirect("change", change.pk)
    return _page(request, form, "changes/cleared.html", change)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def give_up(request: HttpRequest, number: int) -> HttpResponse:
    change, by, now = find_change(number), actor_of(request), timezone.now()
    form = GiveUpForm(_posted(request))
    if form.is_valid():
        because = form.cleaned_data["because"]
        if did(form, lambda: baselines.give_up(_attempt(change), because, by=by, now=now)):
            messages.success(request, f"This attempt of {change} is given up. It stays readable.")
            return redirect("change", change.pk)
    attempt = latest_of(change)
    return _page(request, form, "changes/give_up.html", change, attempt=attempt)


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    change, by, now = find_change(number), actor_of(request), timezone.now()
    form = Form(_posted(request))
    if form.is_valid() and did(form, lambda: declaring.withdraw(change, by=by, now=now)):
        messages.success(request, f"{change} is withdrawn. What was measured stays readable.")
        return redirect("change", change.pk)
    return _page(request, form, "changes/withdraw.html", change, save=f"Withdraw {change}")


def did(form: Form, act: Callable[[], object]) -> bool:
    """Whether the room did it; else why not stands above the form."""
    try:
        act()
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    return True


def _posted(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _page(
    request: HttpRequest, form: Form, template: str, change: Change, **more: Any
) -> HttpResponse:
    context = {"form": form, "change": change, "to_fix": things_to_fix(len(form.errors))} | more
    return render(request, template, context, status=422 if form.errors else 200)
