"""Declaring a change, and editing what may still be said otherwise."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from opsboard.changes.declaring import STILL_OPEN, check, declare
from opsboard.changes.declaring import edit as edit_change
from opsboard.changes.holding import hold
from opsboard.changes.models import Change, number_of
from opsboard.changes.refusing import Refused
from opsboard.services.models import CriticalPath
from opsboard.web.access import actor_of
from opsboard.web.change_again import other_settings, settle_of
from opsboard.web.change_words import variables_words
from opsboard.web.finding import find_change, find_path, find_service
from opsboard.web.forms.changes import TYPED, ChangeForm, stored_change
from opsboard.web.forms.reach import path_names
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.overview import PRODUCTION


def _posted(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else None


def new(request: HttpRequest) -> HttpResponse:
    now = timezone.now()
    form = ChangeForm(_posted(request), change=None, prefilled=_prefilled(request))
    if form.is_valid() and form.told(check(wanted := form.wanted())):
        try:
            change = declare(wanted, by=actor_of(request), now=now)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _declared_words(change))
            return redirect("change", change.pk)
    return _page(request, form)


def _declared_words(change: Change) -> str:
    if len(change.variables) < 2:
        return f"{change} is declared. Open its baseline before you change anything."
    varied = variables_words(change.variables).lower()
    return (
        f"{change} is declared. It varies {varied} at once: nobody can say which of them did "
        "what, and the verdict will be confounded."
    )


def _prefilled(request: HttpRequest) -> dict[str, Any]:
    """The path of ?path=fares-api/health, and where it is asked; or all of ?like=198, with what
    would settle that change. Raises Http404."""
    asked = request.GET
    if asked.get("like"):
        return _like(find_change(number_of(asked["like"]) or 0))
    if not asked.get("path"):
        return {}
    service, _, slug = asked["path"].partition("/")
    path = find_path(find_service(service), slug)
    return {"path": path, "environment": asked.get("environment") or _place_of(path)}


def _like(change: Change) -> dict[str, Any]:
    """Its release and commit are not those of another change."""
    newest = change.comparisons.order_by("-number").first()
    again = stored_change(change) | {"title": "", "commit": "", "version": ""}
    return again | other_settings(change, settle_of(newest))


def _place_of(path: CriticalPath) -> str:
    """Production when it is asked there, else the first place where it is."""
    standing = path.service.environments.filter(removed_at=None).order_by("slug")
    slugs = [place.slug for place in path.asked_in(standing)]
    return PRODUCTION if PRODUCTION in slugs or not slugs else slugs[0]


@transaction.atomic
def edit(request: HttpRequest, change: Change) -> HttpResponse:
    now = timezone.now()
    # Held until it is stored: nobody overwrites what they have not seen.
    change = hold(change)
    why = _locked_because(change)
    form = ChangeForm(_posted(request), change=change, locked=_locked(change))
    if form.is_valid() and form.is_on_top() and form.told(check(wanted := form.wanted())):
        try:
            with transaction.atomic():
                edit_change(change, wanted, by=actor_of(request), now=now)
        except Refused as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, f"{change} is changed.")
            return redirect("change", change.pk)
    closed = form.fields["title"].disabled
    return _page(request, form, locked_because=why, is_closed=closed)


def _locked(change: Change) -> list[str]:
    """The fields that stand for ever."""
    if change.withdrawn_at or change.comparisons.filter(applied_at__isnull=False).exists():
        return list(TYPED)
    if change.comparisons.exists():
        return [name for name in TYPED if name not in STILL_OPEN]
    return []


def _locked_because(change: Change) -> str:
    if change.withdrawn_at:
        return f"{change} was withdrawn: nothing of it can be edited. Declare another one."
    first = change.comparisons.order_by("number").first()
    if first is None:
        return ""
    if change.comparisons.filter(applied_at__isnull=False).exists():
        return (
            "It was applied: what was said of it before stays, so that nobody can fit it to what "
            "came out. Declare another change instead."
        )
    return (
        f"Its baseline was opened {first.began_at:%-d %b %H:%M} UTC: what is measured, and how it "
        "is judged, cannot be edited any more. Declare another change instead."
    )


def _page(request: HttpRequest, form: ChangeForm, **more: Any) -> HttpResponse:
    context = {
        "form": form,
        "change": form.change,
        "paths": path_names(),
        "to_fix": things_to_fix(len(form.errors)),
    }
    return render(request, "changes/form.html", context | more, status=422 if form.errors else 200)
