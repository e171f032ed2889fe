"""Every word the clause language knows, and how each fact may be tested."""

from dataclasses import dataclass
from enum import Enum, auto

from opsboard.expectations.clauses import Operator
from opsboard.expectations.units import DAY, HOUR

PERCENTILES = (50, 75, 90, 95, 99)
CACHE_RESULTS = ("hit", "miss", "stale", "bypass", "unknown")
JSON_TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
HTTP_VERSIONS = ("1.0", "1.1", "2", "3")

COMPARED = (
    Operator.EQUAL,
    Operator.NOT_EQUAL,
    Operator.UNDER,
    Operator.AT_MOST,
    Operator.OVER,
    Operator.AT_LEAST,
)
UPPER_LIMITS = (Operator.UNDER, Operator.AT_MOST)
LOWER_LIMITS = (Operator.OVER, Operator.AT_LEAST)
ORDERED = (*COMPARED, Operator.BETWEEN)
COUNTED = (*ORDERED, Operator.IN)
TEXTUAL = (
    Operator.EQUAL,
    Operator.NOT_EQUAL,
    Operator.CONTAINS,
    Operator.NOT_CONTAINS,
    Operator.MATCHES,
)
ANY_VALUE = (*COUNTED, *TEXTUAL[2:], Operator.EXISTS, Operator.ABSENT, Operator.IS)


class Kind(Enum):
    NUMBER = auto()
    HTTP_VERSION = auto()
    DURATION = auto()
    SIZE = auto()
    TEXT = auto()
    JSON = auto()
    CACHE = auto()
    SHARE = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """How a fact may be tested. `low` and `high` bound its numbers, both included."""

    kind: Kind
    operators: tuple[Operator, ...]
    low: int = 0
    high: int = HOUR
    # It is a share of many observations, and means nothing for one of them.
    needs_window: bool = False
    has_percentiles: bool = False


_TIME = Rule(Kind.DURATION, ORDERED)

FACTS = {
    "status": Rule(Kind.NUMBER, COUNTED, 100, 999),
    # A job of a heartbeat may run for days.
    "time": Rule(Kind.DURATION, ORDERED, high=31 * DAY, has_percentiles=True),
    "time.dns": _TIME,
    "time.connect": _TIME,
    "time.tls": _TIME,
    "time.first_byte": _TIME,
    "time.transfer": _TIME,
    "body": Rule(Kind.TEXT, TEXTUAL),
    "json": Rule(Kind.JSON, ANY_VALUE),
    "header": Rule(Kind.TEXT, (*TEXTUAL, Operator.EXISTS)),
    "db.calls": Rule(Kind.NUMBER, COUNTED, 0, 1_000_000, has_percentiles=True),
    "db.time": _TIME,
    "cache": Rule(Kind.CACHE, (Operator.IS, Operator.IS_NOT)),
    "certificate.days": Rule(Kind.NUMBER, ORDERED, 0, 36_500),
    "certificate.issuer": Rule(Kind.TEXT, TEXTUAL),
    "size": Rule(Kind.SIZE, ORDERED, 0, 1_000_000_000),
    "http": Rule(Kind.HTTP_VERSION, COUNTED),
    # What a heartbeat's job ended with; Windows has codes of 32 bits.
    "exit": Rule(Kind.NUMBER, COUNTED, 0, 2**32 - 1),
    "redirects": Rule(Kind.NUMBER, COUNTED, 0, 100),
    "errors": Rule(Kind.SHARE, UPPER_LIMITS, 0, 100, needs_window=True),
    "cache.hits": Rule(Kind.SHARE, LOWER_LIMITS, 0, 100, needs_window=True),
}

# What people call these elsewhere, so that the hint leads to the word that works here.
FACTS_ELSEWHERE = {
    "response": "body",
    "text": "body",
    "content": "body",
    "latency": "time",
    "duration": "time",
    "code": "status",
    "jsonpath": "json",
    "certificate": "certificate.days",
    "queries": "db.calls",
    "database": "db.calls",
    "availability": "errors",
    "version": "http",
    "exit_code": "exit",
    "returncode": "exit",
}
OPERATORS_ELSEWHERE = {
    "=": "==",
    "===": "==",
    "!==": "!=",
    "<>": "!=",
    "=<": "<=",
    "=>": ">=",
    "~": "matches",
    "=~": "matches",
    "includes": "contains",
}
