"""The addresses of the API, each behind its door; what is none of them is answered as JSON too.

Two modules may serve one address, one its GET and one its POST: the first that knows the method
answers.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.urls import URLPattern, path, re_path

from opsboard.api.app import Api, api
from opsboard.api.document import Described
from opsboard.api.door import behind_the_door, open_to_all
from opsboard.api.problems import problem

type View = Callable[..., Any]


def patterns(of: Api = api) -> list[URLPattern]:
    """What lies below /api/v1/."""

    @cache
    def described() -> Described:
        """What the document says of each address: the door holds requests to it."""
        return Described(of.get_openapi_schema())

    def openapi(_: HttpRequest) -> HttpResponse:
        # It holds no data: a program may read how to ask before it has a token.
        return JsonResponse(described().whole)

    views: dict[str, list[URLPattern]] = {}
    for one in of.urls[0]:
        if isinstance(one, URLPattern) and str(one.pattern):
            views.setdefault(str(one.pattern), []).append(one)
    return [
        path("openapi.json", open_to_all(openapi), name="openapi"),
        *(_behind(route, found, described) for route, found in views.items()),
        re_path(r"^[\s\S]*\Z", nowhere, name="nowhere"),
    ]


def _nowhere(_: HttpRequest) -> HttpResponse:
    raise problem(
        404,
        "not_found",
        "There is nothing at this address. What there is: /api/v1/openapi.json.",
    )


nowhere = open_to_all(_nowhere, methods=None)


def _behind(route: str, found: list[URLPattern], described: Callable[[], Described]) -> URLPattern:
    view = behind_the_door(_first_of([one.callback for one in found]), described)
    return path(route, view, name=found[0].name)


def _first_of(views: list[View]) -> View:
    if len(views) == 1:
        return views[0]

    def first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        for view in views:
            response: HttpResponse = view(request, *args, **kwargs)
            if not isinstance(response, HttpResponseNotAllowed):
                break
        return response

    return first
