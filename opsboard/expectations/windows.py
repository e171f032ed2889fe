"""Clauses about many observations: when such a window may be written, and how it holds.

A window says nothing before it has enough observations, and fewer failures than a streak would
need do not break it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from opsboard.expectations.clauses import Clause
from opsboard.expectations.comparing import compare
from opsboard.expectations.counted import UNTOLD, Counted
from opsboard.expectations.grammar import LONGEST_WINDOW, parse
from opsboard.expectations.histogram import nearest_rank
from opsboard.expectations.tally import longest_passing
from opsboard.expectations.units import MINUTE, format_duration, format_share
from opsboard.expectations.words import expectation

FEWEST = 20
IMPLIED = "errors < 10 % over 30 m"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowHolding:
    """One clause against the observations of its window."""

    clause: Clause
    # None: not enough observations yet, which is neither held nor broken.
    held: bool | None
    # "11.8 % (13 of 110)", "not enough data yet: 7 of 20".
    got: str
    sentence: str
    # Not enough observations yet, but whatever comes, it will not hold when there are.
    is_certain_to_break: bool = False


def fewest_for(clause: Clause) -> int:
    """How many observations it needs: with p95 59, so that its percentile lies among them."""
    if clause.percentile is None:
        return FEWEST
    return max(FEWEST, math.ceil(math.log(0.05) / math.log(clause.percentile / 100)))


def check_window(clause: Clause, interval: int) -> str | None:
    """Why the window is too short for a probe every `interval` microseconds, or None."""
    fewest = fewest_for(clause)
    needed = -(-fewest * interval // MINUTE) * MINUTE
    if clause.window is None or clause.window >= fewest * interval:
        return None
    need = f"`{clause.text}` needs {fewest} observations: one every {format_duration(interval)}"
    if needed > LONGEST_WINDOW:
        longest = format_duration(LONGEST_WINDOW)
        return f"{need} gives fewer within {longest}, the longest window; probe more often."
    return f"{need} takes `over {format_duration(needed)}` or longer."


def implied_clause(clauses: Iterable[Clause], interval: int) -> Clause | None:
    """What is expected where nothing is said of errors; None where something is, or where the
    interval, in microseconds, is too long for it."""
    if any(clause.fact == "errors" and clause.window for clause in clauses):
        return None
    (implied,) = parse(IMPLIED)
    return None if check_window(implied, interval) else implied


def hold_over(clause: Clause, counted: Counted, *, patience: int) -> WindowHolding:
    """Judge a clause with a window on what `Tally.over` says of that window."""
    total, failed = _observations(clause, counted), _failed(clause, counted)
    fewest = fewest_for(clause)
    # Calls that were not reported fail closed: the percentile is not known without them.
    held = _holds(clause, failed, max(total, fewest)) and not _untold(clause, counted)
    if total < fewest:
        return _not_enough(clause, failed, total, certain=failed >= patience and not held)
    got = _got(clause, counted)
    verb = "is" if clause.percentile else "are"
    says = f"{clause.subject} {verb} {got} over {format_duration(clause.window or 0)}"
    if held:
        return WindowHolding(clause=clause, held=True, got=got, sentence=says)
    says = f"{says}, expected {expectation(clause)}"
    if failed < patience:
        says += f"; it breaks when {patience} observations failed"
    return WindowHolding(clause=clause, held=failed < patience, got=got, sentence=says)


def _not_enough(clause: Clause, failed: int, total: int, *, certain: bool) -> WindowHolding:
    got = f"not enough data yet: {total} of {fewest_for(clause)}"
    says = got
    if certain:
        limit = f"{expectation(clause)} over {format_duration(clause.window or 0)}"
        says = f"{failed} of {total} failed so far, too many for {limit}"
    return WindowHolding(
        clause=clause,
        held=None,
        got=got,
        sentence=f"{clause.subject}: {says}",
        is_certain_to_break=certain,
    )


def _observations(clause: Clause, counted: Counted) -> int:
    """Percentiles are of answers; what did not answer is counted by `errors`."""
    return sum(_answers(clause, counted).values()) if clause.percentile else counted.observations


def _failed(clause: Clause, counted: Counted) -> int:
    if clause.fact == "errors":
        return counted.wrong
    if clause.fact == "cache.hits":
        return counted.observations - counted.hits
    answers = _answers(clause, counted).items()
    return sum(count for key, count in answers if not _passes(clause, key))


def _passes(clause: Clause, key: int) -> bool:
    return key != UNTOLD and compare(clause.operator, key, clause.operands)


def _holds(clause: Clause, failed: int, total: int) -> bool:
    """Whether the clause holds when `failed` of `total` observations failed."""
    if clause.percentile:
        return 100 * (total - failed) >= clause.percentile * total
    share = failed if clause.fact == "errors" else total - failed
    return compare(clause.operator, Decimal(100 * share) / total, clause.operands)


def _got(clause: Clause, counted: Counted) -> str:
    if clause.percentile is None:
        part = counted.wrong if clause.fact == "errors" else counted.hits
        share = format_share(part, counted.observations)
        return f"{share} ({part:,} of {counted.observations:,})"
    answers = _answers(clause, counted)
    if untold := _untold(clause, counted):
        return f"not reported by {untold:,} of {sum(answers.values()):,}"
    percentile = nearest_rank(sorted(answers.items()), clause.percentile) or 0
    if clause.fact == "db.calls":
        return f"{percentile:,}"
    # What is kept of a time that just passes is the limit itself.
    is_limit = percentile == longest_passing(clause)
    return expectation(clause) if is_limit else format_duration(percentile)


def _untold(clause: Clause, counted: Counted) -> int:
    return counted.calls.get(UNTOLD, 0) if clause.fact == "db.calls" else 0


def _answers(clause: Clause, counted: Counted) -> dict[int, int]:
    return dict(counted.times if clause.fact == "time" else counted.calls)
