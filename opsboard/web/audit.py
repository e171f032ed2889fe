"""The audit log: who changed what, when and from where. For administrators."""

import csv
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from opsboard.people.models import AuditEntry
from opsboard.web.access import requires
from opsboard.web.audit_page import AuditFilter, read_page

COLUMNS = (
    *("at (UTC)", "who", "how", "from", "did", "kind", "subject"),
    *("field", "old", "new"),
)
# A spreadsheet takes what begins with one of these for a formula; full-width signs too.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


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
    return StreamingHttpResponse(
        lines(form.entries().iterator(chunk_size=1000)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def lines(entries: Iterator[AuditEntry]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield writer.writerow(COLUMNS)
    for entry in entries:
        for row in rows_of(entry):
            yield writer.writerow(map(harmless, row))


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


def harmless(text: str) -> str:
    """The text as a spreadsheet shows it, never as one that it runs."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


class Echo:
    """A file for csv that hands back each line instead of keeping it."""

    def write(self, line: str) -> str:
        return line
