"""Kinds of fields that bodies have in common, checked where they are read.

A body is read strictly (see `Body`): a time arrives as text, so it needs a kind of its own.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
_EXAMPLE = "2026-11-28T12:00:00Z"


def _moment(value: Any) -> datetime:
    """RFC 3339 with its zone: without one a time means another minute in every place."""
    try:
        read = datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else None
    except ValueError:
        read = None
    if read is None:
        raise PydanticCustomError("not_a_time", f"Write a time as {_EXAMPLE}.")
    if read.utcoffset() is None:
        raise PydanticCustomError("no_zone", f"The time has no zone: write it as {_EXAMPLE}.")
    if not EARLIEST.timestamp() <= read.timestamp() < LATEST.timestamp():
        raise PydanticCustomError("out_of_time", "The time lies before 2000 or after 2100.")
    return read.astimezone(UTC)


def _one_line(value: str) -> str:
    if not value.isprintable():
        raise PydanticCustomError(
            "not_one_line", "Write one line, without line breaks and other control characters."
        )
    return value


# A time with its zone, between 2000 and 2100; it arrives in UTC.
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": [_EXAMPLE]}),
]
# Text on one line. Say its length with a further Field(max_length=…).
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1), AfterValidator(_one_line)
]
Commit = Annotated[
    str,
    StringConstraints(pattern=r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$"),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": "^([0-9a-f]{40}|[0-9a-f]{64})$",
            "description": "The whole object id of a commit, in lower case.",
            "examples": ["9fceb02d0ae598e95dc970b74767f19372d61af8"],
        }
    ),
]
