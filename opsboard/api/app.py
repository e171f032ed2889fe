"""The API under /api/v1/: which rooms it opens, and how it says what is wrong.

Each module beside this one is one kind of thing, with a router, its schemas and one function that
writes it as JSON. They are listed in ROUTERS.
"""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern
from ninja import NinjaAPI, Router, Schema
from ninja.errors import HttpError, ValidationError
from ninja.parser import Parser
from pydantic import ConfigDict

from opsboard.api import strict_json
from opsboard.api.door import behind_the_door
from opsboard.api.problems import Problem, answer, error, pointer_to, problem


class Body(Schema):
    """What every body is made from: a key that nobody knows is refused, not passed over."""

    model_config = ConfigDict(extra="forbid", strict=True)


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        return strict_json.read(request.body)


ROUTERS: list[Router] = []

api = NinjaAPI(
    title="Opsboard",
    version="1",
    urls_namespace="api",
    parser=StrictParser(),
    docs_url=None,
)


def _validation(_: HttpRequest, wrong: Any) -> HttpResponse:
    return answer(Problem(422, [_one(one) for one in wrong.errors]))


def _one(found: dict[str, Any]) -> dict[str, str]:
    """A mistake that pydantic found, in our form."""
    source, *place = found["loc"]
    code, message = str(found["type"]), str(found["msg"]).rstrip(".") + "."
    if source == "body":
        # The first part is the name of the view's parameter.
        return error(code, message, pointer=pointer_to(place[1:]))
    return error(code, message, field=str(place[-1]) if place else str(source))


def _problem(_: HttpRequest, trouble: Any) -> HttpResponse:
    return answer(trouble)


def _not_found(_: HttpRequest, __: Any) -> HttpResponse:
    return answer(problem(404, "not_found", "There is no such thing here."))


def _http(_: HttpRequest, wrong: Any) -> HttpResponse:
    return answer(problem(wrong.status_code, "refused", str(wrong)))


api.add_exception_handler(ValidationError, _validation)
api.add_exception_handler(Problem, _problem)
api.add_exception_handler(Http404, _not_found)
api.add_exception_handler(HttpError, _http)
for _router in ROUTERS:
    api.add_router("", _router)


def patterns() -> list[URLPattern]:
    """The addresses of the API, each behind its door."""
    found = [one for one in api.urls[0] if isinstance(one, URLPattern)]
    for pattern in found:
        pattern.callback = behind_the_door(pattern.callback)
    return found
