"""One address whose view asks the database twice, and fails."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

from opsboard.web.access import requires


@requires("nobody")
def fails(_request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.execute("SELECT 1")
    raise ZeroDivisionError


urlpatterns = [path("", fails, name="board")]
