"""The page for when Opsboard itself could not answer. It asks no database."""

import sys

from django.db import DatabaseError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from opsboard.alerts.last_resort import is_disk_full

DISK_FULL = (
    "The disk of Opsboard's database is full, so nothing was saved. Free space on it, go back and "
    "send again: Opsboard needs no restart."
)
NO_DATABASE = (
    "Opsboard's database did not answer, so nothing was saved. Look at it, and at DATABASE_URL; "
    "then try again: Opsboard needs no restart."
)


def failed(_request: HttpRequest) -> HttpResponse:
    """503 with what to do when it is the database's trouble; else 500, and the log has it."""
    error = sys.exc_info()[1]
    sentence = _sentence(error) if error else ""
    # Without the request: what a page has around it is read from the database.
    page = render_to_string("500.html", {"sentence": sentence})
    return HttpResponse(page, status=503 if sentence else 500)


def _sentence(error: BaseException) -> str:
    if isinstance(error, DatabaseError | InterfaceError) and is_disk_full(error):
        return DISK_FULL
    return NO_DATABASE if isinstance(error, OperationalError | InterfaceError) else ""
