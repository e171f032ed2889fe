"""Whether one value holds against an operator and its operands. Types do not drift: see `fault`."""

import operator
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from opsboard.expectations import patterns
from opsboard.expectations.clauses import Operand, Operator, Range
from opsboard.expectations.json_body import JsonFraction

type Comparison = Callable[[Any, Any], bool]

_COMPARE: dict[Operator, Comparison] = {
    Operator.EQUAL: operator.eq,
    Operator.NOT_EQUAL: operator.ne,
    Operator.UNDER: operator.lt,
    Operator.AT_MOST: operator.le,
    Operator.OVER: operator.gt,
    Operator.AT_LEAST: operator.ge,
    Operator.IS: operator.eq,
}
_TEXTUAL = (Operator.CONTAINS, Operator.NOT_CONTAINS, Operator.MATCHES)
_NOUNS = {
    "number": "a number",
    "string": "a text",
    "boolean": "true or false",
    "null": "null",
    "array": "an array",
    "object": "an object",
}


def compare(operator: Operator, value: Operand, operands: tuple[Operand, ...]) -> bool:
    """For values whose type is known to fit the operands. Texts are compared by `compare_text`."""
    if operator is Operator.IN:
        return any(_is_choice(value, each) for each in operands)
    if operator is Operator.BETWEEN:
        low, high = operands
        return _between(value, low, high)
    return _COMPARE[operator](value, operands[0])


def compare_text(operator: Operator, text: bytes, operands: tuple[Operand, ...]) -> bool:
    """`text` is UTF-8; so a body need not be decoded to be searched."""
    sought = str(operands[0])
    match operator:
        case Operator.CONTAINS:
            return sought.encode() in text
        case Operator.NOT_CONTAINS:
            return sought.encode() not in text
        case Operator.MATCHES:
            return patterns.compiled(sought).search(text) is not None
    return _COMPARE[operator](text, sought.encode())


def compare_json(operator: Operator, value: object, operands: tuple[Operand, ...]) -> bool:
    """For values in which `misfit` found nothing."""
    if operator in _TEXTUAL:
        return compare_text(operator, str(value).encode(), operands)
    if operator is Operator.IS:
        return _is_of(value, str(operands[0]))
    plain = value.exact if isinstance(value, JsonFraction) else value
    if operator is Operator.NOT_EQUAL and operands[0] is None:
        return plain is not None
    return compare(operator, plain, operands)  # type: ignore[arg-type]


def misfit(operator: Operator, value: object, operands: tuple[Operand, ...]) -> str:
    """What `value` ought to be but is not, as in "a number"; "" when its type fits.

    A text is never compared with a number, not even for `!=`: it fails in both directions.
    """
    if operator is Operator.IS or (operator is Operator.NOT_EQUAL and operands[0] is None):
        return ""
    wanted = {"string"} if operator in _TEXTUAL else {_type_of_operand(each) for each in operands}
    if json_type(value) in wanted:
        return ""
    return " or ".join(_NOUNS[each] for each in sorted(wanted))


def json_type(value: object) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case None:
            return "null"
        case list():
            return "array"
    return "object"


def _type_of_operand(operand: Operand) -> str:
    return "number" if isinstance(operand, Decimal | Range) else json_type(operand)


def _is_choice(value: Operand, choice: Operand) -> bool:
    if isinstance(choice, Range):
        return isinstance(value, int | Decimal) and choice.low <= value <= choice.high
    # True is not 1 here, though Python says so.
    return isinstance(value, bool) == isinstance(choice, bool) and value == choice


def _between(value: Any, low: Any, high: Any) -> bool:
    return bool(low <= value <= high)


def _is_of(value: object, name: str) -> bool:
    if name == "integer":
        return json_type(value) == "number" and _is_whole(value)
    return json_type(value) == name


def _is_whole(value: object) -> bool:
    if not isinstance(value, JsonFraction):
        return True
    return value.exact == value.exact.to_integral_value()
