"""The steps of a path as rows: what each asks and expects, and what it did when last asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsboard.expectations.grammar import ClauseErrors, parse
from opsboard.expectations.words import words_for
from opsboard.probes.rules import UNWRITTEN, State
from opsboard.services.steps import Step, read_steps
from opsboard.web.expected import Line

_STATES = {"passing": State.PASSING, "warning": State.WARNING, "failing": State.FAILING}
_WORDS = {"error": "Not asked", None: "Not run"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRow:
    number: int
    name: str
    # "POST /v2/quotes".
    request: str
    always: bool
    # "token from json $.token".
    takes: tuple[str, ...]
    # "": nothing is known of it now, or it was not run.
    state: str
    words: str
    # Why it did not pass, or was not run; "" as a rule.
    reason: str
    status: str
    # None: it was not asked.
    total: int | None
    calls: str
    lines: tuple[Line, ...]

    @property
    def mark(self) -> str:
        """The sign of what is no state: never that of a pass."""
        return "notrun" if self.words == "Not run" else "none"


def step_rows(
    steps: Sequence[Mapping[str, Any]], latest: Sequence[Mapping[str, Any]], *, is_stale: bool
) -> list[StepRow]:
    """`steps` as stored in a sheet; `latest` as opsboard.probes.step_facts.latest_steps gives them.

    What was got before an edit is not shown for what is written now.
    """
    by_name = {one["name"]: one for one in latest}
    return [
        _row(number, step, by_name.get(step.name), is_stale=is_stale)
        for number, step in enumerate(read_steps(steps), 1)
    ]


def _row(number: int, step: Step, did: Mapping[str, Any] | None, *, is_stale: bool) -> StepRow:
    verdict = did["verdict"] if did else ""
    was_asked = did is not None and verdict is not None
    state = _STATES.get(verdict)
    words = state.words.capitalize() if state else _WORDS.get(verdict, "Not asked yet")
    return StepRow(
        number=number,
        name=step.name,
        request=f"{step.method} {step.route}",
        always=step.always,
        takes=tuple(f"{name} from {place}" for name, place in sorted(step.take.items())),
        state="" if is_stale or state is None else state,
        words=f"Last {words.lower()}" if is_stale and state else words,
        reason=did["reason"] if did else "",
        status=str(did["status"] or "") if did else "",
        total=did["total"] if did and was_asked else None,
        calls=_calls(did) if did and was_asked else "",
        lines=tuple(_lines(step, did, is_stale=is_stale)),
    )


def _calls(did: Mapping[str, Any]) -> str:
    return "not reported" if did["db_calls"] is None else str(did["db_calls"])


def _lines(step: Step, did: Mapping[str, Any] | None, *, is_stale: bool) -> list[Line]:
    try:
        clauses = parse("\n".join(step.expect)) or UNWRITTEN
    except ClauseErrors:
        return []
    outcomes = {one["clause"]: one for one in did["clauses"]} if did else {}
    missing = "not asked yet"
    if did is not None:
        missing = "not run" if did["verdict"] is None else "not judged"
    return [
        Line(
            words=words_for(clause),
            clause=clause.text,
            held=None if is_stale else outcomes.get(clause.text, {"held": None})["held"],
            got=outcomes[clause.text]["got"] if clause.text in outcomes else missing,
            is_warning=clause.warn,
            is_implied=not step.expect,
        )
        for clause in clauses
    ]
