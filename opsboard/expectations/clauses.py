"""One clause of an expected result, as plain values. Only `grammar.parse` makes them."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Operator(StrEnum):
    EQUAL = "=="
    NOT_EQUAL = "!="
    UNDER = "<"
    AT_MOST = "<="
    OVER = ">"
    AT_LEAST = ">="
    IN = "in"
    BETWEEN = "between"
    CONTAINS = "contains"
    NOT_CONTAINS = "not contains"
    MATCHES = "matches"
    EXISTS = "exists"
    ABSENT = "absent"
    IS = "is"
    IS_NOT = "is not"


@dataclass(frozen=True, slots=True)
class Range:
    """From `low` to `high`, both of them included."""

    low: Decimal
    high: Decimal


# Numbers of JSON, counts and percentages are decimals; durations are whole microseconds and sizes
# whole bytes. None is JSON's null.
type Operand = Decimal | int | str | bool | Range | None

ANSWER = frozenset({"status", "body", "json", "header", "http", "redirects", "exit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """What one line promises. `text` is its canonical form and parses to an equal clause."""

    text: str
    # A broken `warn` clause makes the path warning instead of failing.
    warn: bool
    fact: str
    # The JSON path or the name of the header; empty for every other fact.
    argument: str = ""
    operator: Operator
    operands: tuple[Operand, ...] = ()
    # The operands as they were written: "400 ms", "200..299, 304", '"ok"'.
    written: str = ""
    # The clause is about how many values the JSON path finds, not about the values.
    counts: bool = False
    # In microseconds. None: the clause is judged on each reply by itself.
    window: int | None = None
    percentile: int | None = None

    @property
    def is_about_answer(self) -> bool:
        """Whether the answer is a *wrong answer* when this clause does not hold."""
        return self.fact in ANSWER

    @property
    def is_about_time(self) -> bool:
        """Whether our own lateness could break it. `db.time` is told by the far side: it cannot."""
        return self.fact == "time" or self.fact.startswith("time.")

    @property
    def subject(self) -> str:
        """What the clause is about: `status`, `json $.ok`, `p95 time`."""
        percentile = f"p{self.percentile} " if self.percentile else ""
        return f"{percentile}{self.fact} {self.argument}".rstrip()
