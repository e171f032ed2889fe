"""What each step of a path did, as it is stored beside an observation and with the newest facts."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from opsboard.probes.rules import StepResult, Verdict

LONGEST_REASON = 300

_LETTERS = {Verdict.PASSING: "p", Verdict.WARNING: "w", Verdict.FAILING: "f", Verdict.ERROR: "e"}
_VERDICTS = {letter: verdict for verdict, letter in _LETTERS.items()}


@dataclass(frozen=True, slots=True)
class StepSeen:
    """One step of a stored observation."""

    name: str
    # None: it was not run.
    verdict: Verdict | None
    status: int | None
    # Microseconds.
    total: int
    db_calls: int | None
    # Why it did not pass or was not run; "" as a rule.
    reason: str

    @property
    def words(self) -> str:
        """ "passing", "not run"."""
        return "not run" if self.verdict is None else self.verdict.name.lower()


def dump_steps(steps: Sequence[StepResult], clean: Callable[[str], str]) -> str | None:
    """For Observation.steps. `clean` masks a text; None where the path has no steps."""
    if not steps:
        return None
    rows = [
        [
            step.name,
            "" if step.verdict is None else _LETTERS[step.verdict],
            step.status,
            step.total,
            step.db_calls,
            clean(step.reason)[:LONGEST_REASON],
        ]
        for step in steps
    ]
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False)


def read_steps(text: str | None) -> tuple[StepSeen, ...]:
    """The steps of Observation.steps, in the order of the sheet; none where there are none."""
    return tuple(
        StepSeen(name, _VERDICTS.get(letter), status, total, db_calls, reason)
        for name, letter, status, total, db_calls, reason in json.loads(text or "[]")
    )


def latest_steps(steps: Sequence[StepResult], clean: Callable[[str], str]) -> list[dict[str, Any]]:
    """For Probe.latest: each step with its clauses and what they got."""
    return [
        {
            "name": step.name,
            "verdict": None if step.verdict is None else step.verdict.name.lower(),
            "status": step.status,
            "total": step.total,
            "db_calls": step.db_calls,
            "cache": step.cache,
            "reason": clean(step.reason)[:LONGEST_REASON],
            "clauses": [
                {"clause": one.clause.text, "held": one.held, "got": clean(one.got)}
                for one in step.holdings
            ],
        }
        for step in steps
    ]
