"""Lines of CSV as a spreadsheet shows them, and never as something that it runs."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.http import HttpResponse

TYPE = "text/csv; charset=utf-8"
# A spreadsheet takes what begins with one of these for a formula; full-width signs too.
FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def answer(name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> HttpResponse:
    """A file of a few hundred lines; longer ones are sent line by line."""
    text = "".join(lines(columns, rows))
    return HttpResponse(text, content_type=TYPE, headers=attached(name))


def lines(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow(map(harmless, row))


def harmless(text: str) -> str:
    """The text as a spreadsheet shows it, never as one that it runs."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text


def attached(name: str) -> dict[str, str]:
    """The header that makes a browser keep the answer as a file."""
    return {"Content-Disposition": f'attachment; filename="{name}"'}


class _Echo:
    """A file for csv that hands back each line instead of keeping it."""

    def write(self, line: str) -> str:
        return line
