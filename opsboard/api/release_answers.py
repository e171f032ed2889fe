"""What is answered of releases: see opsboard.api.release_json, which writes it."""

from typing import Annotated, Any

from pydantic import Field

from opsboard.api.answers import Answer, Nothing, Time, one_of
from opsboard.releases.models import Decision, OverrideAct
from opsboard.releases.rules import OUTCOMES, Need, Whole, Word

EXITS = "What `opsboard gate` ends with."
WHOLES = Annotated[str, one_of(Whole)]


class GateOverride(Answer):
    by: str
    accepted_by: str = Field(description='"": nobody had to, or nobody has yet.')
    is_alone: bool = Field(description="Nobody but who asked for it has accepted it.")
    reason: str
    at: Time
    ends_at: Time


class GateSeen(Answer):
    gate: str
    name: str
    need: Annotated[str, one_of(Need)]
    word: Annotated[str, one_of(Word)]
    reason: str
    since: Time | None = Field(description="Since when it has this word; null: unknown.")
    who: str = Field(description='Who can mend it; "": it is met.')
    runs_out_at: Time | None = Field(
        description="When the clock alone makes it out of date; null: it does not."
    )
    answered_at: Time | None
    source: str = Field(description="Where the answer came from.")
    evidence: int | None = Field(description="null: Opsboard answers it itself, or nothing does.")
    url: str
    override: GateOverride | None = Field(description="What covers it; its word stays.")


class StopSeen(Answer):
    kind: Annotated[str, one_of(("freeze", "hold"))]
    reason: str
    by: str
    since: Time
    until: Time | None = Field(description="null: until somebody ends it.")


class ReadinessThen(Answer):
    whole: WHOLES
    at: Time = Field(description="When it was so.")
    gates: list[GateSeen]
    stops: list[StopSeen]


class ReadinessSeen(ReadinessThen):
    service: str
    version: str
    commit: str
    exit_code: int = Field(description=EXITS)
    met: int = Field(description="How many required gates are met.")
    required: int = Field(description="How many gates are required.")
    reasons: list[GateSeen] = Field(
        description="Required gates that are not met, the ones that block the most first."
    )
    url: str


class ReleaseSeen(Answer):
    version: str
    service: str
    commit: str
    tag: str | None = Field(description="null: nobody has said.")
    environment: str
    planned_at: Time | None
    summary: str
    migrations: list[str]
    commits: int | None = Field(description="How many; null: nobody has said.")
    files: int | None
    lines: int | None
    paths: list[str] = Field(description="The paths it touches, by their names in addresses.")
    named_at: Time
    named_by: str | None
    released_at: Time | None = Field(description="null: it has not gone out.")
    withdrawn_at: Time | None
    url: str


class ReleaseLine(ReleaseSeen):
    readiness: WHOLES
    exit_code: int = Field(description=EXITS)


class ReleaseWhole(ReleaseSeen):
    readiness: ReadinessSeen


class EvidenceTaken(Answer):
    gate: GateSeen = Field(description="How the gate stands with it.")
    readiness: WHOLES
    exit_code: int = Field(description=EXITS)
    reasons: list[GateSeen]


class CountsSeen(Answer):
    collected: int = Field(0, description="Of tests. What was not counted is missing.")
    passed: int = 0
    failed: int = 0
    skipped: int = 0


class EvidenceSeen(Answer):
    gate: str
    outcome: Annotated[str, one_of(OUTCOMES)]
    commit: str
    environment: str | None
    started_at: Time
    finished_at: Time | None = Field(description="null: it runs still.")
    received_at: Time
    command: str
    exit_code: int | None = Field(description="Of the command.")
    counts: CountsSeen | None
    tool: str
    url: str
    log_tail: str
    assumptions: list[str]
    metrics: dict[str, float]
    facts: dict[str, Any] = Field(description="What belongs to the gate; each has its own.")
    by: str | None


class DecisionSeen(Answer):
    version: str
    kind: Annotated[str, one_of(Decision.Kind)]
    environment: str
    at: Time
    by: str | None
    reason: str
    readiness: ReadinessThen | Nothing = Field(
        description="As it was then; empty: it was not written down."
    )


class ActSeen(Answer):
    act: Annotated[str, one_of(OverrideAct.Act)]
    at: Time
    by: str | None


class OverrideWhole(Answer):
    gates: list[str]
    reason: str
    asked_by: str | None
    asked_at: Time
    ends_at: Time
    needs_second: bool = Field(description="Whether a second person has to accept it.")
    is_alone: bool = Field(description="Nobody but who asked for it has accepted it.")
    acts: list[ActSeen]


class HoldSeen(Answer):
    service: str
    reason: str
    at: Time
    by: str | None
    ended_at: Time | None = Field(description="null: it stands.")
    ended_by: str | None
    ended_because: str | None
