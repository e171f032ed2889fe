"""Something else moved as well: the sentences of confounded, and of sides that do not compare."""

from opsboard.changes.words.moving import on_its_own
from opsboard.changes.words.numbers import FEW, fall, is_number, listed, milliseconds, percent
from opsboard.changes.words.seen import MANY, Seen, pair

type Two = tuple[str, str]

# As one says them after "changed": of Change.Variable.
_VARIABLES = {
    "code": "the code",
    "query": "the query",
    "index": "the index",
    "cache": "the cache",
    "config": "the configuration",
    "configuration": "the configuration",
    "dependency": "a dependency",
    "infrastructure": "the infrastructure",
    "other": "something else",
}
_NUMBERS = {2: "two", 3: "three", 4: "four"}
# Of the whole difference of the averages: from here on it is said to be the cache.
_MOST = 0.8


def by_the_cache(seen: Seen) -> Two:
    """More or fewer hits move the average, whatever the change does."""
    first = f"{_average(seen, _but(seen))}: after it {seen.hits()}"
    strata = seen.strata()
    for stratum in strata:
        if alone := on_its_own(seen, stratum):
            return (
                first,
                f"on {MANY.get(stratum, 'the others')} alone, {_verdict(seen, stratum)}{alone}",
            )
    if effect := seen.effect:
        return first, f"compared like with like, it could be {seen.range_of(effect)}"
    return first, "what the change itself did cannot be told from that"


def nothing_alike(seen: Seen) -> Two:
    first = f"{_average(seen, 'but the cache had its part in that')}: after it {seen.hits()}"
    for stratum in ("miss", "hit", "bypass", "unknown"):
        counts = seen.counts(stratum)
        if counts and max(counts) >= FEW > min(counts):
            many = MANY.get(stratum, "requests of unknown cache result")
            return first, (
                f"there were {counts[0]:,} {many} before and {counts[1]:,} after, and without "
                f"{FEW} on both sides what the change did cannot be said"
            )
    return first, "too few requests are alike on both sides to say what the change did"


def by_variables(seen: Seen) -> Two:
    names = _names(seen)
    told = seen.of_what
    number = max(int(told) if told.isdigit() else 0, len(names), 2)
    named = f": {listed(names)}" if names else ""
    more = f", and {number - len(names)} more" if names and number > len(names) else ""
    first = f"{_NUMBERS.get(number, str(number))} things changed between the two sides{named}{more}"
    return first, (
        "whichever way the figures moved, it cannot be said which of them did it, so there is no "
        "verdict on any"
    )


def not_the_same(seen: Seen) -> Two:
    path = seen.about.path or "the path"
    return (
        f"the two sides did not ask the same question: what is asked of {path} was changed between "
        "them",
        "times of two different questions cannot be compared, so a new baseline is needed",
    )


# Parts of them -----------------------------------------------------------------------------


def _average(seen: Seen, but: str) -> str:
    average = seen.average()
    if not average or min(average) <= 0:
        return f"more than the change moved {seen.requests}"
    before, after = average
    share = 1 - after / before
    figures = f"from {milliseconds(before)} to {milliseconds(after)}"
    if abs(share) < 0.01:
        return f"the average {seen.request} stayed the same, {figures}, {but}"
    word = "faster" if share > 0 else "slower"
    return f"the average {seen.request} got {percent(share)} {word}, {figures}, {but}"


def _but(seen: Seen) -> str:
    """By the split of the averages, if there is one: how much of it the cache alone makes."""
    bridge = seen.get("bridge") or {}
    sides, mix = pair([bridge.get("before"), bridge.get("after")]), bridge.get("mix")
    if not sides or not is_number(mix) or sides[0] == sides[1]:
        return "but not by this change alone"
    share = mix / (sides[1] - sides[0])
    return "but not because of this change" if share >= _MOST else "but not by this change alone"


def _verdict(seen: Seen, stratum: str) -> str:
    """What is certain of one cache result, before its figures."""
    found = seen.ratio_of(stratum)
    if found is None:
        return ""
    if found[1] <= 0 <= found[2]:
        return "nothing is certain to have moved: "
    word = seen.better if found[2] < 0 else seen.worse
    return f"it got {percent(fall(found[0]))} {word}: "


def _names(seen: Seen) -> list[str]:
    """What was declared and what was found, each once, in words."""
    told = [*(seen.get("changed") or seen.about.variables), *seen.about.found]
    return list(
        dict.fromkeys(_VARIABLES.get(str(one), str(one)) for one in told if str(one).strip())
    )
