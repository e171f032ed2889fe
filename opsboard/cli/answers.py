"""Reading what the board said, strictly: what is missing or unknown is no answer (exit 7)."""

import json
from collections.abc import Collection
from typing import Any, NoReturn

from opsboard.cli.leaving import NoAnswer
from opsboard.cli.printing import plain

type Object = dict[str, Any]

_LONGEST_REASON = 500


def read_object(body: bytes) -> Object:
    """The JSON object of a body. A key that stands twice, NaN and half a text are no answer."""
    try:
        value = json.loads(body, object_pairs_hook=_once, parse_constant=_constant)
    except (ValueError, RecursionError):
        raise NoAnswer("The board's answer is not whole JSON.") from None
    if not isinstance(value, dict):
        raise NoAnswer("The board's answer is not a JSON object.")
    return value


def text(said: Object, name: str) -> str:
    value = _there(said, name)
    return value if isinstance(value, str) else _odd(name)


def maybe_text(said: Object, name: str) -> str:
    """ "" for null and for what is not said: only for what nothing is judged by."""
    value = said.get(name)
    if value is None:
        return ""
    return value if isinstance(value, str) else _odd(name)


def word(said: Object, name: str, known: Collection[str]) -> str:
    """One of the words that this version of the command knows."""
    value = text(said, name)
    if value not in known:
        raise NoAnswer(
            f'The board answered "{plain(value)[:60]}" for {name}, a word that this command does'
            " not know: update it."
        )
    return value


def number(said: Object, name: str) -> int:
    value = _there(said, name)
    # JSON's true is an int to Python.
    return value if isinstance(value, int) and not isinstance(value, bool) else _odd(name)


def yes(said: Object, name: str) -> bool:
    value = _there(said, name)
    return value if isinstance(value, bool) else _odd(name)


def inner(said: Object, name: str) -> Object:
    value = _there(said, name)
    return value if isinstance(value, dict) else _odd(name)


def objects(said: Object, name: str) -> list[Object]:
    value = _there(said, name)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        _odd(name)
    return value


def texts(said: Object, name: str) -> list[str]:
    value = _there(said, name)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        _odd(name)
    return value


def reasons_of(body: bytes) -> tuple[list[str], tuple[str, ...]]:
    """The sentences and codes of an answer that is no success; nothing when it has none.

    The form is {"errors": [{"code", "message", "pointer" or "field"}]}.
    """
    try:
        errors = objects(read_object(body), "errors")
        sentences = [_reason(one) for one in errors]
        return sentences, tuple(text(one, "code") for one in errors)
    except NoAnswer:
        return [], ()


def _reason(one: Object) -> str:
    place = maybe_text(one, "pointer") or maybe_text(one, "field")
    sentence = plain(text(one, "message"))[:_LONGEST_REASON]
    return f"{plain(place)[:100]}: {sentence}" if place else sentence


def _there(said: Object, name: str) -> Any:
    if name not in said:
        raise NoAnswer(f"The board's answer lacks {name}.")
    return said[name]


def _odd(name: str) -> NoReturn:
    raise NoAnswer(f"The board's answer has something odd for {name}.")


def _once(pairs: list[tuple[str, Any]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _constant(name: str) -> NoReturn:
    raise ValueError(name)
