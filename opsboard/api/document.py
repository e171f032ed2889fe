"""The OpenAPI document: what the routers say of themselves, and what holds for all of them."""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from ninja.openapi.schema import OpenAPISchema

from opsboard.api.examples import example_of
from opsboard.api.once import KEY, LONGEST_KEY, REPLAYED

PREFIX = "api/v1/"
ABOUT = (
    "What Opsboard watches, and how releases become ready. Every request sends a token:"
    " `Authorization: Bearer obs_ci_…`. Every answer that is not a success has the same form."
)
SECURITY = "token"
METHODS = ("get", "post", "put", "patch", "delete")

# Status, and when it is answered. Those of a POST stand apart.
ALWAYS: dict[int, str] = {
    400: "The request cannot be read: an unknown parameter, or a body that is not strictly JSON.",
    401: "The token is missing, wrong, over or revoked. All four are answered alike.",
    403: "The token does not allow this, or the request came unencrypted.",
    404: "There is no such thing.",
    405: "The address does not know this method. `Allow` names those that it knows.",
    422: "Values are wrong. Every mistake is named at once.",
    429: "The token asked too often. `Retry-After` says in how many seconds it may ask again.",
    500: "Opsboard made a mistake. It is written down; nothing was changed.",
    503: "The database does not answer now. `Retry-After` says when to ask again.",
}
OF_A_POST: dict[int, str] = {
    409: "It contradicts what is known, or the Idempotency-Key was used for another request.",
    411: "The body has no length.",
    413: "The body is larger than 256 KiB.",
    415: "The body is not sent as application/json, or it is packed.",
}
RETRY = (429, 503)

ERRORS: dict[str, Any] = {
    "title": "Errors",
    "description": "Every mistake of a request at once.",
    "type": "object",
    "required": ["errors"],
    "additionalProperties": False,
    "properties": {
        "errors": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Error"}}
    },
}
ERROR: dict[str, Any] = {
    "title": "Error",
    "type": "object",
    "required": ["code", "message"],
    "additionalProperties": False,
    "properties": {
        "code": {"type": "string", "description": "A word for programs; it does not change."},
        "message": {"type": "string", "description": "A sentence for people."},
        "pointer": {
            "type": "string",
            "description": "Where in the body: a JSON pointer (RFC 6901).",
        },
        "field": {"type": "string", "description": "Which parameter or header."},
    },
}
EXAMPLE = {
    "errors": [
        {
            "code": "unknown_field",
            "message": "There is no field of this name: did you mean `result`?",
            "pointer": "/resutl",
        }
    ]
}


class Described:
    """The document, and what the door asks of it: methods, parameters and body of an address."""

    def __init__(self, whole: Mapping[str, Any]) -> None:
        self.whole = whole

    def methods(self, route: str) -> list[str]:
        return [name.upper() for name in METHODS if name in self._at(route)]

    def parameters(self, route: str, method: str) -> set[str]:
        """The names that a query may have."""
        operation = self._at(route).get(method.lower(), {})
        return {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}

    def answers(self, route: str, method: str) -> dict[str, Any]:
        """What a success is, by its status."""
        told: dict[str, Any] = self._at(route).get(method.lower(), {}).get("responses", {})
        return {status: one for status, one in told.items() if int(status) < 300}

    def takes_body(self, route: str, method: str) -> bool:
        return "requestBody" in self._at(route).get(method.lower(), {})

    def _at(self, route: str) -> dict[str, Any]:
        """`route` as Django writes it: api/v1/services/<slug:service>."""
        found: dict[str, Any] = self.whole["paths"].get(path_of(route), {})
        return found


def path_of(route: str) -> str:
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route)


def completed(made: OpenAPISchema) -> OpenAPISchema:
    """The document of the routers with what the door adds to each operation."""
    schemas = made["components"].setdefault("schemas", {})
    schemas |= {"Error": deepcopy(ERROR), "Errors": deepcopy(ERRORS)}
    made["components"]["securitySchemes"] = {
        SECURITY: {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "obs_ci_…",
            "description": "A token, made on the page Tokens. It is shown once.",
        }
    }
    made["security"] = [{SECURITY: []}]
    for operations in made["paths"].values():
        for method, operation in operations.items():
            _complete(method, operation)
            _give_example(operation, schemas)
    return made


def _give_example(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    answers = [one for status, one in operation["responses"].items() if int(status) < 300]
    for one in (operation.get("requestBody", {}), *answers):
        for content in one.get("content", {}).values():
            if "example" not in content and "examples" not in content:
                content["example"] = example_of(content["schema"], schemas)


def _complete(method: str, operation: dict[str, Any]) -> None:
    operation.setdefault("security", [{SECURITY: []}])
    _summarise(operation)
    operation.setdefault("description", operation["summary"])
    statuses = ALWAYS | OF_A_POST if method == "post" else ALWAYS
    answers = operation["responses"]
    for status, why in sorted(statuses.items()):
        if status not in answers and str(status) not in answers:
            answers[status] = error_answer(status, why)
    for status, one in answers.items():
        if int(status) < 300 and int(status) != 204:
            one.setdefault("content", {"application/json": {"schema": {}}})
    operation["responses"] = {str(status): one for status, one in answers.items()}
    if method == "post":
        _complete_post(operation)


def _summarise(operation: dict[str, Any]) -> None:
    """Where a view has no summary, ninja takes its name: the first sentence says more."""
    name = operation["summary"].lower().replace(" ", "_")
    if operation["operationId"].endswith(f"_{name}") and "description" in operation:
        first = re.split(r"[.:]\s", operation["description"].strip(), maxsplit=1)[0]
        operation["summary"] = " ".join(first.rstrip(".").split())


def error_answer(status: int, why: str) -> dict[str, Any]:
    """How the document tells of an answer that carries errors, and why it comes."""
    content = {"schema": {"$ref": "#/components/schemas/Errors"}, "example": EXAMPLE}
    answer: dict[str, Any] = {"description": why, "content": {"application/json": content}}
    names = {401: "WWW-Authenticate", 405: "Allow"} | dict.fromkeys(RETRY, "Retry-After")
    if status in names:
        answer["headers"] = {names[status]: {"schema": {"type": "string"}}}
    return answer


def _complete_post(operation: dict[str, Any]) -> None:
    """A POST may carry a key: what was made is then answered as 200, and said to be so."""
    names = [one["name"] for one in operation["parameters"]]
    if KEY not in names:
        operation["parameters"].append(_key())
    answers = operation["responses"]
    if "201" in answers and "200" not in answers:
        answers["200"] = answers["201"] | {
            "description": "The same request with the same key came before: its answer again.",
            "headers": {REPLAYED: {"schema": {"type": "string", "enum": ["true"]}}},
        }


def _key() -> dict[str, Any]:
    return {
        "in": "header",
        "name": KEY,
        "required": False,
        "description": "With it a request that is sent again is not done again: the first answer"
        " comes back, with Idempotent-Replayed. A key is kept for 7 days.",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
        "example": "run-4711-1-unit",
    }
