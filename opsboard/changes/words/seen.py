"""The figures of a verdict as its sentences ask for them: what is missing is None. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opsboard.changes.rules.judged import Judged
from opsboard.changes.words.about import About
from opsboard.changes.words.numbers import (
    FEW,
    anything,
    count,
    fall,
    is_number,
    milliseconds,
    part_of,
    percent,
    points,
)

ALL = "all"
# By the word of a cache result: one request, several, and what they did.
ONE = {"hit": "cache hit", "miss": "cache miss", "bypass": "request past the cache"}
MANY = {"hit": "cache hits", "miss": "cache misses", "bypass": "requests past the cache"}
DID = {
    "hit": "hit the cache",
    "miss": "missed the cache",
    "bypass": "went past the cache",
    "unknown": "did not tell their cache result",
}
# Where a change is meant to help, most often.
_FIRST = ("miss", "hit", "bypass", "unknown")


@dataclass(frozen=True, slots=True)
class Seen:
    judged: Judged
    about: About

    def get(self, key: str) -> Any:
        return self.judged.get(key)

    @property
    def reason(self) -> str:
        """The word alone: "stratum" of "stratum=miss"."""
        return (self.get("reason") or "").partition("=")[0]

    @property
    def of_what(self) -> str:
        """What the reason carries: "miss" of "stratum=miss"."""
        return (self.get("reason") or "").partition("=")[2]

    # What is compared ----------------------------------------------------------------------

    @property
    def is_calls(self) -> bool:
        return (self.get("metric") or self.about.metric) == "db calls"

    @property
    def better(self) -> str:
        return "fewer" if self.is_calls else "faster"

    @property
    def worse(self) -> str:
        return "more" if self.is_calls else "slower"

    @property
    def margin(self) -> str:
        value = self.get("margin")
        return percent(value if is_number(value) else self.about.margin)

    @property
    def equivalence(self) -> str:
        value = self.get("equivalence")
        return percent(value) if is_number(value) else self.margin

    @property
    def requests(self) -> str:
        return f"requests{self._whose}"

    @property
    def request(self) -> str:
        return f"request{self._whose}"

    @property
    def _whose(self) -> str:
        about = self.about
        where = f" on {about.environment}" if about.environment not in ("", "production") else ""
        return f"{f' for {about.path}' if about.path else ''}{where}"

    # Figures -------------------------------------------------------------------------------

    @property
    def sides(self) -> tuple[int, int] | None:
        """How many samples there are before and after."""
        return counts(self.get("n"))

    @property
    def effect(self) -> Sequence[float] | None:
        """The log ratio that decides. Where the cache is what was changed, of all requests."""
        if self.is_of_the_cache and (pooled := interval(self.get("pooled"))):
            return pooled
        return interval(self.get("adjusted"))

    @property
    def is_shifted(self) -> bool:
        return bool(self.get("mix_shifted"))

    @property
    def is_of_the_cache(self) -> bool:
        """The cache is what was changed: more hits are then its effect, and not luck."""
        return self.is_shifted and list(self.get("changed") or ()) == ["cache"]

    def range_of(self, found: Sequence[float]) -> str:
        return anything(found[1], found[2], _change, self.better, self.worse)

    def times(self, stratum: str) -> Mapping[str, Any]:
        return (self.get("times") or {}).get(stratum) or {}

    def average(self) -> tuple[float, float] | None:
        """In milliseconds, of all requests."""
        if both := pair(self.times(ALL).get("mean")):
            return both
        bridge = self.get("bridge") or {}
        return pair([bridge.get("before"), bridge.get("after")])

    def medians(self, stratum: str) -> tuple[float, float] | None:
        return pair(self.times(stratum).get("median"))

    def strata(self) -> list[str]:
        """Those with enough on both sides and medians, where a change helps most first."""
        found = (self.get("times") or {}).keys() - {ALL}
        enough = [one for one in found if self._is_enough(one) and self.medians(one)]
        return sorted(enough, key=_place)

    def _is_enough(self, stratum: str) -> bool:
        both = self.counts(stratum)
        return both is not None and min(both) >= FEW

    def shares(self, stratum: str) -> tuple[float, float] | None:
        return shares(self.times(stratum).get("share"))

    def counts(self, stratum: str) -> tuple[int, int] | None:
        return counts(self.times(stratum).get("n"))

    def ratio_of(self, stratum: str) -> Sequence[float] | None:
        return interval((self.get("strata") or {}).get(stratum))

    def difference(self, stratum: str) -> Sequence[float] | None:
        """Of the medians, in milliseconds."""
        return interval(self.times(stratum).get("difference"))

    def guardrails(self) -> Sequence[Mapping[str, Any]]:
        return [one for one in self.get("guardrails") or () if one]

    def hits(self) -> str:
        """ "91% of requests hit the cache, up from 58%": of the cache result that moved."""
        stratum, sides = self.moved(), self.sides
        did, both = DID.get(stratum, "had one cache result"), self.shares(stratum)
        if both:
            before, after = (
                part_of(share, sides[place] if sides else None) for place, share in enumerate(both)
            )
            requests = " requests" if " of " in after else " of requests"
            way = "up" if both[1] > both[0] else "down"
            return f"{after}{requests} {did}, {way} from {before}"
        if found := interval((self.get("mix") or {}).get(stratum)):
            way = "more" if found[0] > 0 else "fewer"
            return f"{did_more(found[0], way)} {did} than before"
        return "another share of requests hit the cache than before"

    def moved(self) -> str:
        """The cache result whose share moved: hits where they did, else the one that moved most."""
        mix = {
            one: found for one, raw in (self.get("mix") or {}).items() if (found := interval(raw))
        }
        if "hit" in mix and abs(mix["hit"][0]) >= 0.05:
            return "hit"
        return max(mix, key=lambda one: abs(mix[one][0]), default="hit")

    def calls(self) -> tuple[str, str, str] | None:
        """Of which requests, and database calls before and after: "cache miss", "12", "3"."""
        found = self.get("db_calls") or {}
        for stratum in sorted(found, key=_place):
            one = found[stratum] or {}
            both = pair(one.get("mode")) if one.get("is_constant") else None
            both = both or pair(one.get("mean"))
            if both and min(both) >= 0:
                return ONE.get(stratum, "request"), count(both[0]), count(both[1])
        return None


def did_more(share: float, way: str) -> str:
    return f"{points(share)} {way} of requests"


def interval(value: Any) -> Sequence[float] | None:
    """[estimate, low, high], where all three can be said."""
    is_whole = isinstance(value, (list, tuple)) and len(value) == 3
    return value if is_whole and all(is_number(one) for one in value) else None


def pair(value: Any) -> tuple[Any, Any] | None:
    """[before, after], where both can be said."""
    is_whole = isinstance(value, (list, tuple)) and len(value) == 2
    return (value[0], value[1]) if is_whole and all(is_number(one) for one in value) else None


def counts(value: Any) -> tuple[int, int] | None:
    both = pair(value)
    return both if both and all(isinstance(one, int) and one >= 0 for one in both) else None


def shares(value: Any) -> tuple[float, float] | None:
    both = pair(value)
    return both if both and all(0 <= one <= 1 for one in both) else None


def _change(ratio: float) -> str:
    return percent(fall(ratio))


def in_time(found: Sequence[float]) -> str:
    """A difference in milliseconds, [estimate, low, high], as a range."""
    say: Callable[[float], str] = milliseconds
    return anything(found[1], found[2], say, "faster", "slower")


def _place(stratum: str) -> tuple[int, str]:
    return (_FIRST.index(stratum) if stratum in _FIRST else len(_FIRST), stratum)
