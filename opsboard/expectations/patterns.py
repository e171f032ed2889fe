"""Patterns of people, run by RE2: linear in the body, whatever the pattern and the body are."""

from functools import lru_cache
from typing import Protocol

import re2

LONGEST_PATTERN = 1_000
# Linear is not yet quick: RE2 needs up to 5 ns for each byte and instruction when its automaton
# does not fit its memory. This many instructions keep the worst megabyte to a few seconds.
MOST_INSTRUCTIONS = 1_000
_MEMORY = 2 << 20


class Pattern(Protocol):
    def search(self, text: bytes) -> object | None: ...


def refusal(pattern: str) -> str:
    """Why `pattern` is refused, as one sentence, or "" when it is good."""
    if not pattern:
        return "An empty pattern matches everything: write what has to be there."
    if len(pattern) > LONGEST_PATTERN:
        return f"A pattern has at most {LONGEST_PATTERN:,} characters."
    try:
        compiled(pattern)
    except re2.error as error:
        return _in_words(_message(error), pattern)
    except _TooBigError:
        return "The pattern is too large: write fewer or smaller repetitions."
    return ""


@lru_cache(maxsize=256)
def compiled(pattern: str) -> Pattern:
    """Raises re2.error, or _TooBigError; never for a pattern that `refusal` let pass."""
    made = re2.compile(pattern, _options())
    if made.programsize > MOST_INSTRUCTIONS:
        raise _TooBigError
    found: Pattern = made
    return found


class _TooBigError(Exception):
    pass


@lru_cache(maxsize=1)
def _options() -> object:
    options = re2.Options()
    # It would write every typing mistake of a person to stderr.
    options.log_errors = False
    # Only whether it matches is asked, never what a group took.
    options.never_capture = True
    options.max_mem = _MEMORY
    return options


def _message(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _in_words(message: str, pattern: str) -> str:
    if any(mark in message for mark in ("(?=", "(?!", "(?<")):
        return "Look-around is not supported: patterns are RE2, which stays quick on any body."
    if _is_back_reference(message, pattern):
        return "Back-references are not supported: patterns are RE2, which stays quick on any body."
    if "pattern too large" in message:
        return "The pattern is too large: write fewer or smaller repetitions."
    if message.endswith("\\Z"):
        return "RE2 writes the end of the text as \\z, not \\Z."
    return f"The pattern is not valid RE2: {message[:120]}."


def _is_back_reference(message: str, pattern: str) -> bool:
    if message.startswith("invalid escape sequence: \\"):
        return message[-1:] in "123456789kg"
    return "(?P=" in pattern and message.endswith("(?P")
