"""The readiness of one release: every gate answered, overrides beside, the whole judged. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from opsboard.releases.asking import Asking
from opsboard.releases.facts import Facts
from opsboard.releases.gates import by_programs
from opsboard.releases.own_gates import OWN
from opsboard.releases.rules import (
    CONFIG,
    GATES,
    INTEGRATION,
    LINT,
    NOTE,
    PATHS,
    REHEARSAL,
    TAG,
    UNIT,
    GateState,
    Need,
    OverrideSeen,
    Readiness,
    Word,
    whole_of,
)

DEFAULT = (LINT, UNIT, INTEGRATION, CONFIG, TAG, PATHS, NOTE, REHEARSAL)
DROPPED = "dropped"
_NO_STAGING = "There is no staging environment of {slug}, so this cannot apply."
_NO_KEYS = "No configuration keys are declared for {slug}, so this cannot apply."


def assess(facts: Facts, *, now: datetime) -> Readiness:
    """What is missing never passes, and the whole is never better than its worst required gate."""
    states = tuple(_with_override(state, facts, now=now) for state in _states(facts, now=now))
    stops = tuple(one for one in facts.stops if one.stands(now))
    # What cannot apply comes last.
    gates = tuple(sorted(states, key=lambda one: one.need is Need.ABSENT))
    return Readiness(whole=whole_of(gates, stops), gates=gates, stops=stops, at=now)


def _states(facts: Facts, *, now: datetime) -> Iterator[GateState]:
    own = sorted(gate for gate in facts.choices if gate not in GATES)
    for gate in (*GATES, *own):
        if why_not := _why_absent(gate, facts):
            state = Asking(gate, facts, now, Need.ABSENT).state(Word.NO_EVIDENCE, why_not)
            yield replace(state, who="")
        elif (need := need_of(gate, facts)) is not None:
            yield OWN.get(gate, by_programs)(Asking(gate, facts, now, need))


def _why_absent(gate: str, facts: Facts) -> str:
    """Why a gate cannot apply, "" when it can. A gate that was dropped is not spoken of."""
    chosen = facts.choices.get(gate)
    if gate not in (CONFIG, PATHS) or (chosen and chosen.need == DROPPED):
        return ""
    if gate == CONFIG and not facts.service.has_config_keys:
        return _NO_KEYS.format(slug=facts.service.slug)
    return "" if facts.staging else _NO_STAGING.format(slug=facts.service.slug)


def need_of(gate: str, facts: Facts) -> Need | None:
    """None: it was dropped, or nobody chose it. The rollback note cannot be dropped."""
    if gate == NOTE:
        return Need.REQUIRED
    if chosen := facts.choices.get(gate):
        return None if chosen.need == DROPPED else Need(chosen.need)
    if gate == REHEARSAL:
        # A tier 1 service has to; another from the first time on that it worked.
        is_used = any(one.worked for one in facts.rehearsals)
        return Need.REQUIRED if facts.service.tier == 1 or is_used else Need.ADVISORY
    return Need.REQUIRED if gate in DEFAULT else None


def _with_override(state: GateState, facts: Facts, *, now: datetime) -> GateState:
    """Beside its word, which it never changes. Of several, the one that ends last."""
    if state.is_met or state.need is Need.ABSENT:
        return state
    covering = [one for one in facts.overrides if one.covers(state, now=now)]
    override = max(covering, key=_ends_last, default=None)
    return replace(state, override=override) if override else state


def _ends_last(one: OverrideSeen) -> tuple[datetime, int]:
    return one.ends_at, one.override_id
