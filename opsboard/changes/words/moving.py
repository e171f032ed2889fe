"""It moved, it did not, or nobody can say: the sentences of a verdict on the figures themselves.

Sentences stand here without a capital and a full stop.
"""

from opsboard.changes.words.numbers import fall, milliseconds, part_of, percent
from opsboard.changes.words.seen import DID, MANY, ONE, Seen, in_time

type Two = tuple[str, str]

_LIKE_WITH_LIKE = (
    "hits are compared with hits and misses with misses, so luck with the cache has no part in it"
)

_ALWAYS = "it was the same every time before, and the same every time after, so chance has no part"


def improved(seen: Seen) -> Two:
    return f"{_moved(seen, seen.better)}{_typical(seen)}", _how_sure(seen)


def regressed(seen: Seen) -> Two:
    return f"{_moved(seen, seen.worse)}{_typical(seen)}", _how_sure(seen)


def regressed_in_part(seen: Seen) -> Two:
    """Of one cache result, while all of them together do not say so."""
    stratum = seen.of_what
    some = MANY.get(stratum, f"requests that {DID.get(stratum, 'had one cache result')}")
    which = f"{some}{f' of {seen.about.path}' if seen.about.path else ''}"
    found, medians, shares = seen.ratio_of(stratum), seen.medians(stratum), seen.shares(stratum)
    by = f"{percent(fall(found[0]))} {seen.worse}" if found else seen.worse
    first = f"{which} {_got(seen)} {by}{_calls_suffix(seen) if found else ''}"
    if medians and not seen.is_calls:
        first += f": a typical one took {_then(medians)}"
    elif not found:
        first += " than before"
    how_many = (
        f"they are {part_of(shares[1], seen.sides[1])} of all requests"
        if shares and seen.sides
        else "they are no small part of all requests"
    )
    sure = f", and for them it could be {seen.range_of(found)}" if found else ""
    return first, f"{how_many}{sure}, so what the others do does not make up for it"


def no_change(seen: Seen) -> Two:
    verb = "make as many database calls as" if seen.is_calls else "take as long as"
    first = f"{seen.requests} {verb} before{_typical(seen)}"
    within = f"which is all within the {seen.equivalence} that was set as no difference"
    if seen.effect and seen.effect[1] == seen.effect[2]:
        return first, _ALWAYS
    if seen.effect:
        return first, f"the difference could be {seen.range_of(seen.effect)}, {within}"
    return first, f"the difference is within the {seen.equivalence} that was set as none"


def inconclusive(seen: Seen) -> Two:
    more = f"{seen.better} or {seen.worse}"
    first = (
        f"it cannot be said whether {seen.requests} now make {more} database calls"
        if seen.is_calls
        else f"it cannot be said whether {seen.requests} got {more}"
    )
    first += _typical(seen)
    effect = seen.effect
    if effect is None:
        return first, "the samples do not tell an effect of the change from chance"
    span = f"it could be {seen.range_of(effect)}"
    if effect[1] < 0 < effect[2]:
        return first, f"{span}, so it may be nothing, or more than the margin of {seen.margin}"
    return first, f"{span}, and it is not certain that it reaches the margin of {seen.margin}"


# Parts of them -----------------------------------------------------------------------------


def _moved(seen: Seen, word: str) -> str:
    effect = seen.effect
    by = f"{percent(fall(effect[0]))} {word}" if effect else word
    if seen.is_of_the_cache and not seen.is_calls and (average := seen.average()):
        # Its base is the average that is told beside it, which more hits moved.
        share = 1 - average[1] / average[0] if average[0] > 0 else 0
        agrees = share > 0 if word == seen.better else share < 0
        by = f"{percent(share)} {word}" if agrees else word
    end = " than before" if not seen.strata() or (seen.is_calls and not seen.calls()) else ""
    return f"{seen.requests} {_got(seen)} {by}{_calls_suffix(seen)}{end}"


def _got(seen: Seen) -> str:
    return "make" if seen.is_calls else "got"


def _calls_suffix(seen: Seen) -> str:
    return " database calls" if seen.is_calls else ""


def _typical(seen: Seen) -> str:
    """The base of the share: what was before, and what is now."""
    if seen.is_of_the_cache and not seen.is_calls and (average := seen.average()):
        return f": the average one took {_then(average)}"
    if seen.is_calls:
        return f": {calls}" if (calls := calls_words(seen)) else ""
    strata = seen.strata()
    shown = strata[:2] if len(strata) > 1 else strata
    parts = [
        f"a typical {ONE.get(one, 'request') if len(strata) > 1 else _alone(one)} "
        f"{'took ' if not place else ''}{_then(medians)}"
        for place, one in enumerate(shown)
        if (medians := seen.medians(one))
    ]
    return f": {', and '.join(parts)}" if parts else ""


def _alone(stratum: str) -> str:
    return ONE.get(stratum, "one")


def _then(medians: tuple[float, float]) -> str:
    return f"{milliseconds(medians[0])} before and {milliseconds(medians[1])} after"


def calls_words(seen: Seen) -> str:
    """ "a cache miss made 12 database calls before and 3 after"; "": they are not known."""
    calls = seen.calls()
    if calls is None:
        return ""
    of, before, after = calls
    return (
        f"a {of} made {before} database call{'' if before == '1' else 's'} before and {after} after"
    )


def _how_sure(seen: Seen) -> str:
    effect, shares = seen.effect, seen.shares("hit")
    could_be = f"the true figure could be {seen.range_of(effect)}" if effect else ""
    if seen.is_shifted and shares:
        hits = f"after the change {seen.hits()}"
        if seen.is_of_the_cache:
            one = (
                f"; the difference of a single request could be {seen.range_of(effect)}"
                if effect
                else ""
            )
            return f"the cache is what was changed, and {hits}{one}"
        left_out = f"{hits}, which is left out of the figure"
        return f"{left_out}: it could be {seen.range_of(effect)}" if effect else left_out
    if not effect:
        return "that is more than chance, and more than the margin set before"
    if effect[1] == effect[2]:
        return _ALWAYS
    if len(seen.strata()) > 1 and not seen.is_calls:
        return f"{_LIKE_WITH_LIKE}, and {could_be}"
    return f"{could_be}, where {seen.margin} is the least that counts"


def on_its_own(seen: Seen, stratum: str) -> str:
    """What one cache result shows: "232 ms before, 230 ms after", and how far that may be off."""
    medians = seen.medians(stratum)
    if not medians:
        return ""
    words = f"{milliseconds(medians[0])} before, {milliseconds(medians[1])} after"
    found = seen.difference(stratum)
    return f"{words}; the difference could be {in_time(found)}" if found else words
