"""What a window of observations adds up to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    observations: int = 0
    wrong: int = 0
    # Of these, the ones in an outage that a streak has already confirmed.
    told: int = 0
    wrong_told: int = 0
    hits: int = 0
    # Observations whose cache result is known.
    cache_known: int = 0
    # How many whole replies took at most so many microseconds, and more than the next key below.
    times: Mapping[int, int] = field(default_factory=dict)
    # How many replies made so many database calls. UNTOLD: replies that did not say.
    calls: Mapping[int, int] = field(default_factory=dict)

    def without_told(self) -> "Counted":
        """Without the observations of confirmed outages; `times` and `calls` stay as they are.

        So that an outage, once it is over, does not break the window clause nobody wrote.
        """
        if not self.told:
            return self
        return replace(
            self,
            observations=self.observations - self.told,
            wrong=self.wrong - self.wrong_told,
            told=0,
            wrong_told=0,
        )


UNTOLD = -1
