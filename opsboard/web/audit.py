"""The audit log: who changed what, when and from where. For administrators."""

from collections.abc import Iterator

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from opsboard.people.models import AuditEntry
from opsboard.web import csv_files
from opsboard.web.access import requires
from opsboard.web.audit_page import AuditFilter, read_page

COLUMNS = (
    *("at (UTC)", "who", "how", "from", "did", "kind", "subject"),
    *("field", "old", "new"),
)
PIECE = 1_000


@requires("administrator")
@require_safe
@never_cache
def index(request: HttpRequest) -> HttpResponse:
    form = AuditFilter(request.GET)
    status = 200 if form.is_valid() else 422
    context = read_page(form, now=timezone.now())
    return render(request, "audit/index.html", context, status=status)


@requires("administrator")
@require_safe
@never_cache
def download(request: HttpRequest) -> HttpResponseBase:
    """What the filters choose, as CSV: one line for each field that was changed."""
    form = AuditFilter(request.GET)
    if not form.is_valid():
        return render(request, "audit/index.html", read_page(form, now=timezone.now()), status=422)
    name = f"audit-{timezone.now():%Y-%m-%d}.csv"
    rows = (row for entry in in_pieces(form.entries()) for row in rows_of(entry))
    return StreamingHttpResponse(
        csv_files.lines(COLUMNS, rows),
        content_type=csv_files.TYPE,
        headers=csv_files.attached(name),
    )


def in_pieces(entries: QuerySet[AuditEntry]) -> Iterator[AuditEntry]:
    """Newest first, each piece by a query of its own.

    One query for all would hold a snapshot of the database for as long as somebody downloads.
    """
    rest = entries
    while piece := list(rest[:PIECE]):
        yield from piece
        if len(piece) < PIECE:
            return
        last = piece[-1]
        rest = entries.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))


def rows_of(entry: AuditEntry) -> Iterator[list[str]]:
    facts = [
        entry.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        entry.who,
        entry.how,
        entry.address or "",
        entry.act,
        entry.kind,
        entry.subject,
    ]
    for change in entry.changes or [{}]:
        yield [*facts, change.get("field", ""), change.get("old", ""), change.get("new", "")]
