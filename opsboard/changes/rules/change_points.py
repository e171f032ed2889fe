"""When did the level move? For the history of a path: it dates moves, and gives no verdict.

Pettitt's test (1979) at the best place to split, then again in both parts (binary segmentation,
Scott & Knott 1974). It goes by ranks, so that a few slow answers move nothing, and its p value
allows for the place having been picked. Plain Python: pages call it.

A level that comes back after a small part of the series is not seen.
"""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import exp, sqrt

# Of a series, and of each level: fewer points say nothing for certain.
MOST_POINTS, FEWEST_POINTS = 2_000, 10
SURE = 0.01


def change_points(values: Sequence[float]) -> list[int]:
    """The places in `values`, oldest first, at which a new level begins, in order.

    Refuses more than MOST_POINTS: take the newest, or means of several.
    """
    if len(values) > MOST_POINTS:
        raise ValueError(f"{len(values):,} points are too many: at most {MOST_POINTS:,}.")
    waiting, found = [(0, len(values))], []
    while waiting:
        begin, end = waiting.pop()
        place = _place(values[begin:end])
        if place is not None:
            found.append(begin + place)
            waiting += [(begin, begin + place), (begin + place, end)]
    return _placed_again(values, sorted(found))


def _placed_again(values: Sequence[float], found: list[int]) -> list[int]:
    """Each between its neighbours: the first split saw all levels at once, and may lie beside."""
    bounds = [0, *found, len(values)]
    for at in range(1, len(bounds) - 1):
        begin = bounds[at - 1]
        place = _place(values[begin : bounds[at + 1]])
        bounds[at] = begin if place is None else begin + place
    return sorted(set(bounds[1:-1]) - {0})


def _place(values: Sequence[float]) -> int | None:
    n = len(values)
    if n < 2 * FEWEST_POINTS:
        return None
    ranks = [rank - (n + 1) / 2 for rank in _ranks(values)]
    # Half of Pettitt's K: ranks lean to the middle, and test but do not date.
    largest = max(map(abs, accumulate(ranks)))
    sums = list(accumulate(_calm(values), initial=0.0))
    place = max(range(1, n), key=lambda at: abs(sums[at]) / sqrt(at * (n - at)))
    if not FEWEST_POINTS <= place <= n - FEWEST_POINTS:
        return None
    likeness = _autocorrelation(ranks, place)
    longer = (1 + likeness) / (1 - likeness)
    p = 2 * exp(-6 * (2 * largest) ** 2 / (n**3 + n**2) / longer)
    return place if p < SURE else None


def _calm(values: Sequence[float]) -> list[float]:
    """Around their mean, the outermost twentieths drawn in: a few slow answers date nothing."""
    ordered = sorted(values)
    edge = len(ordered) // 20
    drawn_in = [min(max(value, ordered[edge]), ordered[-1 - edge]) for value in values]
    mean = sum(drawn_in) / len(drawn_in)
    return [value - mean for value in drawn_in]


def _ranks(values: Sequence[float]) -> list[float]:
    """From 1; equal values share the middle one."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    bounds = [at for at, (one, two) in enumerate(pairwise(order), 1) if values[one] != values[two]]
    for begin, end in pairwise([0, *bounds, len(order)]):
        for at in order[begin:end]:
            ranks[at] = (begin + 1 + end) / 2
    return ranks


def _autocorrelation(values: Sequence[float], place: int) -> float:
    """Of one with the next, within both levels; not below 0, and at most 0.9."""
    parts = values[:place], values[place:]
    centred = [each - sum(part) / len(part) for part in parts for each in part]
    square = sum(each * each for each in centred)
    if not square:
        return 0.0
    return min(0.9, max(0.0, sum(one * two for one, two in pairwise(centred)) / square))
