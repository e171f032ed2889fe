"""What is set before a comparison, and never after."""

from dataclasses import dataclass

import numpy as np

from opsboard.changes.rules.judged import Call, Interval

TIME, DB_CALLS = "time", "db calls"
# Bounds are found to less than this. Of times with many ties one may lie at 0 itself, and is then
# not beyond it.
CLOSE = 1e-8


@dataclass(frozen=True, slots=True)
class Settings:
    # The variables that changed: declared or found. More than one is confounded.
    changed: tuple[str, ...]
    # A difference smaller than this share says nothing.
    margin: float = 0.10
    # Within how much it is "no change". None: within the margin.
    equivalence: float | None = None
    # TIME or DB_CALLS.
    metric: str = TIME
    # What may not get worse besides errors: "db calls", "time", "p95", "path:SLUG".
    guardrails: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for share in (self.margin, self.equivalence):
            if share is not None and not 0 < share <= 1:
                raise ValueError(f"A margin lies above 0 and at most at 1: {share} does not.")
        if self.metric not in (TIME, DB_CALLS):
            raise ValueError(f'The metric is "{TIME}" or "{DB_CALLS}", not "{self.metric}".')

    @property
    def variables(self) -> list[str]:
        """Each once, in the order told."""
        return list(dict.fromkeys(self.changed))

    @property
    def least(self) -> float:
        """The margin on the scale of log ratios."""
        return float(np.log1p(self.margin))

    @property
    def even(self) -> float:
        """The margin of no change on the scale of log ratios."""
        return float(np.log1p(self.margin if self.equivalence is None else self.equivalence))

    def call(self, interval: Interval) -> Call:
        estimate, low, high = interval
        if high < -CLOSE and estimate <= CLOSE - self.least:
            return "improved"
        if low > CLOSE and estimate >= self.least - CLOSE:
            return "regressed"
        is_even = CLOSE - self.even < low and high < self.even - CLOSE
        return "no_change" if is_even else "inconclusive"
