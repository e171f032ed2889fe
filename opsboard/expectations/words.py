"""Clauses in plain language: for pages, for alerts, and for "expected …" beside what was got."""

from collections.abc import Callable
from decimal import Decimal

from opsboard.expectations.clauses import Clause, Operand, Operator, Range
from opsboard.expectations.literals import quoted
from opsboard.expectations.nearest import listed
from opsboard.expectations.units import format_duration

_COMPARED = {
    Operator.EQUAL: "",
    Operator.NOT_EQUAL: "not ",
    Operator.UNDER: "under ",
    Operator.AT_MOST: "at most ",
    Operator.OVER: "over ",
    Operator.AT_LEAST: "at least ",
    Operator.IS: "",
    Operator.IS_NOT: "not ",
}
_TEXTUAL = {
    Operator.CONTAINS: "to contain ",
    Operator.NOT_CONTAINS: "not to contain ",
    Operator.MATCHES: "to match ",
}
_SAID = {
    Operator.CONTAINS: "contains ",
    Operator.NOT_CONTAINS: "does not contain ",
    Operator.MATCHES: "matches ",
}
_TIMES = {
    "time": "Answers in ",
    "time.dns": "Finds the address in ",
    "time.connect": "Connects in ",
    "time.tls": "Secures the connection in ",
    "time.first_byte": "First byte in ",
    "time.transfer": "Transfers the body in ",
}
_NAMES = {
    "status": "Status",
    "body": "Body",
    "db.calls": "Number of database calls",
    "db.time": "Database time",
    "cache": "Cache result",
    "certificate.issuer": "Certificate issuer",
    "size": "Size of the body",
    "http": "HTTP version",
    "redirects": "Number of redirects",
    "exit": "Exit code",
    "errors": "Errors",
    "cache.hits": "Cache hits",
}
_TYPES = {"integer": "a whole number", "array": "an array", "object": "an object", "null": "null"}


def words_for(clause: Clause) -> str:
    """The clause as a page says it: "Status is 200", "Answers in under 400 ms"."""
    words = _sentence(clause)
    return f"{words} over {format_duration(clause.window)}" if clause.window else words


def expectation(clause: Clause) -> str:
    """What goes after "expected": "201", "under 400 ms", 'to contain "ok"'."""
    if clause.operator is Operator.EXISTS:
        return "to be there"
    if clause.operator is Operator.ABSENT:
        return "not to be there"
    if clause.operator in _TEXTUAL:
        return _TEXTUAL[clause.operator] + clause.written
    return _limit(clause)


def _sentence(clause: Clause) -> str:
    if clause.percentile:
        return f"{clause.percentile} % of answers {_share(clause)}"
    if clause.fact in _TIMES:
        return _TIMES[clause.fact] + _limit(clause)
    special = _SPECIAL.get(clause.fact)
    return special(clause) if special else _said(_name(clause), clause)


def _said(name: str, clause: Clause) -> str:
    if clause.operator in _SAID:
        return f"{name} {_SAID[clause.operator]}{clause.written}"
    if clause.operator in (Operator.EXISTS, Operator.ABSENT):
        return f"{name} is {'not ' * (clause.operator is Operator.ABSENT)}there"
    return f"{name} is {_limit(clause)}"


def _name(clause: Clause) -> str:
    if clause.fact == "header":
        return f"Header {clause.argument}"
    return _NAMES[clause.fact]


def _share(clause: Clause) -> str:
    if clause.fact == "time":
        return f"in {_limit(clause)}"
    return f"with {_limit(clause)} database calls"


def _of_json(clause: Clause) -> str:
    if clause.counts:
        return f"{clause.argument} finds {_limit(clause)} value{_plural(clause)}"
    return _said(clause.argument, clause)


def _of_calls(clause: Clause) -> str:
    if clause.operator in (Operator.NOT_EQUAL, Operator.IN):
        return _said(_NAMES[clause.fact], clause)
    amount = "exactly " if clause.operator is Operator.EQUAL else ""
    words = f"{amount}{_limit(clause)} database call{_plural(clause)}"
    return words[:1].upper() + words[1:]


def _of_days(clause: Clause) -> str:
    return f"Certificate is valid for {_limit(clause)} day{_plural(clause)}"


def _plural(clause: Clause) -> str:
    return "" if clause.operands == (Decimal(1),) else "s"


def _of_share(clause: Clause) -> str:
    return f"{_NAMES[clause.fact]} {_limit(clause)}"


_SPECIAL: dict[str, Callable[[Clause], str]] = {
    "json": _of_json,
    "db.calls": _of_calls,
    "certificate.days": _of_days,
    "errors": _of_share,
    "cache.hits": _of_share,
}


def _limit(clause: Clause) -> str:
    if clause.operator is Operator.BETWEEN:
        return clause.written.replace(" and ", " to ") if _has_units(clause) else _between(clause)
    if clause.operator is Operator.IN:
        return listed(tuple(_choice(each) for each in clause.operands), "or")
    if clause.operator is Operator.IS and clause.fact == "json":
        return _TYPES.get(clause.written, f"a {clause.written}")
    return _COMPARED[clause.operator] + clause.written


def _has_units(clause: Clause) -> bool:
    return all(isinstance(each, int) for each in clause.operands)


def _between(clause: Clause) -> str:
    return " to ".join(_choice(each) for each in clause.operands)


def _choice(operand: Operand) -> str:
    match operand:
        case Range(low=low, high=high):
            return f"{low:f} to {high:f}"
        case Decimal():
            return f"{operand:f}"
        case str():
            return quoted(operand)
        case None:
            return "null"
    return str(operand).lower()
