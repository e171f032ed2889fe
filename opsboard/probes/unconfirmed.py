"""Which trouble was seen and not confirmed: one bad answer among good ones changes no standing, and
is shown all the same. Plain values in, plain values out.
"""

from collections.abc import Sequence
from enum import StrEnum

from opsboard.probes.rules import GRAVITY, STATES, State, Verdict

# No data confirms nothing: what comes after it waits for patience too.
_CONFIRMS = [State.WARNING, State.FAILING]


class Belief(StrEnum):
    CONFIRMED = ""
    NOT_YET = "not confirmed yet"
    NOT = "not confirmed"


def beliefs(
    seen: Sequence[tuple[int, Verdict]], before: State, changes: Sequence[tuple[int, State]]
) -> list[Belief]:
    """What became of each observation, oldest first; one that passes needs no confirming.

    `seen` has when each was asked. `changes` has when the standing changed and to what, from the
    first observation on; `before` is the standing until then.
    """
    found = []
    for place, (_, verdict) in enumerate(seen):
        state = STATES.get(verdict, State.PASSING)
        found.append(_belief(state, seen[place:], before, changes))
    return found


def _belief(
    state: State,
    onward: Sequence[tuple[int, Verdict]],
    before: State,
    changes: Sequence[tuple[int, State]],
) -> Belief:
    if state is State.PASSING:
        return Belief.CONFIRMED
    for at, verdict in onward:
        if verdict is not Verdict.ERROR and not _is_as_bad(STATES[verdict], state):
            return Belief.NOT
        standing = [after for moment, after in changes if moment <= at]
        if _is_as_bad(standing[-1] if standing else before, state):
            return Belief.CONFIRMED
    return Belief.NOT_YET


def _is_as_bad(one: State, other: State) -> bool:
    return one in _CONFIRMS and GRAVITY.index(one) >= GRAVITY.index(other)
