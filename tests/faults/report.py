"""What a row says of itself: one JSON line, and its place in the table."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import inf
from typing import Any

from tests.faults.rig import Scale
from tests.faults.runs import Figures

EGRESS = "OPSBOARD_EGRESS_ALLOW=127.0.0.0/8; the embedded board allows loopback by itself"
COLUMNS = [
    "rounds_lost",
    "results_duplicated",
    "max_gap_s",
    "incidents_duplicated",
    "alerts_lost",
    "alerts_duplicated",
    "recovery_s",
]


@dataclass(frozen=True, kw_only=True)
class PassLine:
    """The most that each number may be. The others must be 0."""

    max_gap_s: float
    alerts_duplicated: int = 0
    recovery_s: float = inf

    def broken_by(self, figures: Figures) -> list[str]:
        most = dict.fromkeys(COLUMNS, 0.0) | asdict(self)
        got = asdict(figures)
        return [
            f"{name} is {got[name]}, at most {most[name]:g} is good"
            for name in COLUMNS
            if got[name] is not None and got[name] > most[name]
        ]


@dataclass(kw_only=True)
class Outcome:
    row: str
    scale: Scale
    figures: Figures
    # How the fault was made, with what proves that it was.
    injected: str
    pass_line: PassLine
    notes: list[str] = field(default_factory=list)
    # Broken promises of this row beyond the seven numbers.
    also_broken: list[str] = field(default_factory=list)

    @property
    def broken(self) -> list[str]:
        return self.pass_line.broken_by(self.figures) + self.also_broken

    def line(self) -> str:
        facts: dict[str, Any] = {"row": self.row, **asdict(self.figures)}
        facts |= {"passed": not self.broken, "broken": self.broken, "injected": self.injected}
        facts |= {"pass_line": _written(asdict(self.pass_line)), "notes": self.notes}
        facts |= {"scale": asdict(self.scale) | {"lease": self.scale.lease}}
        # Of the machine, in the minute before the line: others may be at work on it.
        facts |= {"egress": EGRESS, "load": round(os.getloadavg()[0], 1)}
        return json.dumps(facts)


def _written(line: dict[str, float]) -> dict[str, float | None]:
    return {name: None if most == inf else most for name, most in line.items()}


def table(outcomes: Sequence[Outcome]) -> str:
    heads = ["row", *COLUMNS, "passed"]
    rows = [_cells(outcome) for outcome in outcomes]
    widths = [max(len(row[at]) for row in [heads, *rows]) for at in range(len(heads))]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in [heads, *rows]
    )


def _cells(outcome: Outcome) -> list[str]:
    figures = asdict(outcome.figures)
    numbers = ["-" if figures[name] is None else f"{figures[name]:g}" for name in COLUMNS]
    return [outcome.row, *numbers, "no" if outcome.broken else "yes"]
