"""Reading a body as JSON, strictly: what could mean two things is refused.

Python's own reader takes NaN, keeps the last of two equal keys, and passes half of a surrogate
pair on.
"""

import json
import math
from typing import Any, NoReturn

from opsboard.api.problems import Problem, pointer_to, problem

LARGEST = 256 * 1024
DEEPEST = 20
LONGEST_NUMBER = 40
# What a whole number of the database holds.
SMALLEST = -(2**63)


def read(body: bytes) -> Any:
    """The value of a body. Raises Problem."""
    if len(body) > LARGEST:
        raise problem(413, "too_large", f"A body has at most {LARGEST // 1024} KiB.")
    try:
        text = body.decode()
    except UnicodeDecodeError as wrong:
        raise _wrong("not_utf8", f"The body is not UTF-8, from byte {wrong.start} on.") from None
    if text.startswith("\ufeff"):
        raise _wrong("byte_order_mark", "The body begins with a byte order mark: leave it out.")
    try:
        value = json.loads(
            text,
            parse_constant=_no_constant,
            parse_int=_whole,
            parse_float=_number,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise _too_deep(()) from None
    except json.JSONDecodeError as wrong:
        place = f"line {wrong.lineno}, column {wrong.colno}"
        raise _wrong("not_json", f"The body is not JSON: {wrong.msg} at {place}.") from None
    _check(value, (), 1)
    return value


def _check(value: Any, place: tuple[Any, ...], depth: int) -> None:
    if depth > DEEPEST:
        raise _too_deep(place)
    if isinstance(value, dict):
        for name, one in value.items():
            _check_text(name, place)
            _check(one, (*place, name), depth + 1)
    elif isinstance(value, list):
        for at, one in enumerate(value):
            _check(one, (*place, at), depth + 1)
    elif isinstance(value, str):
        _check_text(value, place)


def _check_text(text: str, place: tuple[Any, ...]) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _wrong("lone_surrogate", "Half of a surrogate pair stands here.", place) from None
    if "\0" in text:
        raise _wrong("null_character", "A text holds the character U+0000.", place)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            shown = name.encode(errors="replace").decode()[:80]
            raise _wrong("key_twice", f'The key "{shown}" stands twice in one object.')
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise _wrong("not_a_number", f"{name} is not JSON: leave the key out, or write a number.")


def _whole(text: str) -> int:
    if len(text) > LONGEST_NUMBER:
        raise _wrong("number_too_long", f"A number has at most {LONGEST_NUMBER} digits.")
    value = int(text)
    if not SMALLEST <= value < -SMALLEST:
        raise _wrong("number_too_large", f"{text[:20]} is not a number that can be kept.")
    return value


def _number(text: str) -> float:
    value = float(text)
    if len(text) > LONGEST_NUMBER or not math.isfinite(value):
        raise _wrong("number_too_large", f"{text[:20]} is not a number that can be kept.")
    return value


def _too_deep(place: tuple[Any, ...]) -> Problem:
    return _wrong("too_deep", f"Objects and lists stand at most {DEEPEST} deep.", place)


def _wrong(code: str, message: str, place: tuple[Any, ...] = ()) -> Problem:
    return problem(400, code, message, pointer=pointer_to(place))
