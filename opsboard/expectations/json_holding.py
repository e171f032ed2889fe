"""Clauses about values in a JSON body. Where a path finds several values, every one must hold."""

from opsboard.expectations import paths
from opsboard.expectations.clauses import Clause, Operator
from opsboard.expectations.comparing import compare, compare_json, misfit
from opsboard.expectations.facts import Facts
from opsboard.expectations.got import Holding, fault, judged, missing
from opsboard.expectations.shown import in_quotes, json_value


def hold_json(clause: Clause, facts: Facts) -> Holding:
    body = facts.json
    if body.problem:
        return fault(
            clause,
            f"not JSON: {body.problem}",
            f"{clause.subject} is unknown: the body is not JSON, {body.problem}",
        )
    try:
        values = paths.select(clause.argument, body.document)
    except paths.TooManyStepsError:
        return missing(clause, f"the path visits more than {paths.MOST_STEPS:,} values")
    if clause.operator is Operator.ABSENT:
        return judged(clause, _first(values) if values else "not there", held=not values)
    if not values:
        return missing(clause, "not there")
    if clause.operator is Operator.EXISTS:
        return judged(clause, _first(values), held=True)
    return _hold_count(clause, len(values)) if clause.counts else _hold_all(clause, values)


def _hold_count(clause: Clause, count: int) -> Holding:
    got = f"{count:,} value{'s' * (count != 1)}"
    return judged(clause, got, held=compare(clause.operator, count, clause.operands))


def _hold_all(clause: Clause, values: list[object]) -> Holding:
    for position, value in enumerate(values, start=1):
        place = f" (value {position:,} of {len(values):,})" if len(values) > 1 else ""
        if ought := misfit(clause.operator, value, clause.operands):
            got = _named(value) + place
            return fault(clause, got, f"{clause.subject} is {got}, not {ought}")
        if not compare_json(clause.operator, value, clause.operands):
            return judged(clause, json_value(value) + place, held=False)
    return judged(clause, _first(values), held=True)


def _first(values: list[object]) -> str:
    more = f" and {len(values) - 1:,} more" if len(values) > 1 else ""
    return json_value(values[0]) + more


def _named(value: object) -> str:
    """A text and a number look too much alike to be told apart without a word."""
    return f"the text {in_quotes(value)}" if isinstance(value, str) else json_value(value)
