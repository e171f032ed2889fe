"""Pages of a Django service whose requests are logged."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def quote(_request: HttpRequest, secret: str) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse(secret, headers={"Cache-Status": "pages; hit; key=secret"})


urlpatterns = [path("v1/", include([path("quotes/<str:secret>", quote)]))]


def handler404(_request: HttpRequest, exception: Exception) -> HttpResponse:
    return HttpResponse(status=404)
