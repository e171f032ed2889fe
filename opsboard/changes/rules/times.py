"""Times as people read them, in milliseconds: of each stratum and of all, and their drawing."""

import numpy as np

from opsboard.changes.rules.judged import Bars, Call, Interval, Times
from opsboard.changes.rules.quantile_shift import quantile_shift
from opsboard.changes.rules.quantiles import quantile
from opsboard.changes.rules.samples import Bools, Floats
from opsboard.changes.rules.strata import FEWEST_IN_A_STRATUM, Labelled

_BINS = 60
ALL = "all"


def times_of(both: Labelled, calls: dict[str, Call]) -> dict[str, Times]:
    """`calls`: what each stratum comes to by itself; one that is not in it cannot be said."""
    of = (len(both.before), len(both.after))
    found = {
        word: _times(
            _of(both, both.compared(word)),
            [float(both.of(word, side).sum()) / of[side] for side in (0, 1)],
            calls.get(word),
        )
        for word in both.words
    }
    whole = _of(both, (both.before.ok, both.after.ok))
    found[ALL] = _times(whole, [1.0, 1.0], calls.get(ALL))
    return found


def _of(both: Labelled, here: tuple[Bools, Bools]) -> tuple[Floats, Floats]:
    return both.before.latency[here[0]] / 1000, both.after.latency[here[1]] / 1000


def _times(sides: tuple[Floats, Floats], share: list[float], call: Call | None) -> Times:
    enough = all(len(values) >= FEWEST_IN_A_STRATUM for values in sides)
    difference: Interval | None = quantile_shift(*sides, 0.5) if enough else None
    return Times(
        n=[len(values) for values in sides],
        share=share,
        mean=[float(values.mean()) if len(values) else None for values in sides],
        median=[_quantile(values, 0.5) for values in sides],
        p95=[_quantile(values, 0.95) for values in sides],
        difference=difference,
        call=call,
    )


def _quantile(values: Floats, at: float) -> float | None:
    return quantile(values, at) if len(values) else None


def bars_of(both: Labelled) -> Bars:
    """Both sides hold a right answer."""
    places = {word: both.compared(word) for word in both.words}
    places[ALL] = (both.before.ok, both.after.ok)
    values = {word: _of(both, here) for word, here in places.items()}
    whole = np.concatenate(values[ALL])
    low, high = float(whole.min()), float(whole.max())
    # The outermost values lie inside, and equal ones still make an axis.
    edges = np.geomspace(low * 0.999, max(high * 1.001, low * 1.1), _BINS + 1)
    before, after = (
        {word: np.histogram(pair[side], edges)[0].tolist() for word, pair in values.items()}
        for side in (0, 1)
    )
    return Bars(edges=edges.tolist(), before=before, after=after)
