"""Rollback notes."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.people.audit import record
from opsboard.web import note_editor
from opsboard.web.access import actor_of, requires, signed_in
from opsboard.web.note_pages import read_note, read_notes
from opsboard.web.note_place import place_of


@requires("viewer")
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "notes/index.html", read_notes(request.GET))


@requires("viewer")
@require_safe
def show(request: HttpRequest, service: str, path: str | None = None) -> HttpResponse:
    """The note in use; ?version=3 another version; ?compare=2,5 what two of them differ in."""
    context = read_note(place_of(service, path), request, now=timezone.now())
    return render(request, "notes/show.html", context)


@requires("editor")
@require_POST
def still_true(request: HttpRequest, service: str, path: str | None = None) -> HttpResponse:
    """Say that the version that was shown is still true; of a newer one that would be a guess."""
    place = place_of(service, path)
    version, now = place.newest(), timezone.now()
    if version is None:
        raise Http404
    if request.POST.get("version") != str(version.number):
        messages.error(request, f"Version {version.number} was saved meanwhile. Read it first.")
        return redirect(place.url("note"))
    with transaction.atomic():
        version.still_true(by=signed_in(request), now=now)
        record(actor_of(request), "checked", "rollback note", place.subject, now=now)
    return redirect(place.url("note"))


# Forms


@requires("editor")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, service: str, path: str | None = None) -> HttpResponse:
    return note_editor.answer(request, service, path)
