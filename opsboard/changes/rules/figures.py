"""Everything a verdict is computed from, measured before anything is decided."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from opsboard.changes.rules.db_calls import are_reported, counted
from opsboard.changes.rules.guardrails import FEWEST, guardrails_of, like_with_like
from opsboard.changes.rules.judged import Guarded, Interval, Rates
from opsboard.changes.rules.mix import has_shifted, mix_of
from opsboard.changes.rules.quantile_shift import apart
from opsboard.changes.rules.rates import rates_of
from opsboard.changes.rules.samples import Samples
from opsboard.changes.rules.settings import TIME, Settings
from opsboard.changes.rules.shifts import shift_of, with_failures
from opsboard.changes.rules.strata import FEWEST_IN_A_STRATUM, Labelled, labelled
from opsboard.changes.rules.variance import autocorrelation


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    both: Labelled
    # Of them, the answers that tell the metric.
    measured: Labelled
    # None: a side has no samples at all.
    rates: Rates | None
    is_reported: bool = True
    has_control: bool = False
    mix: dict[str, Interval] = field(default_factory=dict)
    is_shifted: bool = False
    level: int = 95
    # Log ratios. None: too few right answers.
    pooled: Interval | None = None
    strata: dict[str, Interval] = field(default_factory=dict)
    adjusted: Interval | None = None
    # Already taken from the others. None: there is none, or it was asked too seldom.
    control: Interval | None = None
    guardrails: list[Guarded] = field(default_factory=list)
    with_failures: Interval | None = None
    autocorrelation: float = 0.0

    @property
    def n(self) -> list[int]:
        return [len(self.both.before), len(self.both.after)]

    @property
    def ok(self) -> list[int]:
        return list(self.both.right)

    @property
    def is_enough(self) -> bool:
        return min(self.n) >= FEWEST


def figures_of(
    before: Samples,
    after: Samples,
    settings: Settings,
    *,
    control: tuple[Samples, Samples] | None,
    guarded: Mapping[str, tuple[Samples, Samples]],
) -> Figures:
    # Calls that are judged cannot say at the same time what is like what.
    both = labelled(before, after, may_infer=settings.metric == TIME)
    rates = rates_of(before, after) if min(len(before), len(after)) else None
    if rates is None or min(len(before), len(after)) < FEWEST:
        return Figures(both=both, measured=both, rates=rates, has_control=control is not None)
    mix = mix_of(both)
    is_shifted = has_shifted(mix)
    level = 99 if is_shifted else 95
    is_reported = settings.metric == TIME or are_reported(both)
    measured = both if settings.metric == TIME else counted(both)
    shift = _Shifts(measured, settings.metric, control) if is_reported else None
    comparable = measured.comparable
    failed = not (both.before.ok.all() and both.after.ok.all())
    return Figures(
        both=both,
        measured=measured,
        rates=rates,
        is_reported=is_reported,
        has_control=control is not None,
        mix=mix,
        is_shifted=is_shifted,
        level=level,
        pooled=shift.pooled() if shift else None,
        strata={word: shift.of([word]) for word in comparable} if shift else {},
        adjusted=shift.of(comparable, level) if shift and comparable else None,
        control=shift.control(level) if shift else None,
        guardrails=guardrails_of(both, rates, settings, guarded),
        with_failures=(
            shift.with_failures(comparable, level)
            if shift and failed and comparable and settings.metric == TIME
            else None
        ),
        autocorrelation=max(_neighbours(both, side) for side in (0, 1)),
    )


class _Shifts:
    """With the drift that the control path saw taken out.

    Counts do not drift with the load of an hour: of them nothing is taken.
    """

    def __init__(
        self, both: Labelled, metric: str, control: tuple[Samples, Samples] | None
    ) -> None:
        self._both, self._metric = both, metric
        self._control_sides = control if metric == TIME else None
        self._controls: dict[float, Interval | None] = {}

    def control(self, level: float) -> Interval | None:
        if self._control_sides and level not in self._controls:
            self._controls[level] = like_with_like(*self._control_sides, level)
        return self._controls.get(level)

    def pooled(self) -> Interval | None:
        if min(self._both.right) < FEWEST_IN_A_STRATUM:
            return None
        whole = (self._both.before.ok, self._both.after.ok)
        return self._less(shift_of(self._both, self._metric, [whole], 95), 95)

    def of(self, words: list[str], level: float = 95) -> Interval:
        here = [self._both.compared(word) for word in words]
        return self._less(shift_of(self._both, self._metric, here, level), level)

    def with_failures(self, words: list[str], level: float) -> Interval | None:
        interval = with_failures(self._both, words, level)
        return self._less(interval, level) if interval else None

    def _less(self, interval: Interval, level: float) -> Interval:
        control = self.control(level)
        return apart(control, interval) if control else interval


def _neighbours(both: Labelled, side: int) -> float:
    """Lag-1 autocorrelation of log latency around the mean of each label."""
    samples = (both.before, both.after)[side]
    logs = np.log(samples.latency)
    for word in both.words:
        here = both.compared(word)[side]
        logs[here] -= logs[here].mean() if here.any() else 0.0
    return autocorrelation(logs[samples.ok])
