"""One gate asked about one release: how its answer becomes a state. Pure."""

from dataclasses import dataclass
from datetime import datetime

from opsboard.releases.facts import EvidenceSeen, Facts
from opsboard.releases.rules import GATES, GateState, Need, Word


@dataclass(frozen=True, slots=True)
class Asking:
    gate: str
    facts: Facts
    now: datetime
    need: Need = Need.REQUIRED

    @property
    def name(self) -> str:
        chosen = self.facts.choices.get(self.gate)
        return GATES.get(self.gate) or (chosen.words if chosen else "") or self.gate

    @property
    def team(self) -> str:
        return self.facts.service.team

    def state(
        self,
        word: Word,
        reason: str,
        *,
        since: datetime | None = None,
        who: str = "",
        runs_out_at: datetime | None = None,
        is_overridable: bool = True,
        answered_at: datetime | None = None,
        source: str = "",
    ) -> GateState:
        """An answer of Opsboard's own; without `who`, the team can mend it."""
        is_met = word is Word.MET
        return GateState(
            gate=self.gate,
            name=self.name,
            need=self.need,
            word=word,
            reason=reason,
            since=since,
            who="" if is_met else who or self.team,
            runs_out_at=runs_out_at if is_met else None,
            is_overridable=is_overridable,
            answered_at=answered_at,
            source=source,
        )

    def told(
        self,
        word: Word,
        reason: str,
        evidence: EvidenceSeen,
        *,
        since: datetime | None = None,
        runs_out_at: datetime | None = None,
        is_overridable: bool = True,
    ) -> GateState:
        """An answer that was read from a row of evidence."""
        is_met = word is Word.MET
        return GateState(
            gate=self.gate,
            name=self.name,
            need=self.need,
            word=word,
            reason=reason,
            since=since or evidence.answered_at,
            who="" if is_met else self.facts.ci,
            runs_out_at=runs_out_at if is_met else None,
            is_overridable=is_overridable,
            answered_at=evidence.answered_at,
            source=evidence.tool or evidence.by or "CI",
            evidence_id=evidence.evidence_id,
            url=evidence.url,
        )
