"""The API under /api/v1/: which rooms it opens, and how it says what is wrong.

Each module beside this one is one kind of thing, with a router, its schemas and one function that
writes it as JSON. They are listed in ROUTERS.
"""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Router
from ninja.errors import HttpError, ValidationError, ValidationErrorContext
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser

from opsboard.api import (
    boards,
    change_acts,
    change_samples,
    changes,
    config,
    decisions,
    document,
    evidence,
    incidents,
    notes,
    observations,
    paths,
    probing,
    releases,
    services,
    silences,
    wrong,
)
from opsboard.api.bodies import Body as Body
from opsboard.api.problems import Problem, answer, problem
from opsboard.changes.refusing import Refused as ChangeRefused
from opsboard.releases.refusing import Refused


class StrictParser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        # Read at the door: see opsboard.api.reading.
        return request.read_body  # type: ignore[attr-defined]


class Api(NinjaAPI):
    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        """Our form at once: later nobody knows which fields there are."""
        return ValidationError(
            [
                wrong.said(found, context.model)
                for context in error_contexts
                for found in context.pydantic_validation_error.errors(include_url=False)
            ]
        )

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        prefix = document.PREFIX if path_prefix is None else path_prefix
        made = super().get_openapi_schema(path_prefix=prefix, path_params=path_params)
        return document.completed(made)


ROUTERS: list[Router] = [
    services.router,
    paths.router,
    observations.router,
    releases.router,
    evidence.router,
    decisions.router,
    changes.router,
    change_acts.router,
    change_samples.router,
    incidents.router,
    notes.router,
    silences.router,
    probing.router,
    boards.router,
    config.router,
]


def _validation(_: HttpRequest, found: Any) -> HttpResponse:
    return answer(Problem(422, found.errors))


def _problem(_: HttpRequest, trouble: Any) -> HttpResponse:
    return answer(trouble)


def _refused(_: HttpRequest, refused: Any) -> HttpResponse:
    return answer(problem(409, "refused", str(refused)))


def _not_found(_: HttpRequest, __: Any) -> HttpResponse:
    return answer(problem(404, "not_found", "There is no such thing here."))


def _http(_: HttpRequest, found: Any) -> HttpResponse:
    return answer(problem(found.status_code, "refused", str(found)))


HANDLERS = {
    ValidationError: _validation,
    Problem: _problem,
    Refused: _refused,
    ChangeRefused: _refused,
    Http404: _not_found,
    HttpError: _http,
}


def make(routers: Sequence[Router]) -> Api:
    made = Api(
        title="Opsboard",
        version="1",
        description=document.ABOUT,
        urls_namespace="api",
        parser=StrictParser(),
        docs_url=None,
        openapi_url=None,
    )
    for kind, handler in HANDLERS.items():
        made.add_exception_handler(kind, handler)
    for router in routers:
        made.add_router("", router)
    return made


api = make(ROUTERS)
