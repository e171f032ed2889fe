"""What a schema lets a value be, in words: "text of at most 200 characters"."""

from collections.abc import Iterator

from opsboard.api.examples import Part, resolved

KINDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "object",
    "null": "null",
}
FORMATS = {"date-time": "time, as 2026-11-28T12:00:00Z", "date": "day", "uuid": "UUID"}


def kind_of(schema: Part, schemas: Part, *, null: bool = False) -> str:
    """`null`: say where it may be null."""
    schema = resolved(schema, schemas)
    if ways := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        kinds = dict.fromkeys(kind_of(one, schemas) for one in ways)
        # In a body, what may be left out may be null: "optional" says so.
        return " or ".join(kind for kind in kinds if null or kind != KINDS["null"])
    if "enum" in schema:
        return "one of " + ", ".join(map(str, filter(None, schema["enum"])))
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return ", ".join([f"list of {kind_of(schema.get('items', {}), schemas)}", *_limits(schema)])
    kind = FORMATS.get(schema.get("format", "")) or KINDS.get(str(schema.get("type")), "anything")
    return ", ".join([kind, *_limits(schema)])


def _limits(schema: Part) -> Iterator[str]:
    if "minimum" in schema and "maximum" in schema:
        yield f"from {schema['minimum']} to {schema['maximum']}"
        schema = {key: one for key, one in schema.items() if key not in ("minimum", "maximum")}
    words = {
        "maxLength": "at most {} characters",
        "maxItems": "at most {}",
        "minimum": "{} or more",
        "maximum": "at most {}",
        "exclusiveMinimum": "more than {}",
        "pattern": "as {}",
    }
    for name, text in words.items():
        if name in schema:
            yield text.format(schema[name])
