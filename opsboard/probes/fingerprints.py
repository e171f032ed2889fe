"""What is asked of a path, as one short text: two observations can be compared when theirs is one.

It is made of templates and of variables that are no secrets, so it tells nothing that may not be
shown. A secret that is renewed asks the same as before.
"""

import json
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Protocol

from opsboard.services.rules import names_in


class Sheet(Protocol):
    """The fields of a critical path that say what is asked."""

    kind: str
    method: str
    route: str
    headers: list[Any]
    query: list[Any]
    body: str
    follows_redirects: bool
    connection: dict[str, Any]
    cache_mode: str
    steps: list[Any]


def fingerprint(
    sheet: Sheet, *, base_url: str, variables: Mapping[str, str], location: str, client: str
) -> str:
    """32 hexadecimal digits. `variables` are those that are no secrets, by name; `client` names
    what asks, with its version."""
    asked = {
        "kind": sheet.kind,
        "base_url": base_url,
        "requests": [_step(one) for one in sheet.steps] or [_request(sheet)],
        "follows_redirects": sheet.follows_redirects,
        "connection": sheet.connection,
        "cache_mode": sheet.cache_mode,
        "location": location,
        "client": client,
    }
    used = names_in(json.dumps(asked))
    asked["variables"] = {name: variables[name] for name in used if name in variables}
    return blake2b(json.dumps(asked, sort_keys=True).encode(), digest_size=16).hexdigest()


def _request(sheet: Sheet) -> list[Any]:
    return _asked(sheet.method, sheet.route, sheet.headers, sheet.query, sheet.body)


def _step(step: Mapping[str, Any]) -> list[Any]:
    """All of it but its name and what is expected."""
    request = _asked(
        step.get("method") or "GET",
        step.get("route", ""),
        step.get("headers", []),
        step.get("query", []),
        step.get("body", ""),
    )
    return [*request, step.get("form", []), step.get("take", {}), bool(step.get("always"))]


def _asked(method: str, route: str, headers: list[Any], query: list[Any], body: str) -> list[Any]:
    named = [[name.lower(), value] for name, value in headers]
    return [method, route, named, query, body]
