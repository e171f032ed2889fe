"""The figures of a verdict as the page of a change writes them. Pure: what was judged in."""

from collections.abc import Mapping
from dataclasses import dataclass

from opsboard.changes.rules.judged import (
    CACHE_UNOBSERVED,
    ERROR_RATE,
    ERROR_RATE_ROSE,
    NO_OVERLAP,
    Calls,
    Guarded,
    Interval,
    Judged,
)
from opsboard.web.change_numbers import (
    average_words,
    count_words,
    part_words,
    percent_of,
    signed,
)
from opsboard.web.change_plot import Axis, Bar, axis_of, bridge_of
from opsboard.web.change_strata import StratumRow, stratum_rows
from opsboard.web.change_words import VERDICTS
from opsboard.web.release_words import Verdict
from opsboard.web.words import ENOUGH_FOR_PERCENT, number

GUARDED = {
    "errors": "Wrong answers",
    "db calls": "Database calls",
    "time": "Response time",
    "p95": "p95 of the response time",
}


@dataclass(frozen=True, slots=True)
class BridgeRow:
    words: str
    text: str
    bar: Bar


@dataclass(frozen=True, slots=True)
class CallsRow:
    """ "12, then 3 per miss"."""

    before: str
    after: str
    of: str
    # What is not the same in every request; "": it is.
    more: str


@dataclass(frozen=True, slots=True)
class GuardRow:
    words: str
    difference: str
    css: str
    mark: str
    holds: str


@dataclass(frozen=True, slots=True)
class Figures:
    verdict: Verdict
    requests: str
    # Of the ranges that verdicts are made from: 95, or 99 where the mix shifted.
    level: int
    rows: list[StratumRow]
    axis: Axis | None
    bridge: list[BridgeRow]
    # "10%"; "": it was not looked at.
    margin: str
    # Whether database calls are what is judged.
    is_of_calls: bool
    calls: list[CallsRow]
    errors: str
    control: str
    guardrails: list[GuardRow]
    notes: list[str]


def figures_of(
    judged: Judged, *, control: str = "", paths: Mapping[str, str] | None = None
) -> Figures:
    """`control` is the name of the control path, `paths` the names of guarded ones by slug."""
    axis = axis_of(judged["bars"]) if "bars" in judged else None
    return Figures(
        verdict=VERDICTS[judged["verdict"]],
        requests=number(sum(judged["n"])),
        level=judged.get("level", 95),
        rows=stratum_rows(judged, axis),
        axis=axis,
        bridge=_bridge(judged),
        margin=f"{judged['margin']:.0%}" if "margin" in judged else "",
        is_of_calls=judged.get("metric") == "db calls",
        calls=_calls(judged.get("db_calls", {})),
        errors=errors_words(judged),
        control=control_words(judged.get("control"), control),
        guardrails=[_guard(one, paths or {}) for one in judged.get("guardrails", [])],
        notes=list(judged.get("notes", [])),
    )


def errors_words(judged: Judged) -> str:
    """ "" while every answer was right, and where the sentences of the verdict say it."""
    rates = judged.get("error_rate")
    if rates is None or not (rates["before"] or rates["after"]):
        return ""
    if judged["reason"] in (ERROR_RATE, ERROR_RATE_ROSE):
        return ""
    before, after = (
        _wrong_words(round(rate * n), n)
        for rate, n in zip((rates["before"], rates["after"]), judged["n"], strict=True)
    )
    low, high = (signed(100 * value, 1) for value in rates["newcombe"])
    return (
        f"Wrong answers: {before} before, {after} after. "
        f"The difference lies between {low} and {high} percentage points."
    )


def _wrong_words(wrong: int, whole: int) -> str:
    """ "2 of 200"; with enough of them "30 of 200 (15%)"."""
    share = f" ({wrong / whole:.0%})" if wrong >= ENOUGH_FOR_PERCENT else ""
    return f"{number(wrong)} of {number(whole)}{share}"


def control_words(control: Interval | None, name: str) -> str:
    if control is None:
        return ""
    estimate, low, high = (percent_of(ratio) for ratio in control)
    return (
        f"{name or 'The control path'}, which this should not touch, changed by {estimate} in the "
        f"same time ({low} to {high}). That is taken out of the verdict."
    )


def _bridge(judged: Judged) -> list[BridgeRow]:
    # Where nobody knows what hit the cache, no part of it can be told from the change.
    if "bridge" not in judged or judged["reason"] == CACHE_UNOBSERVED:
        return []
    bridge = judged["bridge"]
    rows = (
        ("Average before", average_words(bridge["before"])),
        (_mix_words(judged), part_words(bridge["mix"])),
        (_within_words(judged), part_words(bridge["within"])),
        ("Average after", average_words(bridge["after"])),
    )
    bars = bridge_of(bridge)
    return [BridgeRow(words, text, bar) for (words, text), bar in zip(rows, bars, strict=True)]


def _mix_words(judged: Judged) -> str:
    hits = judged.get("mix", {}).get("hit", [0.0])[0]
    if not judged.get("mix_shifted") or not hits:
        return "From the mix"
    return "From more cache hits" if hits > 0 else "From fewer cache hits"


def _within_words(judged: Judged) -> str:
    if len(judged["changed"]) > 1:
        return "From these changes"
    if judged["reason"] == NO_OVERLAP:
        return "From what is alike on both sides"
    # Of a cache that was changed the mix is a part of the change.
    return "Within hits and misses" if judged["changed"] == ["cache"] else "From this change"


# Of requests that ask for nothing on either side there is nothing to say.
def _calls(db_calls: Mapping[str, Calls]) -> list[CallsRow]:
    kinds = {"hit": "hit", "miss": "miss", "bypass": "request past the cache"}
    shown = [one for one in ("miss", "hit", "bypass") if one in db_calls] or ["all"]
    return [
        _calls_row(db_calls[stratum], kinds.get(stratum, "request"))
        for stratum in shown
        if stratum in db_calls and any(db_calls[stratum]["most"])
    ]


def _calls_row(calls: Calls, of: str) -> CallsRow:
    if calls["is_constant"]:
        return CallsRow(
            count_words(calls["mode"][0]), count_words(calls["mode"][1]), f"per {of}", ""
        )
    before, after = (count_words(value) for value in calls["mean"])
    most = " and then ".join(count_words(value) for value in calls["most"])
    return CallsRow(before, after, f"per {of} on average", f"at most {most}")


def _guard(guarded: Guarded, paths: Mapping[str, str]) -> GuardRow:
    name = guarded["name"]
    slug = name.removeprefix("path:")
    words = GUARDED.get(name) or paths.get(slug, slug)
    css, mark, holds = {
        True: ("none", "", "Did not get worse"),
        False: ("fail", "worse", "Got worse"),
        None: ("nodata", "unsure", "Cannot be said"),
    }[guarded["holds"]]
    return GuardRow(words, _guarded_words(guarded["interval"], name), css, mark, holds)


def _guarded_words(interval: Interval | None, name: str) -> str:
    if interval is None:
        return "not measured"
    if name == "errors":
        estimate, low, high = (signed(100 * value, 1) for value in interval)
        return f"{estimate} points, {low} to {high}"
    estimate, low, high = (percent_of(ratio) for ratio in interval)
    return estimate if low == high else f"{estimate}, {low} to {high}"
