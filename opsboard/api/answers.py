"""What every answer is described with, and how it is written: as it is, without a second look.

A view names the schema of its answer and gives a dictionary. The dictionary is not put through the
schema: one key too many must not turn what was done into a 500, and a kept answer stays as it was.
The tests hold each answer to the document instead (tests/documented.py).
"""

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Annotated, Any

import ninja
from django.http import HttpRequest, HttpResponse, JsonResponse
from ninja import Status
from ninja.constants import NOT_SET
from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

type View = Callable[..., Any]


class Answer(BaseModel):
    """What is not described is not answered. A field without a default is always there."""

    model_config = ConfigDict(extra="forbid")


class Page[T](Answer):
    """A part of a list."""

    items: list[T]
    next: str | None = Field(
        description="Send it as `cursor` for the following page; null: this is the last."
    )


class Nothing(Answer):
    """An object without fields."""


def one_of(words: Iterable[str]) -> WithJsonSchema:
    """A text that is one of these words."""
    return WithJsonSchema({"type": "string", "enum": [str(word) for word in words]})


# As time_of writes it. Where it may be null: Time | None.
Time = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class Router(ninja.Router):
    def add_api_operation(
        self, path: str, methods: list[str], view_func: View, **more: Any
    ) -> None:
        response = more.get("response", NOT_SET)
        usual = next(iter(response)) if isinstance(response, dict) else 200
        # An alias is what stands in the answer.
        more["by_alias"] = True
        super().add_api_operation(path, methods, _writing(view_func, usual), **more)


def _writing(view: View, usual: int) -> View:
    @wraps(view)
    def written(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        said = view(request, *args, **kwargs)
        if isinstance(said, HttpResponse):
            return said
        if isinstance(said, Status):
            return JsonResponse(said.value, status=said.status_code)
        return JsonResponse(said, status=usual)

    return written
