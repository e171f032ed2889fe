"""An example of what a schema describes: for the document and the reference page."""

import re
from collections.abc import Mapping
from typing import Any

type Part = Mapping[str, Any]

# What a text of this name looks like, where it fits.
NAMED = {
    "version": "1.4.2",
    "tag": "v1.4.2",
    "commit": "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "object": "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "environment": "staging",
    "service": "fares-api",
    "path": "price-a-crossing",
    "gate": "unit",
    "outcome": "passed",
    "command": "pytest -q",
    "reason": "The new fares are being loaded until noon.",
    "because": "The import ran through, and prices are right again.",
    "url": "https://ci.example/runs/4711",
    "root": "3b1f0c9d2e7a4856" * 4,
    "name": "fares.yaml",
    "text": "The import is running again.",
    "title": "Roll back to the last version",
    "use_when": "Prices stay empty after a deploy.",
    "does_not_undo": "Bookings that were paid meanwhile.",
    "do": "Deploy the version before.",
}
# Else the first of these that fits.
TEXTS = (
    "text",
    "1.4.2",
    "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "2026-11-28",
    "0123456789abcdef",
)
FORMATS = {
    "date-time": "2026-11-28T12:00:00Z",
    "date": "2026-11-28",
    "uuid": "3f2b8c1e-6d0f-4a55-9c7a-0b6f1d2e4a90",
    "uri": "https://ci.example/runs/4711",
}


def example_of(schema: Part, schemas: Part, name: str = "") -> Any:
    """A value that fits; of an object the fields that must be there, or else the first."""
    schema = resolved(schema, schemas)
    if "examples" in schema:
        return schema["examples"][0]
    for known in ("example", "const", "default"):
        if schema.get(known) is not None and schema[known] not in ("", []):
            return schema[known]
    if "enum" in schema:
        named = [one for one in schema["enum"] if one == NAMED.get(name)]
        return (named or [one for one in schema["enum"] if one != ""])[0]
    for way in ("anyOf", "oneOf", "allOf"):
        if way in schema:
            return example_of(schema[way][0], schemas, name)
    return _of_type(schema, schemas, name)


def resolved(schema: Part, schemas: Part) -> Part:
    """The schema itself where it is only named."""
    while "$ref" in schema:
        schema = {
            **schemas[schema["$ref"].rsplit("/", 1)[-1]],
            **{key: value for key, value in schema.items() if key != "$ref"},
        }
    return schema


def _of_type(schema: Part, schemas: Part, name: str) -> Any:
    kind = schema.get("type")
    if kind == "object":
        return _object(schema, schemas)
    if kind == "array":
        return [example_of(schema.get("items", {}), schemas, name)]
    if kind in ("integer", "number"):
        return max(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1), 1)
    if kind == "null":
        return None
    if kind == "boolean":
        return True
    return _text(schema, name) if kind == "string" else None


def _object(schema: Part, schemas: Part) -> dict[str, Any]:
    fields = schema.get("properties", {})
    shown = schema.get("required") or list(fields)[:2]
    return {name: example_of(fields[name], schemas, name) for name in shown if name in fields}


def _text(schema: Part, name: str) -> str:
    if schema.get("format") in FORMATS:
        return FORMATS[schema["format"]]
    low, high = schema.get("minLength", 0), schema.get("maxLength", 1000)
    fitting = [
        text.ljust(low, ".")
        for text in (NAMED.get(name, ""), *TEXTS)
        if text and re.search(schema.get("pattern", ""), text.ljust(low, "."))
    ]
    return (fitting or ["text"])[0][:high]
