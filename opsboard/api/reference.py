"""The reference page for people: the OpenAPI document in words, made by Python."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from opsboard.api.app import api
from opsboard.api.document import METHODS
from opsboard.api.examples import Part, example_of, resolved
from opsboard.api.kinds import kind_of
from opsboard.api.once import KEY
from opsboard.people.tokens import SCOPES

DEEPEST = 4


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A parameter, or a field of a body or an answer: `name` is its place, as counts.passed."""

    name: str
    place: str
    kind: str
    is_required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Operation:
    anchor: str
    method: str
    path: str
    summary: str
    description: str
    parameters: list[FieldRow]
    body: list[FieldRow]
    answer: list[FieldRow]
    answers: list[tuple[str, str]]
    curl: str


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    operations: list[Operation] = field(default_factory=list)


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    context = {
        "groups": groups(),
        "url": settings.URL,
        "scopes": SCOPES.items(),
        "rate": settings.TOKEN_REQUESTS_A_MINUTE,
        "key": KEY,
    }
    return render(request, "api/reference.html", context)


# As opsboard.web.access reads it: sibling doors do not import each other.
index.required_role = "viewer"  # type: ignore[attr-defined]


@cache
def groups() -> list[Group]:
    """Every operation of the document, under its tag."""
    document = api.get_openapi_schema()
    schemas = document["components"]["schemas"]
    found: dict[str, Group] = {}
    for path, methods in document["paths"].items():
        for method in METHODS:
            if operation := methods.get(method):
                name = (operation.get("tags") or ["more"])[0].capitalize()
                group = found.setdefault(name, Group(name))
                group.operations.append(_operation(path, method, operation, schemas))
    return sorted(found.values(), key=lambda group: group.name)


def _operation(path: str, method: str, told: Part, schemas: Part) -> Operation:
    content = told.get("requestBody", {}).get("content", {}).get("application/json", {})
    description = str(told.get("description", ""))
    return Operation(
        anchor=str(told["operationId"]),
        method=method.upper(),
        path=path,
        summary=str(told["summary"]),
        description="" if description == told["summary"] else description,
        parameters=[_parameter(one, schemas) for one in told.get("parameters", ())],
        body=list(_fields(content.get("schema", {}), schemas)),
        answer=list(_fields(_success(told), schemas, is_answer=True)),
        answers=[(status, one["description"]) for status, one in told["responses"].items()],
        curl=_curl(path, method, told, content, schemas),
    )


def _success(told: Part) -> Part:
    """What its answer is when it is served."""
    answer = next(one for status, one in told["responses"].items() if int(status) < 300)
    # Of CSV there is nothing to list.
    schema: Part = answer["content"].get("application/json", {}).get("schema", {})
    return schema


def _parameter(told: Part, schemas: Part) -> FieldRow:
    places = {"path": "in the address", "query": "after ?", "header": "header"}
    return FieldRow(
        name=str(told["name"]),
        place=places[told["in"]],
        kind=kind_of(told["schema"], schemas),
        is_required=bool(told["required"]),
        description=str(told.get("description", "")),
    )


def _fields(
    schema: Part, schemas: Part, above: str = "", depth: int = 1, *, is_answer: bool = False
) -> Iterator[FieldRow]:
    schema = _inner(schema, schemas)
    required = schema.get("required", ())
    for name, told in schema.get("properties", {}).items():
        whole = {**_inner(told, schemas), **told}
        yield FieldRow(
            name=f"{above}{name}",
            place="",
            kind=kind_of(told, schemas, null=is_answer),
            is_required=name in required,
            description=str(whole.get("description", "")),
        )
        if depth < DEEPEST:
            below = _inner(told, schemas)
            is_list = below.get("type") == "array"
            inside = below.get("items", {}) if is_list else below
            dots = "[]." if is_list else "."
            place = f"{above}{name}{dots}"
            yield from _fields(inside, schemas, place, depth + 1, is_answer=is_answer)


def _inner(schema: Part, schemas: Part) -> Part:
    """Of "this or null" the first."""
    schema = resolved(schema, schemas)
    ways = schema.get("anyOf", ())
    return resolved(ways[0], schemas) if ways else schema


def _curl(path: str, method: str, told: Part, content: Part, schemas: Part) -> str:
    lines = ["curl", '-H "Authorization: Bearer $OPSBOARD_TOKEN"']
    if method == "post":
        lines.append(f'-H "{KEY}: run-4711-1"')
    if method != "get":
        lines.insert(1, f"-X {method.upper()}")
    if content:
        body = content.get("example") or example_of(content.get("schema", {}), schemas)
        lines.append('-H "Content-Type: application/json"')
        lines.append("-d " + shlex.quote(json.dumps(body, ensure_ascii=False)))
    lines.append(shlex.quote(settings.URL + _filled(path, told, schemas)))
    return " \\\n  ".join(lines)


def _filled(path: str, told: Part, schemas: Part) -> str:
    """The address with an example in each of its places."""
    for one in told.get("parameters", ()):
        if one["in"] == "path":
            value: Any = one.get("example") or example_of(one["schema"], schemas, one["name"])
            path = path.replace("{" + one["name"] + "}", str(PLACES.get(one["name"], value)))
    return path


# What stands in addresses in most places, as the demo has it.
PLACES = {
    "service": "fares-api",
    "path": "price-a-crossing",
    "version": "1.4.2",
    "environment": "staging",
    "gate": "unit",
    "change": "CHG-0198",
}
