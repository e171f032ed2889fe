"""How a probe stood over time: its state from each moment on, read from what was written down."""

from collections.abc import Sequence
from datetime import datetime

from opsboard.probes.models import Probe, StateChange
from opsboard.probes.rules import State

# Microseconds since 1970 and the state from then on, oldest first.
type Timeline = list[tuple[int, State]]


def timeline(
    probe: Probe, changes: Sequence[StateChange], *, since: int, now: datetime
) -> Timeline:
    """From `since` on, or from when it began. `changes`: all since then, oldest first.

    Silence is in it, also where nobody wrote it down yet.
    """
    begin = max(since, probe.began_at)
    first = State(changes[0].before) if changes else _stored(probe)
    line = [(begin, first), *((max(begin, c.at), State(c.after)) for c in changes)]
    if probe.state_at(now) is State.NO_DATA and line[-1][1] is not State.NO_DATA:
        line.append((max(line[-1][0], probe.silent_at), State.NO_DATA))
    return line


def _stored(probe: Probe) -> State:
    return State.PAUSED if probe.ended_at is not None else State(probe.state)
