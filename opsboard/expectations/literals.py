"""Reads texts, patterns and numbers with and without a unit from a line.

Every reader gives back a value and its canonical text, or raises LineError.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from opsboard.expectations import patterns, units
from opsboard.expectations.clauses import Operand
from opsboard.expectations.nearest import did_you_mean
from opsboard.expectations.scanner import NAME, NUMBER, UNSEEN, Cursor

LONGEST_TEXT = 1_000
MOST_DIGITS = 40

_TEXT = re.compile(r'"(?:[^"\\]|\\.)*+"')
_PATTERN = re.compile(r"/(?:[^/\\]|\\.)*+/")
_LETTER = re.compile("[A-Za-z]")
_LITERALS: dict[str, Operand] = {"true": True, "false": False, "null": None}


class Written[Value](NamedTuple):
    """A value, and how a clause writes it."""

    value: Value
    text: str


def read_number(cursor: Cursor, low: int, high: int) -> Written[Decimal]:
    start = cursor.next_at()
    number = _read_decimal(cursor)
    if not low <= number.value <= high:
        raise cursor.error(f"This number must be {low:,} to {high:,}.", start)
    return number


def read_whole_number(cursor: Cursor, low: int, high: int) -> Written[Decimal]:
    start = cursor.next_at()
    number = read_number(cursor, low, high)
    if number.value != int(number.value):
        raise cursor.error("This number must be a whole number.", start)
    return number


def read_share(cursor: Cursor) -> Written[Decimal]:
    number = read_number(cursor, 0, 100)
    if not cursor.take_mark("%"):
        raise cursor.error(f"Expected `%` after the number, found {cursor.next_word()}.")
    return Written(number.value, f"{number.text} %")


def read_duration(cursor: Cursor, low: int, high: int) -> Written[int]:
    """Microseconds, `low` to `high`."""
    bounds = f"{units.exact_duration(low)} to {units.exact_duration(high)}"
    return _read_measure(cursor, units.microseconds, low, high, f"A duration here is {bounds}.")


def read_size(cursor: Cursor, low: int, high: int) -> Written[int]:
    """Bytes, `low` to `high`."""
    sentence = f"A size here is at most {units.format_size(high)}."
    return _read_measure(cursor, units.size_in_bytes, low, high, sentence)


def read_text(cursor: Cursor) -> Written[str]:
    start = cursor.next_at()
    if not cursor.line.startswith('"', start):
        raise cursor.error(f'A text goes in double quotes, as in "ok"; found {cursor.next_word()}.')
    if not (raw := cursor.take(_TEXT)):
        raise cursor.error("This text has no closing quote.", start)
    if (value := _unescaped(raw)) is None:
        raise cursor.error("This text has a bad escape: a backslash is written \\\\.", start)
    if len(value) > LONGEST_TEXT:
        raise cursor.error(f"A text has at most {LONGEST_TEXT:,} characters.", start)
    return Written(value, quoted(value))


def read_part(cursor: Cursor) -> Written[str]:
    """A text to look for in another one."""
    start = cursor.next_at()
    part = read_text(cursor)
    if not part.value:
        raise cursor.error("Every text contains the empty text: write what to look for.", start)
    return part


def read_pattern(cursor: Cursor) -> Written[str]:
    start = cursor.next_at()
    if not cursor.line.startswith("/", start):
        raise cursor.error(
            f"A pattern goes between slashes, as in /^pong/; found {cursor.next_word()}."
        )
    if not (raw := cursor.take(_PATTERN)):
        raise cursor.error("This pattern has no closing slash.", start)
    if _LETTER.match(cursor.line, cursor.at):
        raise cursor.error("Flags go inside the pattern, as in /(?i)pong/; a slash is written \\/.")
    if sentence := patterns.refusal(raw[1:-1]):
        raise cursor.error(sentence, start)
    return Written(raw[1:-1], raw)


def read_json_value(cursor: Cursor) -> Written[Operand]:
    if cursor.look(NUMBER):
        number = _read_decimal(cursor)
        return Written(number.value, number.text)
    word = cursor.look(NAME)
    if word in _LITERALS:
        cursor.at += len(word)
        return Written(_LITERALS[word], word)
    text = read_text(cursor)
    return Written(text.value, text.text)


def read_one_of(cursor: Cursor, known: tuple[str, ...], what: str) -> Written[str]:
    word = cursor.look(NAME)
    if word not in known:
        hint = did_you_mean(word, known, {})
        raise cursor.error(f"Expected a {what}, found {cursor.next_word()}; {hint}")
    cursor.at += len(word)
    return Written(word, word)


def quoted(text: str) -> str:
    """`text` as a clause writes it, on one line and with nothing unseen in it."""
    escaped = json.dumps(text, ensure_ascii=False)
    return UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", escaped)


def _read_measure(
    cursor: Cursor, scale: Callable[[Decimal, str], int], low: int, high: int, sentence: str
) -> Written[int]:
    start = cursor.next_at()
    number = _read_decimal(cursor)
    unit = cursor.take(NAME)
    try:
        value = scale(number.value, unit)
    except ValueError as error:
        raise cursor.error(str(error), start) from None
    if not low <= value <= high:
        raise cursor.error(sentence, start)
    return Written(value, f"{number.text} {unit}")


def _read_decimal(cursor: Cursor) -> Written[Decimal]:
    start = cursor.next_at()
    raw = cursor.take(NUMBER)
    if not raw:
        raise cursor.error(f"Expected a number, found {cursor.next_word()}.")
    value = _decimal(raw)
    if value is None:
        raise cursor.error(f"A number in a clause has at most {MOST_DIGITS} digits.", start)
    return Written(value, f"{value:f}")


def _decimal(raw: str) -> Decimal | None:
    try:
        value = Decimal(raw)
    except InvalidOperation:
        return None
    # First the exponent: written out, 1e999999999 would fill the memory.
    exponent = abs(int(value.as_tuple().exponent)) if value.is_finite() else MOST_DIGITS
    return value if exponent < MOST_DIGITS and len(f"{value:f}") <= MOST_DIGITS else None


def _unescaped(raw: str) -> str | None:
    try:
        value = str(json.loads(raw, strict=False))
        value.encode()
    except ValueError:
        return None
    return value
