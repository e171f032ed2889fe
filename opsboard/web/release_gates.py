"""The gates of a release as rows of its page: not met first, each with its proof."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import FETCH_RAISE, Case, F, TextField, Value, When

from opsboard.releases.models import Evidence, Release
from opsboard.releases.rules import GateState, Need, Readiness, Word
from opsboard.web.release_words import Look, look_of

EVIDENCE_READ = 200
EARLIER_SHOWN = 10


@dataclass(frozen=True, slots=True)
class GateRow:
    state: GateState
    look: Look
    word: str
    # Of what this gate was read from, as it came. None: Opsboard's own answer, or none.
    proof: Evidence | None
    # Newest first, without the proof.
    earlier: Sequence[Evidence]
    # How many older ones are not shown.
    more: int

    @property
    def url(self) -> str:
        """Where it was found; "" for what no browser should open."""
        return self.state.url if self.state.url.startswith(("https://", "http://", "/")) else ""

    @property
    def is_bad(self) -> bool:
        return self.state.need is Need.REQUIRED and not self.state.is_met


def gate_rows(release: Release, readiness: Readiness) -> list[GateRow]:
    """Not met first; within each word, and below, the order of the pages."""
    proving = {state.evidence_id for state in readiness.gates if state.evidence_id}
    by_gate: dict[str, list[Evidence]] = {}
    proofs: dict[int, Evidence] = {}
    for one in _evidence(release, proving):
        by_gate.setdefault(one.gate, []).append(one)
        if one.pk in proving:
            proofs[one.pk] = one
    if older := proving - proofs.keys():
        proofs |= Evidence.objects.in_bulk(older)
    states = sorted(readiness.gates, key=_rank)
    return [_gate_row(state, by_gate.get(state.gate, []), proofs) for state in states]


def _rank(state: GateState) -> int:
    """A gate that blocks first, then what is overridden, met, only advised, and absent."""
    if state.need is Need.ABSENT:
        return 9
    if state.need is Need.ADVISORY:
        return 8
    if state.is_met:
        return 7
    order = [Word.NOT_MET, Word.NO_EVIDENCE, Word.OUT_OF_DATE]
    return order.index(state.word) + (3 if state.override else 0)


def _evidence(release: Release, proving: Collection[int]) -> list[Evidence]:
    """The newest rows. Only what counts shows the end of its log: no other log is read."""
    nothing = Value("", output_field=TextField())
    end = Case(When(pk__in=proving, then=F("log_tail")), default=nothing)
    rows = release.evidence.select_related("by").defer("log_tail").annotate(end=end)
    newest = rows.order_by("-started_at", "-pk").fetch_mode(FETCH_RAISE)[:EVIDENCE_READ]
    for one in newest:
        one.log_tail = one.end
    return [*newest]


def _gate_row(
    state: GateState, rows: Sequence[Evidence], proofs: Mapping[int, Evidence]
) -> GateRow:
    earlier = [one for one in rows if one.pk != state.evidence_id]
    return GateRow(
        state,
        look_of(state.word, is_overridden=state.override is not None),
        "Absent" if state.need is Need.ABSENT else state.word.value.capitalize(),
        proofs.get(state.evidence_id or 0),
        earlier[:EARLIER_SHOWN],
        max(len(earlier) - EARLIER_SHOWN, 0),
    )


def running_out(readiness: Readiness) -> list[tuple[GateState, datetime]]:
    """Gates that are met and will not stay so by the clock alone, the soonest first."""
    known = [
        (one, until)
        for one in readiness.required
        if one.is_met and (until := one.runs_out_at) is not None
    ]
    return sorted(known, key=lambda pair: pair[1])


def overridable(readiness: Readiness) -> list[GateState]:
    """The gates that hold it back and whose risk a person may accept."""
    return [one for one in readiness.reasons if one.override is None and one.is_overridable]
