"""What may stand on the right of each operator."""

from collections.abc import Callable
from decimal import Decimal

from opsboard.expectations.clauses import Operand, Operator, Range
from opsboard.expectations.literals import (
    Written,
    read_duration,
    read_json_value,
    read_number,
    read_one_of,
    read_part,
    read_pattern,
    read_share,
    read_size,
    read_text,
    read_whole_number,
)
from opsboard.expectations.nearest import listed
from opsboard.expectations.scanner import Cursor
from opsboard.expectations.vocabulary import (
    CACHE_RESULTS,
    HTTP_VERSIONS,
    JSON_TYPES,
    Kind,
    Rule,
)

MOST_CHOICES = 50
MOST_COUNTED = 1_000_000

type Operands = tuple[tuple[Operand, ...], str]

_EQUALITY = (Operator.EQUAL, Operator.NOT_EQUAL)
_ABSOLUTE_ZERO = {Operator.EQUAL: 0, Operator.UNDER: 1, Operator.AT_MOST: 0}


def read_operands(cursor: Cursor, rule: Rule, operator: Operator) -> Operands:
    """The operands and how they are written. Raises LineError."""
    if operator in (Operator.EXISTS, Operator.ABSENT):
        return (), ""
    if operator is Operator.BETWEEN:
        return _read_between(cursor, rule)
    if operator is Operator.IN:
        return _read_choices(cursor, rule)
    single = _read_single(cursor, rule, operator)
    return (single.value,), single.text


def read_count(cursor: Cursor, operator: Operator) -> Operands:
    """How many values a JSON path has to find. Raises LineError."""
    start = cursor.next_at()
    number = read_whole_number(cursor, 0, MOST_COUNTED)
    if _ABSOLUTE_ZERO.get(operator) == number.value:
        raise cursor.error(
            "A count of nothing never holds: write `absent` instead of `count`.", start
        )
    return (number.value,), number.text


def _read_single(cursor: Cursor, rule: Rule, operator: Operator) -> Written[Operand]:
    if operator is Operator.MATCHES:
        return _any(read_pattern(cursor))
    if operator in (Operator.CONTAINS, Operator.NOT_CONTAINS):
        return _any(read_part(cursor))
    if operator is Operator.IS and rule.kind is Kind.JSON:
        return _any(read_one_of(cursor, JSON_TYPES, "type of a JSON value"))
    start = cursor.next_at()
    value = _read_value(cursor, rule)
    if operator not in _EQUALITY and isinstance(value.value, bool | None):
        raise cursor.error(f"`{value.text}` has no order: compare it with == or !=.", start)
    return value


def _read_value(cursor: Cursor, rule: Rule) -> Written[Operand]:
    low, high = rule.low, rule.high
    readers: dict[Kind, Callable[[], Written[Operand]]] = {
        Kind.NUMBER: lambda: _any(read_whole_number(cursor, low, high)),
        Kind.HTTP_VERSION: lambda: _any(_read_http_version(cursor)),
        Kind.DURATION: lambda: _any(read_duration(cursor, low, high)),
        Kind.SIZE: lambda: _any(read_size(cursor, low, high)),
        Kind.TEXT: lambda: _any(read_text(cursor)),
        Kind.JSON: lambda: read_json_value(cursor),
        Kind.CACHE: lambda: _any(read_one_of(cursor, CACHE_RESULTS, "cache result")),
        Kind.SHARE: lambda: _any(read_share(cursor)),
    }
    return readers[rule.kind]()


def _any[Value: (Decimal, int, str)](written: Written[Value]) -> Written[Operand]:
    return Written(written.value, written.text)


def _read_http_version(cursor: Cursor) -> Written[Decimal]:
    start = cursor.next_at()
    number = read_number(cursor, 0, 100)
    if number.value not in {Decimal(version) for version in HTTP_VERSIONS}:
        raise cursor.error(f"Versions of HTTP are {listed(HTTP_VERSIONS)}.", start)
    return number


def _read_between(cursor: Cursor, rule: Rule) -> Operands:
    low = _read_value(cursor, rule)
    if not cursor.take_word("and"):
        raise cursor.error(f"Expected `and` with the upper bound, found {cursor.next_word()}.")
    start = cursor.next_at()
    high = _read_value(cursor, rule)
    if not _is_ordered(low.value, high.value):
        raise cursor.error("Two bounds are numbers or texts, and the lower one comes first.", start)
    return (low.value, high.value), f"{low.text} and {high.text}"


def _is_ordered(low: Operand, high: Operand) -> bool:
    if isinstance(low, str):
        return isinstance(high, str) and low <= high
    if isinstance(low, bool | Range | None) or isinstance(high, str | bool | Range | None):
        return False
    return low <= high


def _read_choices(cursor: Cursor, rule: Rule) -> Operands:
    choices = [_read_choice(cursor, rule)]
    while cursor.take_mark(","):
        if len(choices) == MOST_CHOICES:
            raise cursor.error(f"A list has at most {MOST_CHOICES} choices.")
        choices.append(_read_choice(cursor, rule))
    return tuple(each.value for each in choices), ", ".join(each.text for each in choices)


def _read_choice(cursor: Cursor, rule: Rule) -> Written[Operand]:
    low = _read_value(cursor, rule)
    if not cursor.take_mark(".."):
        return low
    start = cursor.next_at()
    high = _read_value(cursor, rule)
    if not isinstance(low.value, Decimal) or not isinstance(high.value, Decimal):
        raise cursor.error("A range goes from a number to a number, as in 200..299.", start)
    if low.value > high.value:
        raise cursor.error("A range goes from the lower number to the higher one.", start)
    return Written(Range(low.value, high.value), f"{low.text}..{high.text}")
