"""What people decide of a release, each a form of its own page; the rooms judge and write it down.

What a room refuses stands above the form, which keeps what was typed.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from opsboard.releases.deciding import record_release, record_rollback
from opsboard.releases.models import Release
from opsboard.releases.naming import Named, name_release
from opsboard.releases.naming import withdraw as withdraw_release
from opsboard.releases.overriding import ask
from opsboard.releases.reading import readiness_of
from opsboard.releases.refusing import Refused
from opsboard.releases.replanning import Plan, replan
from opsboard.releases.rules import Readiness, Whole
from opsboard.web.access import actor_of
from opsboard.web.finding import find_service
from opsboard.web.forms.releases import GoForm, OverrideForm, PlanForm, RollbackForm
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.release_gates import overridable


def did(form: Form, act: Callable[[], object]) -> bool:
    """Whether a room did it; else why not stands above the form."""
    try:
        act()
    except Refused as refused:
        form.add_error(None, str(refused))
        return False
    return True


def _posted(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


# The plan ----------------------------------------------------------------------------------


def new(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    form = PlanForm(_posted(request), release=None, prefilled=_prefilled(request))
    if form.is_valid() and (named := _named(request, form, now=now)):
        release, is_new = named
        said = "is planned" if is_new else "was named before: its plan is what you wrote now"
        messages.success(request, f"{release} {said}.")
        return _to(release)
    return _plan_page(request, form)


def _prefilled(request: HttpRequest) -> dict[str, Any]:
    """The service that ?service= names. Raises Http404."""
    slug = request.GET.get("service", "")
    return {"service": find_service(slug).pk} if slug else {}


def _named(request: HttpRequest, form: PlanForm, *, now: datetime) -> tuple[Release, bool] | None:
    data = form.cleaned_data
    named = Named(
        version=data["version"],
        commit=data["commit"],
        tag=data["tag"],
        environment_slug=data["environment"],
        planned_at=data["planned_at"],
        summary=data["summary"],
        migrations=data["migrations"] or None,
        paths=data["touched"] or None,
    )
    try:
        return name_release(data["service"], named, by=actor_of(request), now=now)
    except Refused as refused:
        form.add_error(None, str(refused))
        return None


def edit(request: HttpRequest, release: Release) -> HttpResponse:
    now = timezone.now()
    form = PlanForm(_posted(request), release=release)
    if form.is_valid() and form.is_on_top():
        plan = _plan(form)
        if did(form, lambda: replan(release, plan, by=actor_of(request), now=now)):
            messages.success(request, f"The plan of {release} is changed.")
            return _to(release)
    return _plan_page(request, form)


def _plan(form: PlanForm) -> Plan:
    data = form.cleaned_data
    return Plan(
        tag=data["tag"],
        environment_slug=data["environment"],
        planned_at=data["planned_at"],
        summary=data["summary"],
        migrations=data["migrations"],
        paths=data["touched"],
    )


def _plan_page(request: HttpRequest, form: PlanForm) -> HttpResponse:
    context = {"form": form, "release": form.release, "to_fix": things_to_fix(len(form.errors))}
    return render(request, "releases/plan.html", context, status=422 if form.errors else 200)


# Decisions ---------------------------------------------------------------------------------


def override(request: HttpRequest, release: Release) -> HttpResponse:
    now = timezone.now()
    open_ones = overridable(readiness_of(release, now=now))
    form = OverrideForm(_posted(request), gates=open_ones, now=now)
    if form.is_valid():
        data = form.cleaned_data

        def act() -> object:
            return ask(
                release,
                data["gates"],
                reason=data["reason"],
                ends_at=data["ends_at"],
                by=actor_of(request),
                now=now,
            )

        if did(form, act):
            messages.success(request, "The override is kept, with your name and reason.")
            return _to(release)
    return _page(request, form, "releases/override.html", release, has_gates=bool(open_ones))


def go(request: HttpRequest, release: Release) -> HttpResponse:
    now = timezone.now()
    readiness = readiness_of(release, now=now)
    form = GoForm(_posted(request), release=release, must_say=_must_say(readiness), now=now)
    if form.is_valid():
        data = form.cleaned_data

        def act() -> object:
            return record_release(
                release,
                environment_slug=data["environment"],
                by=actor_of(request),
                now=now,
                at=data["at"],
                anyway_because=data.get("reason", ""),
            )

        if did(form, act):
            messages.success(request, f"{release} is recorded as released.")
            return _to(release)
    return _page(request, form, "releases/go.html", release, readiness=readiness)


def _must_say(readiness: Readiness) -> bool:
    return readiness.whole not in (Whole.READY, Whole.OVERRIDDEN)


def roll_back(request: HttpRequest, release: Release) -> HttpResponse:
    now = timezone.now()
    form = RollbackForm(_posted(request))
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        by = actor_of(request)
        if did(form, lambda: record_rollback(release, reason=reason, by=by, now=now)):
            service = release.service.name
            messages.success(
                request, f"The rollback is recorded. {service} is held until somebody ends it."
            )
            return _to(release)
    return _page(request, form, "releases/rollback.html", release)


def withdraw_it(request: HttpRequest, release: Release) -> HttpResponse:
    now = timezone.now()
    form = Form(_posted(request))
    if form.is_valid() and did(
        form, lambda: withdraw_release(release, by=actor_of(request), now=now)
    ):
        messages.success(request, f"{release} is withdrawn: it will not go out.")
        return _to(release)
    return _page(request, form, "releases/withdraw.html", release)


def _to(release: Release) -> HttpResponse:
    return redirect("release", release.service.slug, release.version)


def _page(
    request: HttpRequest, form: Form, template: str, release: Release, **more: Any
) -> HttpResponse:
    context = {"form": form, "release": release, "to_fix": things_to_fix(len(form.errors))} | more
    return render(request, template, context, status=422 if form.errors else 200)
