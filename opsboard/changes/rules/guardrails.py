"""What may not get worse. A guardrail blocks a good verdict; it never makes one."""

from collections.abc import Mapping

from opsboard.changes.rules.db_calls import are_reported, counted
from opsboard.changes.rules.holm import adjusted, p_above, p_below
from opsboard.changes.rules.judged import Guarded, Interval, Rates
from opsboard.changes.rules.quantiles import ratio_of_quantiles
from opsboard.changes.rules.rates import may_have_risen
from opsboard.changes.rules.samples import Samples
from opsboard.changes.rules.settings import DB_CALLS, TIME, Settings
from opsboard.changes.rules.shifts import shift_of
from opsboard.changes.rules.strata import LEAST_COVERAGE, Labelled, labelled

ERRORS, P95, PATH = "errors", "p95", "path:"
# Samples a side, below which the slowest 5 % say nothing.
FEWEST_FOR_P95 = 200
FEWEST = 60
_MOST_RESAMPLED = 10_000
# Any would do: with one, the same samples come to the same verdict.
_SEED = 95
# One-sided, for all guardrails together.
_CHANCE = 0.025

type Guarding = Mapping[str, tuple[Samples, Samples]]


def guardrails_of(
    both: Labelled, rates: Rates, settings: Settings, guarding: Guarding
) -> list[Guarded]:
    """Errors first, then those of the settings: each is no worse than the margin, or may be."""
    names = [name for name in dict.fromkeys(settings.guardrails) if name != ERRORS]
    intervals = {name: _interval(both, name, guarding) for name in names}
    said = {name: interval for name, interval in intervals.items() if interval}
    ps = adjusted([p_below(interval, settings.least) for interval in said.values()])
    chances = dict(zip(said, ps, strict=True))
    return [
        Guarded(
            name=ERRORS,
            interval=[rates["diff"], *rates["newcombe"]],
            p=rates.get("fisher"),
            holds=not may_have_risen(rates),
        ),
        *(
            Guarded(
                name=name,
                interval=interval,
                p=chances.get(name),
                holds=chances[name] <= _CHANCE if name in chances else None,
            )
            for name, interval in intervals.items()
        ),
    ]


def worse(guardrails: list[Guarded], settings: Settings) -> Guarded | None:
    """The first one that did get worse, by the margin and beyond chance."""
    said = [
        (one, one["interval"]) for one in guardrails if one["name"] != ERRORS and one["interval"]
    ]
    ps = adjusted([p_above(interval, 0) for _, interval in said])
    for (one, interval), p in zip(said, ps, strict=True):
        if settings.call(interval) == "regressed" and p <= _CHANCE:
            return one
    return None


def unheld(guardrails: list[Guarded]) -> Guarded | None:
    """The first one that got worse, may have by more than the margin, or cannot be said."""
    asked = [one for one in guardrails if one["name"] != ERRORS]
    return next((one for one in asked if not one["holds"]), None)


def _interval(both: Labelled, name: str, guarding: Guarding) -> Interval | None:
    """Log ratio, 95 %. None: it cannot be said."""
    if name == P95:
        return _p95(both)
    if name == DB_CALLS:
        return _adjusted(counted(both), DB_CALLS) if are_reported(both) else None
    if name == TIME:
        return _adjusted(both, TIME)
    sides = guarding.get(name.removeprefix(PATH)) if name.startswith(PATH) else None
    return like_with_like(*sides) if sides else None


def _p95(both: Labelled) -> Interval | None:
    sides = [side.latency[side.ok] for side in (both.before, both.after)]
    if min(map(len, sides)) < FEWEST_FOR_P95:
        return None
    # Each resample sorts a side: of very many, every k-th is as good.
    first, second = (values[:: -(-len(values) // _MOST_RESAMPLED)] for values in sides)
    return ratio_of_quantiles(first, second, 0.95, seed=_SEED)


def like_with_like(before: Samples, after: Samples, level: float = 95) -> Interval | None:
    """Of the times of another path. None: too few samples, or they do not overlap."""
    both = labelled(before, after, may_infer=True)
    return _adjusted(both, TIME, level)


def _adjusted(both: Labelled, metric: str, level: float = 95) -> Interval | None:
    if min(both.right) < FEWEST or both.coverage < LEAST_COVERAGE:
        return None
    return shift_of(both, metric, [both.compared(word) for word in both.comparable], level)
