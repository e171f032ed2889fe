"""Writing a version of a rollback note on top of the one that was shown."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from opsboard.people.audit import record
from opsboard.rollbacks.models import NoteVersion, RollbackNote
from opsboard.services.models import CriticalPath, Service
from opsboard.web.access import actor_of, signed_in
from opsboard.web.finding import find_path, find_service
from opsboard.web.forms.editing import typed
from opsboard.web.forms.notes import (
    NoteForm,
    StepFormSet,
    StepRows,
    check_size,
    differences,
    steps_text,
    stored_note,
)
from opsboard.web.forms.wording import things_to_fix


@dataclass(frozen=True, slots=True)
class Place:
    """Whose note it is: of a service, or of one of its paths."""

    service: Service
    # None: the note of the whole service.
    path: CriticalPath | None

    @property
    def name(self) -> str:
        return self.path.name if self.path else self.service.name

    def url(self, name: str) -> str:
        """The address of a view of this note: "note", "note-edit" or "note-still-true"."""
        if self.path:
            return reverse(f"path-{name}", args=[self.service.slug, self.path.slug])
        return reverse(name, args=[self.service.slug])

    @property
    def still_true_url(self) -> str:
        return self.url("note-still-true")

    @property
    def subject(self) -> str:
        """As the audit log names it: "fares-api", "fares-api/price-a-crossing"."""
        return f"{self.service.slug}/{self.path.slug}" if self.path else self.service.slug

    def newest(self) -> NoteVersion | None:
        """None: nobody has written one yet."""
        versions = NoteVersion.objects.filter(note__service=self.service, note__path=self.path)
        return versions.select_related("written_by").order_by("-number").first()

    def note(self) -> RollbackNote:
        return RollbackNote.objects.get_or_create(service=self.service, path=self.path)[0]


def answer(request: HttpRequest, slug: str, path: str | None) -> HttpResponse:
    service = find_service(slug, Service.objects.select_related("team"))
    place = Place(service, find_path(service, path) if path else None)
    if request.method != "POST":
        newest = place.newest()
        form = NoteForm(initial=stored_note(newest))
        return _page(request, place, form, _rows(newest.steps if newest else []))
    form, rows = NoteForm(request.POST), StepFormSet(request.POST, prefix="step")
    if request.POST.get("act") == "rows":
        # What was typed, not judged, with three empty rows below it.
        return _page(request, place, NoteForm(initial=typed(form)), _rows(_typed(rows)))
    return _save(request, place, form, rows)


def _rows(steps: list[dict[str, Any]]) -> StepRows:
    rows: StepRows = StepFormSet(prefix="step", initial=steps)
    return rows


def _typed(rows: StepRows) -> list[dict[str, Any]]:
    return [typed(row) for row in rows.forms]


def _save(request: HttpRequest, place: Place, form: NoteForm, rows: StepRows) -> HttpResponse:
    # Both are judged, so that all that is wrong is said at once.
    if all([form.is_valid(), rows.is_valid()]):
        check_size(form, rows)
    if form.errors or not rows.is_valid():
        return _page(request, place, form, rows)
    version = _write(request, place, form, rows)
    if version is None:
        return _show_both(request, place, form, rows)
    messages.success(request, f"Version {version.number} is in use. Alerts carry it from now on.")
    return redirect(place.url("note"))


def _write(
    request: HttpRequest, place: Place, form: NoteForm, rows: StepRows
) -> NoteVersion | None:
    now = timezone.now()
    with transaction.atomic():
        before = place.newest()
        version = place.note().write(
            steps=rows.steps(), by=signed_in(request), now=now, **form.cleaned_data
        )
        if version:
            record(
                actor_of(request),
                "changed" if before else "added",
                "rollback note",
                place.subject,
                now=now,
                before=_facts(before),
                after=_facts(version),
            )
    return version


def _facts(version: NoteVersion | None) -> dict[str, object]:
    """What the audit log keeps of a version; None: there was none."""
    if version is None:
        return {}
    return {
        "version": version.number,
        "title": version.title,
        "use when": version.use_when,
        "does not undo": version.does_not_undo,
        "minutes": version.minutes,
        "steps": steps_text(version.steps),
        "reason": version.reason,
    }


def _show_both(request: HttpRequest, place: Place, form: NoteForm, rows: StepRows) -> HttpResponse:
    """Somebody saved meanwhile: both versions, and the text that was typed on top of theirs."""
    newest = place.newest()
    number = newest.number if newest else 0
    form.add_error(
        None,
        f"Version {number} was saved since you opened this. Compare both below, then save "
        f"again: what stands in the form becomes version {number + 1}.",
    )
    data: Any = form.data
    data = form.data = data.copy()
    data["base"] = number
    both = differences(newest, form, rows) if newest else []
    return _page(request, place, form, rows, newest=newest, differences=both)


def _page(
    request: HttpRequest, place: Place, form: NoteForm, rows: StepRows, **context: Any
) -> HttpResponse:
    wrong = len(form.errors) + rows.total_error_count() if form.is_bound else 0
    context |= {
        "form": form,
        "rows": rows,
        "place": place,
        "service": place.service,
        "path": place.path,
        "back": place.url("note"),
        "based_on": _number(form),
        "to_fix": things_to_fix(wrong),
    }
    return render(request, "notes/edit.html", context, status=422 if wrong else 200)


def _number(form: NoteForm) -> int:
    """The version that the form is based on; 0: none, or none that can be read."""
    value = str(form["base"].value() or 0)
    return int(value) if value.isascii() and value.isdigit() else 0
