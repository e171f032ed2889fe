"""What keeps a verdict from being better: errors, guardrails, and facts that are missing."""

from collections.abc import Mapping
from typing import Any

from opsboard.changes.words.numbers import (
    FEW,
    anything,
    fall,
    is_number,
    milliseconds,
    percent,
    points,
)
from opsboard.changes.words.seen import Seen, counts, interval, pair, shares

type Two = tuple[str, str]

# Samples a side that a verdict needs: as opsboard.changes.models has it.
FEWEST = 60


def more_errors(seen: Seen) -> Two:
    return _errors(seen), (
        f"{_how_many_more(seen)}; how fast the others came does not count then, because a wrong "
        "answer is often quick"
    )


def errors_rose(seen: Seen) -> Two:
    would_be = {
        "improved": f"without them it would be called {'less' if seen.is_calls else 'faster'}",
        "no_change": "without them it would be called no change",
    }.get(seen.get("adjusted_call") or "", "without them there might be a verdict")
    return _errors(seen), (
        f"that may be one burst of failures, so it is not called worse, but {would_be}, "
        "and with them it is not"
    )


def too_few(seen: Seen) -> Two:
    sides, right = seen.sides, counts(seen.get("ok"))
    had = f"{sides[0]:,} before and {sides[1]:,} after" if sides else "too few on one side"
    least = f"a verdict needs {FEWEST} on each side"
    if sides and min(sides) >= FEWEST:
        least = f"a verdict needs {FEWEST} right answers on each side, and {FEW} of a cache result"
        had += f", with {right[0]:,} and {right[1]:,} right answers" if right else ""
    return (
        f"there are not enough samples to say anything: {had}",
        f"{least}, because with fewer, luck looks like an effect",
    )


def too_little_alike(seen: Seen) -> Two:
    coverage = seen.get("coverage")
    part = f"only {percent(coverage)} of requests" if is_number(coverage) else "too few requests"
    return (
        f"{part} can be compared like with like",
        f"the others had a cache result that came fewer than {FEW} times before or after, so they "
        "have nothing to be compared with",
    )


def cache_unobserved(seen: Seen) -> Two:
    average, unknown = seen.average(), seen.get("cache_unknown")
    of = f"of {percent(unknown)} of requests" if is_number(unknown) else "of too many requests"
    first = f"{of} it is not known whether they hit the cache"
    if is_number(unknown) and unknown >= 1:
        first = "of no request is it known whether it hit the cache"
    if average:
        went = f"from {milliseconds(average[0])} to {milliseconds(average[1])}"
        first = f"the average {seen.request} went {went}, but {first}"
    return first, (
        "more lucky hits look just like a faster program, so it is called neither better, nor "
        "worse, nor the same"
    )


def calls_unreported(seen: Seen) -> Two:
    return (
        f"database calls are what was to be compared, and {seen.requests} did not report them on "
        "both sides",
        "a count that is missing is not a count of none, so nothing is said of fewer or more",
    )


def control_too_few(seen: Seen) -> Two:
    name = seen.about.control
    path = f"the control path, {name}," if name else "the control path"
    return (
        f"{path} was asked too seldom to show what moved by itself meanwhile",
        "a busier hour looks like a slower program, so without it nothing is said of this change",
    )


def guarded(seen: Seen) -> Two:
    """The named guardrail, whatever the metric itself did."""
    found = next((one for one in seen.guardrails() if one.get("name") == seen.of_what), {})
    what = what_is_guarded(seen.of_what)
    effect = seen.effect
    first = f"{what} was not to get worse"
    if effect and effect[2] < 0:
        more = f"{seen.better}{' database calls' if seen.is_calls else ''}"
        first = f"{seen.requests} may be {percent(fall(effect[0]))} {more} than before, but {first}"
    return first, how_guarded(seen, found, what)


def how_guarded(seen: Seen, found: Mapping[str, Any], what: str) -> str:
    """How far it may have got worse: of errors in points, else as a share of what it was."""
    figures = interval(found.get("interval"))
    if figures is None:
        return f"{what} was not measured often enough to show that it held"
    if found.get("name") == "errors":
        span = anything(figures[1], figures[2], points, "less", "more")
        return f"the share of wrong answers could be {span} than before"
    good, bad = ("fewer", "more") if found.get("name") == "db calls" else ("faster", "slower")
    span = anything(figures[1], figures[2], lambda one: percent(fall(one)), good, bad)
    return f"it could be {span} than before, and up to {seen.margin} {bad} is allowed"


def what_is_guarded(name: str) -> str:
    known = {
        "errors": "the share of wrong answers",
        "db calls": "the number of database calls",
        "time": "the response time",
        "p95": "the time of the slowest 5% of requests",
    }
    path = name.removeprefix("path:")
    return known.get(name, f"the response time of {path}" if path else "a guarded figure")


# Errors ------------------------------------------------------------------------------------


def errors_words(seen: Seen) -> str:
    """ "2 of 200 answers were wrong before, and 30 of 200 (15%) after"; "": not known."""
    rates, sides = seen.get("error_rate") or {}, seen.sides
    both = shares([rates.get("before"), rates.get("after")])
    if not both:
        return ""
    if not sides:
        return f"{percent(both[0])} of answers were wrong before, and {percent(both[1])} after"
    before, after = (_wrong(share, of) for share, of in zip(both, sides, strict=True))
    return f"{before} answers were wrong before, and {after} after"


def _wrong(share: float, of: int) -> str:
    number = round(share * of)
    return f"{number:,} of {of:,}" + (f" ({percent(share)})" if number >= FEW else "")


def _errors(seen: Seen) -> str:
    words = errors_words(seen)
    return (
        f"more answers were wrong after the change: {words}"
        if words
        else ("more answers were wrong after the change than before")
    )


def _how_many_more(seen: Seen) -> str:
    rates = seen.get("error_rate") or {}
    bounds = pair(rates.get("newcombe"))
    if bounds and min(bounds) > 0:
        low = points(bounds[0]).partition(" ")[0]
        return f"the rise could be anything from {low} to {points(bounds[1])}"
    return "the rise is more than chance"
