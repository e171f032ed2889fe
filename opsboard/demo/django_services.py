"""The services of opsboard.demo.office as a Django project with its own settings, on cheroot.

It never meets the settings of the board: it is served in a process of its own.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import django
from cheroot.wsgi import Server
from django.conf import settings
from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import path

from opsboard.demo import stores, switches
from opsboard.demo.house import KEPT_SECONDS, Answer, House, Page
from opsboard.demo.office import KINDS, PAGES
from opsboard.demo.probe_token import probe_token
from opsboard.demo.switches import UnknownSwitch

# More than may hang at a time: the switch page always answers.
THREADS = 8
# Django fills this module's `urlpatterns` in from `make_app`.
urlpatterns: list[Any] = []


class KeptByDjango:
    def get(self, key: str) -> Any:
        return cache.get(key)

    def set(self, key: str, value: Any) -> None:
        cache.set(key, value, KEPT_SECONDS)

    def forget(self, key: str) -> None:
        cache.delete(key)

    def clear(self) -> None:
        cache.clear()


def serve(directory: Path, port: int, sites: Mapping[str, str]) -> None:
    Server(("127.0.0.1", port), make_app(directory, sites), numthreads=THREADS).start()


def make_app(directory: Path, sites: Mapping[str, str]) -> WSGIHandler:
    store = directory / "django.sqlite3"
    stores.make_store(store, KINDS)
    settings.configure(
        # Nothing is signed with it: there are no sessions and no forms of Django's own.
        SECRET_KEY="the sample services sign nothing",  # noqa: S106
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        ROOT_URLCONF=__name__,
        MIDDLEWARE=["opsboard.instrument.django.ServerTiming"],
        OPSBOARD_PROBE_TOKEN=probe_token(directory),
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": store,
                "CONN_MAX_AGE": None,
                "OPTIONS": {"timeout": 10, "init_command": "PRAGMA automatic_index=OFF"},
            }
        },
        CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
        USE_TZ=True,
    )
    django.setup()
    house = House("django", PAGES, KeptByDjango(), store)
    urlpatterns[:] = [path(page.path[1:], _answering(house, page)) for page in PAGES]
    urlpatterns.append(path(switches.ADDRESS[1:], _shown(house, sites)))
    urlpatterns.append(path(switches.ADDRESS[1:] + "<name>", _turned(house)))
    return WSGIHandler()


def ask(statement: str, values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
    with connection.cursor() as cursor:
        bound: dict[str, Any] = dict(values)
        cursor.execute(re.sub(r":(\w+)", r"%(\1)s", statement), bound)
        return cursor.fetchall() if cursor.description else []


def _answering(house: House, page: Page) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        if request.method != page.method:
            return HttpResponse(status=405)
        given: dict[str, Any] = request.GET.dict()
        if request.body:
            try:
                given |= json.loads(request.body)
            except (ValueError, TypeError):
                return JsonResponse({"error": "The body is not a JSON object."}, status=422)
        return _reply(house.answer(page, given, ask))

    return view


def _reply(answer: Answer) -> HttpResponse:
    if isinstance(answer.body, str):
        response = HttpResponse(answer.body, status=answer.status)
    else:
        response = JsonResponse(answer.body, status=answer.status)
    if answer.cache:
        word = "hit" if answer.cache == "hit" else "fwd=miss"
        response["Cache-Status"] = f"django; {word}"
    return response


def _wants_page(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def _state(house: House) -> HttpResponse:
    return HttpResponse(switches.state_of(house.switches), content_type="application/json")


def _shown(house: House, sites: Mapping[str, str]) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        if not _wants_page(request):
            return _state(house)
        return HttpResponse(switches.page_of(house.switches, here=house.name, sites=sites))

    return view


def _turned(house: House) -> Callable[[HttpRequest, str], HttpResponse]:
    def view(request: HttpRequest, name: str) -> HttpResponse:
        headers = {key.lower(): value for key, value in request.headers.items()}
        if request.method != "POST":
            return HttpResponse(status=405)
        if not switches.is_from_here(headers):
            return HttpResponse("Only pages of this address may turn switches.\n", status=403)
        try:
            house.turn(name, request.META["QUERY_STRING"], request.body)
        except UnknownSwitch as unknown:
            return HttpResponse(f"{unknown}\n", status=404)
        return HttpResponseRedirect(switches.ADDRESS) if _wants_page(request) else _state(house)

    return view
