"""Applying board files and exporting the board from the pages: what is long can be left."""

from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from opsboard.board import errands
from opsboard.board.errands.contents import exported_of
from opsboard.board.models import Errand
from opsboard.board.sources import Source, Wrong
from opsboard.people.models import role_of
from opsboard.web.access import actor_of, requires
from opsboard.web.errand_page import MOST_ERRORS, mistakes, read_errand
from opsboard.web.forms.board_files import BoardFilesForm
from opsboard.web.live import answer

YAML = "application/yaml; charset=utf-8"
ATTACHED = {"Content-Disposition": 'attachment; filename="board.yaml"'}


@requires("administrator")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Board files are read and planned; what they would do has a page of its own."""
    if request.method != "POST":
        return _form(request, BoardFilesForm(), [], [])
    form = BoardFilesForm(request.POST, request.FILES)
    if not form.is_valid():
        return _form(request, form, [], [], status=422)
    sources, wrong = form.read()
    if not wrong:
        prepared, errand = errands.plan(
            sources,
            prune=form.cleaned_data["prune"],
            by=actor_of(request),
            now=timezone.now(),
        )
        if errand is not None:
            return redirect("errand", errand.pk)
        wrong = prepared.errors
    form.keep_to_mend(sources)
    return _form(request, form, wrong, sources, status=422)


def _form(
    request: HttpRequest,
    form: BoardFilesForm,
    wrong: list[Wrong],
    sources: list[Source],
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "mistakes": mistakes(wrong, sources),
        "count": len(wrong),
        "more": max(0, len(wrong) - MOST_ERRORS),
    }
    return render(request, "board_files/new.html", context, status=status)


@requires("editor")
@require_safe
@never_cache
def show(request: HttpRequest, number: int) -> HttpResponse:
    context = read_errand(_find(number), now=timezone.now())
    role = role_of(request.user)
    context |= {
        "here": request.path,
        "may_administer": role is not None and role.allows("administrator"),
    }
    return answer(request, "board_files/errand.html", context, part="errand")


@requires("administrator")
@require_POST
def apply(request: HttpRequest, number: int) -> HttpResponse:
    errand = _find(number)
    if errand.kind != Errand.Kind.APPLY:
        raise Http404
    return _did(
        request, number, lambda: errands.ask(errand, by=actor_of(request), now=timezone.now())
    )


@requires("editor")
@require_POST
def stop(request: HttpRequest, number: int) -> HttpResponse:
    errand = _find(number)
    role = role_of(request.user)
    is_own = errand.by_id == request.user.pk
    if not is_own and not (role and role.allows("administrator")):
        messages.error(
            request, f"{errand.by_name} asked for it: only they or an administrator may."
        )
        return redirect("errand", number)

    def stopped() -> None:
        if not errands.stop(errand, by=actor_of(request), now=timezone.now()):
            messages.info(request, "It stops as soon as it can, and nothing of it stays.")

    return _did(request, number, stopped)


@requires("administrator")
@require_POST
def plan_again(request: HttpRequest, number: int) -> HttpResponse:
    """The same files, held against the board as it is now."""
    try:
        prepared, errand = errands.plan_again(
            _find(number), by=actor_of(request), now=timezone.now()
        )
    except errands.Refused as refused:
        messages.error(request, str(refused))
        return redirect("errand", number)
    if errand is None:
        form = BoardFilesForm()
        return _form(request, form, prepared.errors, [], status=422)
    return redirect("errand", errand.pk)


@requires("editor")
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    errand = errands.export_anew(by=actor_of(request), now=timezone.now())
    return redirect("errand", errand.pk)


@requires("editor")
@require_safe
@never_cache
def download(request: HttpRequest, number: int) -> HttpResponse:
    """The board file that an export made, for a day."""
    errand = _find(number)
    text = exported_of(errand) if errand.kind == Errand.Kind.EXPORT and errand.done_at else None
    if text is None:
        messages.error(request, "There is no file any more, or not yet: export the board again.")
        return redirect("errand", number)
    return HttpResponse(text, content_type=YAML, headers=ATTACHED)


def _find(number: int) -> Errand:
    return get_object_or_404(Errand.objects.select_related("by"), pk=number)


def _did(request: HttpRequest, number: int, act: Callable[[], object]) -> HttpResponse:
    try:
        act()
    except errands.Refused as refused:
        messages.error(request, str(refused))
    return redirect("errand", number)
