"""JSON paths of RFC 9535, with a bound on what one of them may cost.

The library has no bound of its own: `$[?count($[*]) > 1]` on a long array would run for minutes.
Its resolver is in a private module; a test holds the names used here.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from jsonpath_rfc9535 import (
    DetailedJSONPathError,
    JSONPathEnvironment,
    JSONPathError,
    JSONPathNameError,
    JSONPathQuery,
)
from jsonpath_rfc9535._ast import Expression, Selector
from jsonpath_rfc9535._resolver_basic import BasicResolver

from opsboard.expectations.units import SPACE

LONGEST_PATH = 1_000
# Below half a second on a slow core.
MOST_STEPS = 300_000

_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*+'|\"(?:[^\"\\]|\\.)*+\"")

_MEMBERS = re.compile(r"\$(?:\.[A-Za-z_][A-Za-z_0-9]*+)++")


class TooManyStepsError(Exception):
    """The path visits more than `MOST_STEPS` values of this body."""


def refusal(path: str) -> str:
    """Why `path` is refused, as one sentence, or "" when it is good."""
    if len(path) > LONGEST_PATH:
        return f"A JSON path has at most {LONGEST_PATH:,} characters."
    if _QUOTED.sub("''", path).count("..") > 1:
        return "A JSON path may have one `..` at most: more could cost seconds."
    try:
        _compiled(path)
    except JSONPathNameError as error:
        return f"This JSON path has an {error.message}: to test a text, write matches /…/ after it."
    except DetailedJSONPathError as error:
        return f"This is not a JSON path (RFC 9535): {error.message}."
    except (JSONPathError, ArithmeticError, LookupError, ValueError, RecursionError):
        return "This is not a JSON path (RFC 9535): it nests too deeply or has too large a number."
    return ""


def end_of(line: str, start: int) -> int:
    """Where the path that begins at `start` ends: the first space outside brackets and quotes."""
    depth, quote, at = 0, "", start
    while at < len(line):
        character = line[at]
        if quote:
            at += character == "\\"
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in SPACE and depth <= 0:
            return at
        else:
            depth += (character == "[") - (character == "]")
        at += 1
    return len(line)


def select(path: str, document: object) -> list[object]:
    """The values `path` finds in `document`, in its order. Raises TooManyStepsError."""
    names = _names(path)
    if names:
        return _at(names, document)
    segments = _compiled(path).segments
    return list(_BoundedResolver.resolve(_Meter(), segments, document))


@lru_cache(maxsize=1024)
def _names(path: str) -> tuple[str, ...]:
    """Of a path that only names members, as nearly all do: for these no resolver is needed."""
    return tuple(path.split(".")[1:]) if _MEMBERS.fullmatch(path) else ()


def _at(names: tuple[str, ...], value: object) -> list[object]:
    for name in names:
        if not isinstance(value, dict) or name not in value:
            return []
        value = value[name]
    return [value]


class _Environment(JSONPathEnvironment):
    def __init__(self) -> None:
        # Bodies nest at most 100 deep, and the library counts from one.
        super().__init__(max_recursion_depth=200)
        # They would run backtracking patterns: clauses have `matches` instead.
        del self.functions["match"], self.functions["search"]


_ENVIRONMENT = _Environment()


class _Meter(JSONPathEnvironment):
    """The environment of one evaluation, which is handed down to every query inside a filter."""

    def __init__(self) -> None:
        self.functions = _ENVIRONMENT.functions
        self.max_recursion_depth = _ENVIRONMENT.max_recursion_depth
        self.left = MOST_STEPS

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise TooManyStepsError


class _BoundedResolver(BasicResolver):
    env: _Meter

    def _resolve_selector(self, selector: Selector, obj: object) -> Iterable[object]:
        self.env.spend()
        for value in super()._resolve_selector(selector, obj):
            self.env.spend()
            yield value

    def _evaluate_expression(
        self, expr: Expression, current_key: int | str, current_value: object
    ) -> object:
        self.env.spend()
        return super()._evaluate_expression(expr, current_key, current_value)


@lru_cache(maxsize=1024)
def _compiled(path: str) -> JSONPathQuery:
    return _ENVIRONMENT.compile(path)
