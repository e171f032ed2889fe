"""Whether a release is ready: a pure function of gates, evidence, overrides, freezes and now.

It is ready, or it is a list of reasons, each with the gate, since when, and who can mend it. Never
a score. What is missing never passes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

OUTCOMES = ("running", "passed", "failed", "error", "skipped", "inconclusive")
NEEDS = ("required", "advisory", "dropped")


class Need(StrEnum):
    REQUIRED = "required"
    # Shown, and never blocks.
    ADVISORY = "advisory"
    # It cannot apply, or the team dropped it: said so, and never blocks.
    ABSENT = "absent"


class Word(StrEnum):
    """A gate's word: the four of the pages."""

    MET = "met"
    NOT_MET = "not met"
    NO_EVIDENCE = "no evidence"
    OUT_OF_DATE = "out of date"


class Whole(StrEnum):
    """The whole, in the order of precedence."""

    BLOCKED = "blocked"
    FROZEN = "frozen"
    INCOMPLETE = "incomplete"
    OUT_OF_DATE = "out of date"
    OVERRIDDEN = "overridden"
    READY = "ready"


# The gates that Opsboard knows, in the order of the pages.
LINT, UNIT, INTEGRATION, CONFIG, TAG = "lint", "unit", "integration", "config", "tag"
PATHS, NOTE, REHEARSAL = "paths", "note", "rehearsal"
OWNER, EXPECTED, INCIDENT = "owner", "expected", "incident"
BASELINE, VERIFIED = "baseline", "verified"
GATES: Mapping[str, str] = {
    LINT: "Lint",
    UNIT: "Unit tests",
    INTEGRATION: "Integration check",
    CONFIG: "Staging config",
    TAG: "Release tagged",
    PATHS: "Paths green on staging",
    NOTE: "Rollback note fresh",
    REHEARSAL: "Rollback rehearsed",
    OWNER: "Owner on duty",
    EXPECTED: "Expected result written",
    INCIDENT: "No open incident",
    BASELINE: "Baseline sealed",
    VERIFIED: "Change verified",
}
# What programs give evidence for; the others Opsboard answers itself.
BY_PROGRAMS = (LINT, UNIT, INTEGRATION, CONFIG, TAG)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateState:
    """One gate of one release, as it stands now."""

    gate: str
    # "Unit tests".
    name: str
    need: Need
    word: Word
    # One sentence: why it has this word. For a gate that is met: what shows it.
    reason: str
    # Since when it has this word, as far as that is known.
    since: datetime | None = None
    # Who can mend it: "CI of fares-api", "Pricing". "" for one that is met.
    who: str = ""
    # When the clock alone makes a met gate out of date. None: nothing but a new fact changes it.
    runs_out_at: datetime | None = None
    # False: nobody may accept this as it stands (a tag that points elsewhere, no rollback note).
    is_overridable: bool = True
    # When and from where the answer came: "14:24, config check" is made of these two.
    answered_at: datetime | None = None
    source: str = ""
    # The row of Evidence it was read from. None: Opsboard's own answer, or none.
    evidence_id: int | None = None
    url: str = ""
    # The override that covers it, beside its word: it never changes the word.
    override: "OverrideSeen | None" = None

    @property
    def is_met(self) -> bool:
        return self.word is Word.MET

    @property
    def blocks(self) -> bool:
        return self.need is Need.REQUIRED and not self.is_met and self.override is None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideSeen:
    override_id: int
    gates: tuple[str, ...]
    by: str
    # "": nobody had to, or nobody has yet.
    accepted_by: str
    is_alone: bool
    reason: str
    at: datetime
    ends_at: datetime
    # Whether it covers a gate that is not met, or only ones without evidence or out of date.
    covers_not_met: bool
    is_taken_back: bool = False

    def covers(self, state: GateState, *, now: datetime) -> bool:
        """Only what it names, only until it ends, and never what nobody may accept."""
        stands = self.at <= now < self.ends_at and not self.is_taken_back
        is_enough = self.covers_not_met or state.word is not Word.NOT_MET
        return stands and is_enough and state.is_overridable and state.gate in self.gates


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A freeze or a hold that stands: nothing is to go out."""

    # "freeze" or "hold".
    kind: str
    reason: str
    by: str
    since: datetime
    # None: until somebody ends it.
    until: datetime | None = None

    def stands(self, now: datetime) -> bool:
        return self.since <= now and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    whole: Whole
    # Every gate that is not dropped, in the order of the pages; those that cannot apply at the end.
    gates: tuple[GateState, ...]
    stops: tuple[Stop, ...] = ()
    at: datetime

    @property
    def is_ready(self) -> bool:
        return self.whole is Whole.READY

    @property
    def required(self) -> tuple[GateState, ...]:
        return tuple(one for one in self.gates if one.need is Need.REQUIRED)

    @property
    def met(self) -> int:
        return sum(one.is_met for one in self.required)

    @property
    def reasons(self) -> tuple[GateState, ...]:
        """Required gates that are not met, the ones that block the most first."""
        order = [Word.NOT_MET, Word.NO_EVIDENCE, Word.OUT_OF_DATE]
        missing = [one for one in self.required if not one.is_met]
        return tuple(sorted(missing, key=lambda one: order.index(one.word)))


def readiness_json(readiness: Readiness) -> dict[str, Any]:
    """As snapshots, the API and the record write it. Times are ISO 8601 in UTC."""
    return {
        "whole": readiness.whole.value,
        "at": readiness.at.isoformat(),
        "gates": [gate_json(one) for one in readiness.gates],
        "stops": [
            {
                "kind": one.kind,
                "reason": one.reason,
                "by": one.by,
                "since": one.since.isoformat(),
                "until": one.until.isoformat() if one.until else None,
            }
            for one in readiness.stops
        ],
    }


def gate_json(state: GateState) -> dict[str, Any]:
    override = state.override
    return {
        "gate": state.gate,
        "name": state.name,
        "need": state.need.value,
        "word": state.word.value,
        "reason": state.reason,
        "since": state.since.isoformat() if state.since else None,
        "who": state.who,
        "runs_out_at": state.runs_out_at.isoformat() if state.runs_out_at else None,
        "answered_at": state.answered_at.isoformat() if state.answered_at else None,
        "source": state.source,
        "evidence": state.evidence_id,
        "url": state.url,
        "override": None
        if override is None
        else {
            "by": override.by,
            "accepted_by": override.accepted_by,
            "is_alone": override.is_alone,
            "reason": override.reason,
            "at": override.at.isoformat(),
            "ends_at": override.ends_at.isoformat(),
        },
    }


def whole_of(gates: Sequence[GateState], stops: Sequence[Stop]) -> Whole:
    """By the gates that are required and not overridden; without one, nothing was shown."""
    if not any(one.need is Need.REQUIRED for one in gates):
        return Whole.FROZEN if stops else Whole.INCOMPLETE
    blocking = {one.word for one in gates if one.blocks}
    if Word.NOT_MET in blocking:
        return Whole.BLOCKED
    if stops:
        return Whole.FROZEN
    if Word.NO_EVIDENCE in blocking:
        return Whole.INCOMPLETE
    if Word.OUT_OF_DATE in blocking:
        return Whole.OUT_OF_DATE
    is_overridden = any(
        one.override and one.need is Need.REQUIRED and not one.is_met for one in gates
    )
    return Whole.OVERRIDDEN if is_overridden else Whole.READY
