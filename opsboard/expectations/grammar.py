"""From the lines of an expected result to its clauses. All that is wrong is said at once.

    clause = ["warn"] ["p95"] fact [argument] test ["over" duration]
    test   = operator operands | "count" comparison number | "exists" | "absent" | "is" word

A broken line gives one error, the first in it, with the nearest known word.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from opsboard.expectations import paths
from opsboard.expectations.clauses import Clause, Operator
from opsboard.expectations.literals import Written, read_duration
from opsboard.expectations.nearest import did_you_mean, listed
from opsboard.expectations.operands import Operands, read_count, read_operands
from opsboard.expectations.scanner import NAME, SYMBOL, UNSEEN, Cursor, LineError
from opsboard.expectations.units import DAY, MINUTE, SPACE
from opsboard.expectations.vocabulary import (
    COMPARED,
    FACTS,
    FACTS_ELSEWHERE,
    OPERATORS_ELSEWHERE,
    PERCENTILES,
    UPPER_LIMITS,
    Rule,
)

MOST_CLAUSES = 100
LONGEST_LINE = 3_000
SHORTEST_WINDOW = MINUTE
LONGEST_WINDOW = 7 * DAY

_PERCENTILE = re.compile(r"[pP][0-9]+\b")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")


@dataclass(frozen=True, slots=True)
class ClauseError:
    """What is wrong with a line. `line` and `column` count from 1; the message is one sentence."""

    line: int
    column: int
    message: str


class ClauseErrors(Exception):
    """Every error of a text, in its order; never empty."""

    def __init__(self, errors: tuple[ClauseError, ...]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return "\n".join(
            f"Line {error.line}, column {error.column}: {error.message}" for error in self.errors
        )


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[Clause, ...]:
    """The clauses of `text`, one a line; blank lines and those that begin with # are skipped.

    Raises ClauseErrors and nothing else, whatever the text is.
    """
    clauses: list[Clause] = []
    errors: list[ClauseError] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not (stripped := line.strip(SPACE + "\r")) or stripped.startswith("#"):
            continue
        try:
            clauses.append(_parse_line(line.removesuffix("\r"), len(clauses)))
        except LineError as error:
            errors.append(ClauseError(number, error.column, error.sentence))
            if len(errors) == MOST_CLAUSES:
                break
    if errors:
        raise ClauseErrors(tuple(errors))
    return tuple(clauses)


def _parse_line(line: str, already: int) -> Clause:
    cursor = Cursor(line)
    if already == MOST_CLAUSES:
        raise cursor.error(f"An expected result has at most {MOST_CLAUSES} clauses.")
    if len(line) > LONGEST_LINE:
        raise cursor.error(f"A clause has at most {LONGEST_LINE:,} characters.", LONGEST_LINE)
    if unseen := UNSEEN.search(line):
        raise cursor.error("This character cannot be seen: take it out.", unseen.start())
    warn = cursor.take_word("warn")
    return _read_clause(cursor, warn=warn)


def _read_clause(cursor: Cursor, *, warn: bool) -> Clause:
    percentile = _read_percentile(cursor)
    fact = _read_fact(cursor, percentile)
    rule = FACTS[fact]
    argument = _read_argument(cursor, fact)
    counts = fact == "json" and cursor.take_word("count")
    operator = _read_operator(cursor, fact, _allowed(rule, percentile, counts=counts))
    operands, written = _read_test(cursor, rule, operator, counts=counts)
    window = _read_window(cursor, rule, fact, percentile)
    if not cursor.is_done:
        raise cursor.error(f"Expected the end of the clause, found {cursor.next_word()}.")
    words = (
        "warn" * warn,
        f"p{percentile}" if percentile else "",
        f"{fact} {argument}".rstrip(),
        "count" * counts,
        operator,
        written,
        f"over {window.text}" if window else "",
    )
    return Clause(
        text=" ".join(word for word in words if word),
        warn=warn,
        fact=fact,
        argument=argument,
        operator=operator,
        operands=operands,
        written=written,
        counts=counts,
        window=window.value if window else None,
        percentile=percentile,
    )


def _allowed(rule: Rule, percentile: int | None, *, counts: bool) -> tuple[Operator, ...]:
    if percentile:
        return UPPER_LIMITS
    return COMPARED if counts else rule.operators


def _read_test(cursor: Cursor, rule: Rule, operator: Operator, *, counts: bool) -> Operands:
    return read_count(cursor, operator) if counts else read_operands(cursor, rule, operator)


def _read_percentile(cursor: Cursor) -> int | None:
    word = cursor.look(_PERCENTILE)
    if not word:
        return None
    known = tuple(f"p{each}" for each in PERCENTILES)
    if word.lower() not in known:
        raise cursor.error(f"Unknown percentile `{word[:40]}`: {listed(known)} are known.")
    cursor.at += len(word)
    return int(word[1:])


def _read_fact(cursor: Cursor, percentile: int | None) -> str:
    if cursor.is_done:
        raise cursor.error("Expected a fact, such as `status`, found the end of the line.")
    start, word = cursor.next_at(), cursor.look(NAME)
    if word not in FACTS:
        hint = did_you_mean(word, tuple(FACTS), FACTS_ELSEWHERE)
        raise cursor.error(f"Unknown fact {cursor.next_word()}; {hint}")
    cursor.at += len(word)
    if percentile and not FACTS[word].has_percentiles:
        raise cursor.error("Percentiles are kept of `time` and of `db.calls` only.", start)
    return word


def _read_argument(cursor: Cursor, fact: str) -> str:
    if fact == "header":
        name = cursor.take(_HEADER_NAME)
        if not name:
            raise cursor.error(f"Expected the name of a header, found {cursor.next_word()}.")
        return name
    return _read_path(cursor) if fact == "json" else ""


def _read_path(cursor: Cursor) -> str:
    start = cursor.next_at()
    if not cursor.line.startswith("$", start):
        raise cursor.error(f"A JSON path begins with $, as in $.ok; found {cursor.next_word()}.")
    cursor.at = paths.end_of(cursor.line, start)
    path = cursor.line[start : cursor.at]
    if sentence := paths.refusal(path):
        raise cursor.error(sentence, start)
    return path


def _read_operator(cursor: Cursor, fact: str, allowed: tuple[Operator, ...]) -> Operator:
    start = cursor.next_at()
    word = cursor.take(SYMBOL) or cursor.take(NAME)
    if word in ("is", "not"):
        follows = {"is": "not", "not": "contains"}[word]
        word += f" {follows}" * cursor.take_word(follows)
    if word in allowed:
        return Operator(word)
    cursor.at = start
    if word in tuple(Operator):
        raise cursor.error(f"`{fact}` takes {listed(allowed, 'or')}, not `{word}`.")
    hint = did_you_mean(word, allowed, OPERATORS_ELSEWHERE)
    raise cursor.error(f"Unknown operator {cursor.next_word()}; {hint}")


def _read_window(
    cursor: Cursor, rule: Rule, fact: str, percentile: int | None
) -> Written[int] | None:
    needed = rule.needs_window or percentile is not None
    start = cursor.next_at()
    if cursor.take_word("over"):
        if not needed:
            raise cursor.error(_no_window(rule, fact), start)
        return read_duration(cursor, SHORTEST_WINDOW, LONGEST_WINDOW)
    if needed and cursor.is_done:
        raise cursor.error("This clause needs a window, such as `over 30 m`.")
    return None


def _no_window(rule: Rule, fact: str) -> str:
    if rule.has_percentiles:
        return f"Say which share of the window counts, as in `p95 {fact} …`."
    return f"`{fact}` is judged on each reply: `over` goes with errors, cache.hits and percentiles."
