"""Removing asks and says what goes; what was removed is listed, and can be brought back."""

from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from opsboard.board import removing
from opsboard.services.models import CriticalPath, Environment, Service, Team
from opsboard.services.told import Thing, kind_of
from opsboard.web.access import actor_of, requires
from opsboard.web.turning import turn
from opsboard.web.what_goes import what_goes

WORDS = {
    "service": "Service",
    "environment": "Environment",
    "path": "Critical path",
    "team": "Team",
}


def name_of(thing: Thing) -> str:
    """ "Fares API", "staging of Fares API"."""
    return f"{thing.slug} of {thing.service.name}" if isinstance(thing, Environment) else thing.name


def answer(request: HttpRequest, thing: Thing) -> HttpResponse:
    """The page that asks, or what became of it. The thing stands, and has its service at hand."""
    if request.method != "POST":
        return _ask(request, thing, removing.why_not(thing))
    try:
        removing.remove(actor_of(request), thing, now=timezone.now())
    except removing.Refused as refused:
        return _ask(request, thing, str(refused), status=422)
    messages.success(request, _said(thing))
    return redirect(_home(thing))


def _ask(request: HttpRequest, thing: Thing, refusal: str, *, status: int = 200) -> HttpResponse:
    context = {
        "thing": thing,
        "name": name_of(thing),
        "kind": kind_of(thing),
        "page": page_of(thing),
        "home": _home(thing),
        "refusal": refusal,
        "rows": [] if refusal else what_goes(thing),
    }
    return render(request, "removed/ask.html", context, status=status)


def _said(thing: Thing) -> SafeString:
    """With a button of the form "undo", which base.html has beside the messages."""
    return format_html(
        '{} is removed. It can be brought back for 30 days. <button class="btn btn-small" '
        'type="submit" form="undo" formaction="{}">Undo</button>',
        name_of(thing),
        reverse("restore", args=[kind_of(thing), thing.pk]),
    )


def page_of(thing: Thing) -> str:
    match thing:
        case Service():
            return reverse("service", args=[thing.slug])
        case Environment():
            return f"{reverse('service', args=[thing.service.slug])}?environment={thing.slug}"
        case CriticalPath():
            return reverse("path", args=[thing.service.slug, thing.slug])
        case Team():
            return reverse("team", args=[thing.slug])


def _home(thing: Thing) -> str:
    """Where one is when the thing is no more."""
    if isinstance(thing, (Environment, CriticalPath)):
        return reverse("service", args=[thing.service.slug])
    return reverse("teams") if isinstance(thing, Team) else reverse("board")


# What was removed


@dataclass(frozen=True, slots=True)
class Row:
    thing: Thing
    kind: str
    words: str
    name: str


@requires("editor")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    rows, turning = turn(_rows(now=timezone.now()), request.GET)
    return render(request, "removed/index.html", {"rows": rows, "turning": turning})


def _rows(*, now: datetime) -> list[Row]:
    things = chain.from_iterable(_removed(kind, now=now) for kind in removing.KINDS)
    newest_first = sorted(things, key=lambda thing: str(thing.removed_at), reverse=True)
    return [
        Row(thing, kind_of(thing), WORDS[kind_of(thing)], name_of(thing)) for thing in newest_first
    ]


def _removed(kind: str, *, now: datetime) -> Any:
    places = ["service"] if kind in ("environment", "path") else []
    return removing.removed(kind, now=now).select_related("removed_by", *places)


@requires("editor")
@require_POST
def restore(request: HttpRequest, kind: str, thing: int) -> HttpResponse:
    """Undo. Twice is as good as once."""
    now = timezone.now()
    if kind not in removing.KINDS:
        raise Http404
    one = _removed(kind, now=now).filter(pk=thing).first()
    if one is None:
        messages.info(request, "This is not removed any more, or it is gone for good.")
        return redirect("removed")
    try:
        said = removing.restore(actor_of(request), one, now=now)
    except removing.Refused as refused:
        messages.error(request, str(refused))
        return redirect("removed")
    messages.success(request, " ".join([f"{name_of(one)} is back on the board.", *said]))
    return redirect(page_of(one))
