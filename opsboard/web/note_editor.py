"""Writing a version of a rollback note on top of the one that was shown, and keeping drafts."""

import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from opsboard.rollbacks import drafting, writing
from opsboard.rollbacks.models import NoteDraft, NoteVersion
from opsboard.web import note_beginning, note_trust
from opsboard.web.access import actor_of, signed_in
from opsboard.web.forms.editing import typed
from opsboard.web.forms.notes import (
    EMPTY_STEPS,
    NoteForm,
    StepFormSet,
    StepRows,
    check_size,
    differences,
    draft_size,
    typed_note,
    version_of_typed,
)
from opsboard.web.forms.wording import things_to_fix
from opsboard.web.note_diff import compare_versions
from opsboard.web.note_place import Place, place_of

# What the buttons beside the steps send; the number counts from 0.
STEP_ACT = re.compile(r"add-step|remove-step-([0-9]{1,3})")


def answer(request: HttpRequest, slug: str, path: str | None) -> HttpResponse:
    place = place_of(slug, path)
    if request.method != "POST":
        return _begin(request, place)
    form, rows = NoteForm(request.POST), StepFormSet(request.POST, prefix="step")
    match act := request.POST.get("act", ""):
        case _ if STEP_ACT.fullmatch(act):
            # What was typed, not judged, with an empty step below it.
            steps = _without(_typed(rows), act)
            return _page(request, place, NoteForm(initial=typed(form)), _rows(steps))
        case "draft":
            return _keep(request, place, form, rows)
        case "discard":
            return _discard(request, place)
    return _save(request, place, form, rows)


def _begin(request: HttpRequest, place: Place) -> HttpResponse:
    beginning = note_beginning.read(
        place, by=signed_in(request), restore=request.GET.get("restore")
    )
    form = NoteForm(initial=beginning.fields)
    context: dict[str, Any] = {"restored": beginning.restored}
    if beginning.is_overtaken:
        context |= {"newest": beginning.newest, "differences": beginning.differences}
        context["overtaken"] = beginning.draft
    return _page(request, place, form, _rows(beginning.steps), **context)


def _rows(steps: list[dict[str, Any]]) -> StepRows:
    rows: StepRows = StepFormSet(prefix="step", initial=steps)
    # Who changes a note mostly adds one step; who begins one sees that it has several.
    rows.extra = 1 if steps else EMPTY_STEPS
    return rows


def _without(steps: list[dict[str, Any]], act: str) -> list[dict[str, Any]]:
    """The steps without the one whose button was pressed."""
    found = STEP_ACT.fullmatch(act)
    gone = int(found[1]) if found and found[1] else None
    return [step for number, step in enumerate(steps) if number != gone]


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
    drafting.discard(
        place.service, place.path, by=signed_in(request), seen=request.POST.get("kept", "")
    )
    messages.success(request, f"Version {version.number} is in use. Alerts carry it from now on.")
    return redirect(place.url("note"))


def _write(
    request: HttpRequest, place: Place, form: NoteForm, rows: StepRows
) -> NoteVersion | None:
    fields = form.for_version()
    base = fields.pop("base")
    return writing.write(
        writing.Place(place.service, place.path),
        writing.Text(steps=rows.steps(), **fields),
        base=base,
        is_checked=True,
        by=actor_of(request),
        now=timezone.now(),
    )


def _show_both(request: HttpRequest, place: Place, form: NoteForm, rows: StepRows) -> HttpResponse:
    """Somebody saved meanwhile: both versions, and the text that was typed on top of theirs."""
    newest = place.newest()
    number = newest.number if newest else 0
    form.add_error(
        None,
        f"Version {number} was saved since you opened this. Compare both below, then publish "
        f"again: what stands in the form becomes version {number + 1}.",
    )
    data: Any = form.data
    data = form.data = data.copy()
    data["base"] = number
    both = differences(newest, version_of_typed(typed_note(form, rows))) if newest else []
    return _page(request, place, form, rows, newest=newest, differences=both)


# Drafts


def _keep(request: HttpRequest, place: Place, form: NoteForm, rows: StepRows) -> HttpResponse:
    """Keep what was typed, not judged."""
    note, by = typed_note(form, rows), signed_in(request)
    if wrong := draft_size(note):
        form.add_error(None, wrong)
        return _page(request, place, form, rows)
    kept = drafting.keep(
        place.service,
        place.path,
        by=by,
        base=_number(form),
        typed=note,
        seen=request.POST.get("kept", ""),
        now=timezone.now(),
    )
    if kept is None:
        return _show_both_drafts(request, place, form, rows)
    messages.success(request, "The draft is kept. Only you see its text.")
    return redirect(place.edit_url)


def _show_both_drafts(
    request: HttpRequest, place: Place, form: NoteForm, rows: StepRows
) -> HttpResponse:
    """The same person kept another draft meanwhile, in another window."""
    kept = drafting.draft_of(place.service, place.path, signed_in(request))
    form.full_clean()
    form.errors.clear()
    form.add_error(
        None,
        "You kept another draft of this note since you opened this. Compare both below, then keep "
        "this one: it takes the place of the other.",
    )
    data: Any = form.data
    data = form.data = data.copy()
    data["kept"] = drafting.mark_of(kept)
    mine = version_of_typed(typed_note(form, rows))
    both = differences(version_of_typed(kept.typed), mine) if kept else []
    return _page(request, place, form, rows, differences=both, other_draft=kept)


def _discard(request: HttpRequest, place: Place) -> HttpResponse:
    seen = request.POST.get("kept", "")
    if drafting.discard(place.service, place.path, by=signed_in(request), seen=seen):
        messages.success(request, "The draft is discarded.")
        return redirect(place.url("note"))
    messages.error(request, "This draft was kept again meanwhile, or is gone: look at it first.")
    return redirect(place.edit_url)


# The page


def _page(
    request: HttpRequest, place: Place, form: NoteForm, rows: StepRows, **context: Any
) -> HttpResponse:
    wrong = _wrong(form, rows) if form.is_bound else 0
    by = signed_in(request)
    own = drafting.draft_of(place.service, place.path, by)
    context |= (
        _changes(place, own)
        | note_trust.read(place, form, rows, now=timezone.now())
        | {
            "others": drafting.others(place.service, place.path, by),
            "form": form,
            "rows": rows,
            "place": place,
            "service": place.service,
            "path": place.path,
            "back": place.url("note"),
            "based_on": _number(form),
            "to_fix": things_to_fix(wrong),
        }
    )
    return render(request, "notes/edit.html", context, status=422 if wrong else 200)


def _wrong(form: NoteForm, rows: StepRows) -> int:
    """How many things are to be mended. A draft that is not kept was not judged beyond that."""
    if form.data.get("act") == "draft":
        return len(form.errors)
    return len(form.errors) + rows.total_error_count()


def _changes(place: Place, own: NoteDraft | None) -> dict[str, Any]:
    """What the person's draft changes in the version that it is based on."""
    base = place.version(str(own.base)) if own else None
    if own is None or base is None:
        return {"own": own}
    return {
        "own": own,
        "base": base,
        "changes": compare_versions(base, version_of_typed(own.typed)),
    }


def _number(form: NoteForm) -> int:
    """The version that the form is based on; 0: none, or none that can be read."""
    value = str(form["base"].value() or 0)
    return int(value) if value.isascii() and value.isdigit() else 0
