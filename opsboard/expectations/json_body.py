"""A body as JSON, or the reason why it is not. Bounded: no body costs more than its length allows.

Stricter than Python's reader, because what a browser or another service could not read, or would
read as another number, must not pass here either.
"""

import json
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import accumulate

DEEPEST = 100
MOST_DIGITS = 4_300
LARGEST = 1e300
_LONGEST_SAFE_WHOLE = 300

_STRINGS = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = re.compile(r"[^\[\]{}]++")
_STEPS = {"[": 1, "{": 1, "]": -1, "}": -1}
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")


class JsonFraction(float):
    """A JSON number with a fraction or an exponent: a float for JSON paths, exact for clauses."""

    __slots__ = ("exact",)
    exact: Decimal


# `document` of a body that is JSON: dict, list, str, int, JsonFraction, bool or None.
@dataclass(frozen=True, slots=True)
class JsonBody:
    """`problem` says in words why the body is not JSON; empty when it is. Then `document` holds."""

    document: object = None
    problem: str = ""


class _NotJsonError(Exception):
    """Its text ends the sentence "the body is not JSON: …"."""


def read_json(body: bytes, most: int) -> JsonBody:
    """Never raises, whatever the body is. `most` is in bytes."""
    try:
        return JsonBody(_parsed(_text(body, most)))
    except _NotJsonError as problem:
        return JsonBody(problem=str(problem))


def _text(body: bytes, most: int) -> str:
    if len(body) > most:
        raise _NotJsonError(f"it is larger than {most:,} bytes")
    if not body.strip():
        raise _NotJsonError("it is empty")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise _NotJsonError(f"byte {error.start + 1:,} is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise _NotJsonError("it begins with a byte order mark")
    return text


def _parsed(text: str) -> object:
    if _depth(text) > DEEPEST:
        raise _NotJsonError(f"it nests deeper than {DEEPEST}")
    try:
        document: object = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        said = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        place = f"line {error.lineno:,}, column {error.colno:,}"
        raise _NotJsonError(f"{said} at {place}") from None
    if _SURROGATE_ESCAPE.search(text) and _has_lone_surrogate(document):
        raise _NotJsonError("a text in it holds half of a character (a lone surrogate)")
    return document


def _depth(text: str) -> int:
    """How deep it nests at most; looked at before parsing, which would recurse."""
    openings = text.count("[") + text.count("{")
    if openings <= DEEPEST:
        return openings
    brackets = _NO_BRACKETS.sub("", _STRINGS.sub("", text))
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0)


def _whole(text: str) -> int:
    if len(text) > _LONGEST_SAFE_WHOLE:
        _refuse_extremes(text)
    return int(text)


def _fraction(text: str) -> JsonFraction:
    _refuse_extremes(text)
    number = JsonFraction(text)
    try:
        number.exact = Decimal(text)
    except InvalidOperation:
        raise _NotJsonError("a number in it has an exponent out of all bounds") from None
    return number


def _refuse_extremes(text: str) -> None:
    if len(text) > MOST_DIGITS and sum(map(str.isdigit, text)) > MOST_DIGITS:
        raise _NotJsonError(f"a number in it has more than {MOST_DIGITS:,} digits")
    if not -LARGEST <= float(text) <= LARGEST:
        raise _NotJsonError("a number in it is beyond 1e300")


def _constant(name: str) -> object:
    raise _NotJsonError(f"it holds {name}")


_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=_fraction, parse_constant=_constant)


def _has_lone_surrogate(document: object) -> bool:
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False
