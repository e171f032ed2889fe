"""The page of one change, of each attempt to measure it, and its samples to be downloaded."""

import zlib

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from opsboard.changes.models import Change, Window
from opsboard.web.access import may_edit, requires
from opsboard.web.change_page import read_change_page
from opsboard.web.finding import find_change
from opsboard.web.live import answer, polled


@requires("viewer")
@require_safe
@polled
def show(request: HttpRequest, number: int) -> HttpResponse:
    return _page(request, find_change(number), None)


@requires("viewer")
@require_safe
@polled
def attempt(request: HttpRequest, number: int, attempt: int) -> HttpResponse:
    return _page(request, find_change(number), attempt)


@requires("viewer")
@require_safe
def samples(request: HttpRequest, number: int, attempt: int) -> HttpResponse:
    """Both sealed sides as one CSV; ?side=before one alone, as its SHA-256 was taken of it."""
    change = find_change(number)
    windows = Window.objects.filter(comparison__change=change, comparison__number=attempt)
    side = request.GET.get("side", "")
    if side:
        windows = windows.filter(side=side)
    # One that still collects has no content. "before" is to come first, as its requests did.
    texts = [zlib.decompress(one.content) for one in windows.order_by("-side") if one.content]
    if not texts:
        raise Http404
    response = HttpResponse(_one_text(texts), content_type="text/csv; charset=utf-8")
    name = "-".join(filter(None, [str(change).lower(), f"attempt-{attempt}", side]))
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response


def _page(request: HttpRequest, change: Change, attempt: int | None) -> HttpResponse:
    now = timezone.now()
    context = read_change_page(change, attempt, now=now)
    if context is None:
        raise Http404
    # A poll gets no context of the whole page: what its part needs is said here.
    context |= {"now": now, "may_edit": may_edit(request), "here": request.get_full_path()}
    return answer(request, "changes/show.html", context, part="change")


def _one_text(texts: list[bytes]) -> bytes:
    """The head line is not said twice."""
    first, *others = texts
    return b"".join([first, *(text.partition(b"\n")[2] for text in others)])
