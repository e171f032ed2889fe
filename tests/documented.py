"""Every answer of the API in any test is held to the document: what is not in it, fails the test.

The board itself does not look twice at what it answers: see opsboard.api.answers.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from jsonschema import Draft202012Validator


class AnswerAsDocumented:
    """Middleware of the tests' settings."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self.get_response(request)
        if request.path.startswith("/api/v1/") and request.resolver_match:
            check(request.resolver_match.route, request.method or "", answer)
        return answer


def check(route: str, method: str, answer: HttpResponse) -> None:
    """Raises AssertionError, with every place where the answer is not as documented."""
    validator = _validators().get((route, method, answer.status_code))
    if validator is None or not answer.content:
        return
    found = validator.iter_errors(json.loads(answer.content))
    wrong = [f"{one.json_path}: {one.message[:300]}" for one in found]
    assert not wrong, f"{method} {route} {answer.status_code} is not as documented: {wrong}"


@cache
def _validators() -> dict[tuple[str, str, int], Draft202012Validator]:
    """By route, method and status, of the board's own API."""
    from opsboard.api.addresses import patterns
    from opsboard.api.app import api
    from opsboard.api.document import Described

    whole: Any = json.loads(json.dumps(api.get_openapi_schema()))
    described, found = Described(whole), {}
    for one in patterns(api):
        route = f"api/v1/{one.pattern}"
        for method in described.methods(route):
            answers = described.answers(route, method)
            for status, told in answers.items():
                if "application/json" not in told["content"]:
                    continue
                schema = told["content"]["application/json"]["schema"]
                whole_schema = {**schema, "components": whole["components"]}
                found[route, method, int(status)] = Draft202012Validator(whole_schema)
    return found
