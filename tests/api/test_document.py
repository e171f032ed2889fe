"""The OpenAPI document: valid, whole, open to everybody, and true of the addresses."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31

from opsboard.api import reference
from opsboard.api.app import api
from opsboard.api.document import ALWAYS, OF_A_POST, Described

DOCUMENT = json.loads(json.dumps(api.get_openapi_schema()))


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


NAMED = {f"{method.upper()} {path}": (path, method, told) for path, method, told in operations()}
every_operation = pytest.mark.parametrize(("path", "method", "told"), NAMED.values(), ids=NAMED)


def test_it_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    found = Draft202012Validator(OPENAPI_31).iter_errors(DOCUMENT)
    assert [f"{list(error.path)}: {error.message[:200]}" for error in found] == []


def test_it_is_open_to_everybody_and_holds_no_data() -> None:
    answer = Client().get("/api/v1/openapi.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == DOCUMENT
    assert answer["Cache-Control"] == "no-store"


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [told["operationId"] for _, _, told in operations()]
    assert len(names) == len(set(names))


@every_operation
def test_an_operation_says_what_it_does_and_what_may_be_wrong(
    path: str, method: str, told: dict[str, Any]
) -> None:
    assert told["summary"]
    assert told["description"]
    assert told["security"] == [{"token": []}]
    wanted = ALWAYS | OF_A_POST if method == "post" else ALWAYS
    assert {int(status) for status in told["responses"]} >= set(wanted)
    for status, answer in told["responses"].items():
        if int(status) >= 400:
            schema = answer["content"]["application/json"]["schema"]
            assert schema == {"$ref": "#/components/schemas/Errors"}


@every_operation
def test_only_a_post_takes_a_body_and_a_key(path: str, method: str, told: dict[str, Any]) -> None:
    names = [one["name"] for one in told["parameters"]]
    assert ("Idempotency-Key" in names) == (method == "post")
    if method != "post":
        assert "requestBody" not in told


@every_operation
def test_a_body_refuses_unknown_fields_and_its_example_fits(
    path: str, method: str, told: dict[str, Any]
) -> None:
    for content in told.get("requestBody", {}).get("content", {}).values():
        schema = {**content["schema"], "components": DOCUMENT["components"]}
        validator = Draft202012Validator(schema)
        validator.validate(content["example"])
        assert not validator.is_valid(content["example"] | {"zzz": 1})


@every_operation
def test_an_operation_is_at_the_address_that_it_names(
    path: str, method: str, told: dict[str, Any]
) -> None:
    """Nothing above it in the list of addresses takes its requests."""
    address = re.sub(r"{\w+}", "1", path)
    assert method.upper() in Described(DOCUMENT).methods(resolve(address).route)
    answer = Client().generic("OPTIONS", address)
    assert answer.status_code == 204
    assert method.upper() in answer["Allow"]


@every_operation
def test_nobody_is_let_in_without_a_token(
    path: str, method: str, told: dict[str, Any], db: None
) -> None:
    answer = Client().generic(method.upper(), re.sub(r"{\w+}", "1", path))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"]


def test_the_reference_page_shows_every_operation_to_a_viewer(client_of: Any) -> None:
    page = client_of("viewer").get("/api-reference").text
    for path, method, told in operations():
        assert f'id="{told["operationId"]}"' in page
        assert f"{method.upper()} {path}" in page
    assert "<script>" not in page
    assert "https://cdn" not in page


def test_the_reference_page_names_what_stands_in_lists() -> None:
    shown = [one for group in reference.groups() for one in group.operations]
    names = [row.name for one in shown for row in one.body]
    assert "steps[].do" in names
