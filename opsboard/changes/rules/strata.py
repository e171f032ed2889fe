"""What is like what: samples by the cache's answer."""

from dataclasses import dataclass

import numpy as np

from opsboard.changes.rules.samples import (
    BYPASS,
    CACHE_WORDS,
    HIT,
    MISS,
    STALE,
    UNKNOWN,
    Bools,
    Labels,
    Samples,
)

# In the order they are shown.
WORDS = (HIT, MISS, BYPASS, UNKNOWN)
# Samples of a stratum on each side, below which it says nothing.
FEWEST_IN_A_STRATUM = 20
# Share of each side that comparable strata must cover.
LEAST_COVERAGE = 0.8
# Share of right answers without a cache result from which on nothing good is said.
MOST_UNKNOWN = 0.2
_PLACE = {word: CACHE_WORDS.index(word) for word in CACHE_WORDS}

type _Sides = tuple[Samples, Samples]


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """The samples of both sides with the label each is compared under."""

    before: Samples
    after: Samples
    labels: tuple[Labels, Labels]
    # Share of right answers without any cache result, on the side with more of them.
    unknown: float
    # Database calls stood in for the cache's answer.
    is_inferred: bool

    def of(self, word: str, side: int) -> Bools:
        return np.equal(self.labels[side], _PLACE[word])

    def compared(self, word: str) -> tuple[Bools, Bools]:
        """Without the wrong answers."""
        return self.of(word, 0) & self.before.ok, self.of(word, 1) & self.after.ok

    @property
    def right(self) -> tuple[int, int]:
        """How many of each side are no wrong answers."""
        return int(self.before.ok.sum()), int(self.after.ok.sum())

    @property
    def words(self) -> list[str]:
        """Those that occur on a side."""
        return [word for word in WORDS if any(self.of(word, side).any() for side in (0, 1))]

    @property
    def comparable(self) -> list[str]:
        return [
            word
            for word in WORDS
            if all(here.sum() >= FEWEST_IN_A_STRATUM for here in self.compared(word))
        ]

    @property
    def coverage(self) -> float:
        """What comparable strata cover, of the side where that is less."""
        covered = [0, 0]
        for word in self.comparable:
            for side, here in enumerate(self.compared(word)):
                covered[side] += int(here.sum())
        return min(part / max(of, 1) for part, of in zip(covered, self.right, strict=True))

    @property
    def traffic(self) -> dict[str, float]:
        """Share of the right answers of both sides: wrong ones make none of them small."""
        of = max(sum(self.right), 1)
        return {
            word: sum(int(here.sum()) for here in self.compared(word)) / of for word in self.words
        }


def labelled(before: Samples, after: Samples, *, may_infer: bool) -> Labelled:
    """`may_infer`: database calls may tell hits from misses where the cache says nothing."""
    sides = (before, after)
    labels = (_labels(before), _labels(after))
    unknown = _unknown(sides, labels)
    if unknown <= MOST_UNKNOWN or not may_infer:
        return Labelled(before, after, labels, unknown, is_inferred=False)
    inferred = _inferred(sides, labels)
    still = _unknown(sides, inferred)
    return Labelled(before, after, inferred, still, is_inferred=still < unknown)


def _labels(samples: Samples) -> Labels:
    return np.where(samples.cache == _PLACE[STALE], _PLACE[HIT], samples.cache).astype(np.int8)


def _unknown(sides: _Sides, labels: tuple[Labels, Labels]) -> float:
    return max(
        float((label[side.ok] == _PLACE[UNKNOWN]).mean()) if side.ok.any() else 0.0
        for side, label in zip(sides, labels, strict=True)
    )


def _inferred(sides: _Sides, labels: tuple[Labels, Labels]) -> tuple[Labels, Labels]:
    """Few calls are a hit, more than one a miss; where none makes more than one, any is a miss."""
    most = max(float(np.nanmax(side.db_calls[side.ok], initial=0)) for side in sides)
    few = 1 if most > 1 else 0
    first, second = (
        np.where(
            (label == _PLACE[UNKNOWN]) & ~np.isnan(side.db_calls),
            np.where(side.db_calls > few, _PLACE[MISS], _PLACE[HIT]),
            label,
        ).astype(np.int8)
        for side, label in zip(sides, labels, strict=True)
    )
    return first, second
