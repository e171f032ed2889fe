"""What a program is told when it cannot be served: every mistake at once, in one form.

    {"errors": [{"code": "unknown_field", "message": "…", "pointer": "/counts/passde"}]}

`pointer` is a JSON pointer into the body (RFC 6901); `field` names a parameter of the address or a
header. One of the two is there when the mistake has a place.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import JsonResponse

type Error = dict[str, str]


class Problem(Exception):
    """An answer that is not a success. Raised anywhere behind the door; the door answers it."""

    def __init__(
        self, status: int, errors: Sequence[Error], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(errors)
        self.status, self.errors, self.headers = status, list(errors), dict(headers or {})


def error(code: str, message: str, *, pointer: str | None = None, field: str = "") -> Error:
    place = {"pointer": pointer} if pointer is not None else {"field": field} if field else {}
    return {"code": code, "message": message, **place}


def problem(
    status: int, code: str, message: str, *, pointer: str | None = None, field: str = ""
) -> Problem:
    return Problem(status, [error(code, message, pointer=pointer, field=field)])


def not_found(what: str) -> Problem:
    return problem(404, "not_found", f"There is no {what}.")


def answer(trouble: Problem) -> JsonResponse:
    response = JsonResponse({"errors": trouble.errors}, status=trouble.status)
    for name, value in trouble.headers.items():
        response[name] = value
    return response


def pointer_to(place: Sequence[Any]) -> str:
    """A JSON pointer to where a value stands: ("counts", "passed") is "/counts/passed"."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in place)
