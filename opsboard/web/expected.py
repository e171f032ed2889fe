"""The expected result of a sheet, clause by clause, with what each gets now."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsboard.expectations.clauses import Clause
from opsboard.expectations.grammar import parse
from opsboard.expectations.words import words_for
from opsboard.probes.models import Probe
from opsboard.probes.orders import compile_expected
from opsboard.probes.rendering import NotOrderable
from opsboard.services.models import CriticalPath
from opsboard.web.measurements import NOT_REPORTED, Limits, limits_of
from opsboard.web.reporting import Untold, untold


@dataclass(frozen=True, slots=True)
class Line:
    """One clause with its newest outcome. `held` None: not judged, or not enough data yet."""

    words: str
    clause: str
    held: bool | None
    got: str
    is_warning: bool
    # Not written in the sheet: what every path is expected to do.
    is_implied: bool

    @property
    def mark(self) -> str:
        if self.held is None:
            return "none"
        if self.held:
            return "met"
        return "warn" if self.is_warning else "fail"

    @property
    def css(self) -> str:
        return "pass" if self.mark == "met" else self.mark

    @property
    def is_broken(self) -> bool:
        return self.held is False

    @property
    def untold(self) -> Untold | None:
        """How to tell what it would be held against, where that is not reported."""
        is_of_database, is_of_cache = "db." in self.clause, "cache" in self.clause
        if not self.got.startswith((NOT_REPORTED, "unknown")):
            return None
        return untold(cache=is_of_cache, database=is_of_database)

    @property
    def outcome(self) -> str:
        return {"met": "met", "none": "not known yet"}.get(self.mark, "not met")


def clauses_of(path: CriticalPath) -> list[Clause]:
    """Every clause the path is held to, what is implied too; [] when the sheet cannot be read."""
    try:
        expected = compile_expected(path.expected_result, path.interval, kind=path.kind)
    except NotOrderable:
        return []
    implied = [expected.implied] if expected.implied else []
    return [*expected.clauses, *expected.windowed, *implied]


def limits_for(path: CriticalPath) -> Limits:
    return limits_of(clauses_of(path))


def lines_of(path: CriticalPath, probe: Probe, *, is_stale: bool) -> list[Line]:
    """The clauses as they are written now; what was got before an edit is not shown for them.

    `is_stale`: what they got is too old to say whether they hold.
    """
    clauses = clauses_of(path)
    written = parse(path.expected_result) if clauses else ()
    outcomes = {one["clause"]: one for one in probe.facts.get("clauses", [])}
    return [
        _line(clause, outcomes.get(clause.text), clause not in written, is_stale)
        for clause in clauses
    ]


def _line(
    clause: Clause, outcome: Mapping[str, Any] | None, is_implied: bool, is_stale: bool
) -> Line:
    return Line(
        words=words_for(clause),
        clause=clause.text,
        held=None if outcome is None or is_stale else outcome["held"],
        got=outcome["got"] if outcome else "not asked yet",
        is_warning=clause.warn,
        is_implied=is_implied,
    )
