"""The rows of a comparison: cache hits, cache misses and all requests, before and after. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsboard.changes.rules.judged import VARIABLES, Calls, Judged, Times
from opsboard.web.change_numbers import (
    NONE,
    count_words,
    difference_words,
    share_words,
    time_words,
)
from opsboard.web.change_plot import Axis, Plot, plot_of
from opsboard.web.change_words import VERDICTS
from opsboard.web.release_words import Verdict
from opsboard.web.words import number

NOT_COMPARED = Verdict("Not compared", "", "none")

# Below these no median and no p95 is said.
FEWEST, FEWEST_FOR_P95 = 20, 60
FEW = "too few"

# The rows, in their order. The first two and the last always stand there.
STRATA = (
    ("hit", "Cache hit", "hit"),
    ("miss", "Cache miss", "miss"),
    ("bypass", "Cache bypassed", ""),
    ("unknown", "Cache unknown", ""),
    ("all", "All requests", ""),
)
ALWAYS, MIXED = {"hit", "miss", "all"}, {"unknown", "all"}
NOBODY: Times = {
    "n": [0, 0],
    "share": [0.0, 0.0],
    "mean": [None, None],
    "median": [None, None],
    "p95": [None, None],
    "difference": None,
    "call": None,
}


@dataclass(frozen=True, slots=True)
class StratumRow:
    words: str
    # The mark of its cache result; "": it has none.
    mark: str
    counts: str
    verdict: Verdict
    # "-2 ms" and "-11 to +6"; "": it cannot be said.
    difference: str
    range: str
    # Database calls of one request, before and after; empty where they are not what is judged.
    calls: Sequence[str]
    medians: Sequence[str]
    shares: Sequence[str]
    p95: Sequence[str]
    plot: Plot | None


def stratum_rows(judged: Judged, axis: Axis | None) -> list[StratumRow]:
    times = judged.get("times", {})
    if not times:
        return []
    whole = times.get("all", NOBODY)["n"]
    return [
        _row(judged, stratum, words, mark, times.get(stratum, NOBODY), whole, axis)
        for stratum, words, mark in STRATA
        if stratum in ALWAYS or any(times.get(stratum, NOBODY)["n"])
    ]


def _row(
    judged: Judged, stratum: str, words: str, mark: str, times: Times, whole: Sequence[int],
    axis: Axis | None,
) -> StratumRow:  # fmt: skip
    estimate, around = difference_words(times["difference"])
    return StratumRow(
        words=words,
        mark=mark,
        counts=f"{number(times['n'][0])}, then {number(times['n'][1])}",
        verdict=_verdict_of(judged, stratum, times),
        difference=estimate,
        range=around,
        calls=_calls(judged, stratum),
        medians=_times(times["median"], times["n"], FEWEST),
        shares=[
            share_words(part, count, of)
            for part, count, of in zip(times["share"], times["n"], whole, strict=True)
        ],
        p95=_times(times["p95"], times["n"], FEWEST_FOR_P95),
        plot=plot_of(judged["bars"], stratum, axis, times["median"]) if axis else None,
    )


def _verdict_of(judged: Judged, stratum: str, times: Times) -> Verdict:
    """A row never looks better than what is known: a lucky mix is not a fix.

    All requests together, and those whose cache result nobody knows, may be a mix; and of two
    changed variables no row says which did it.
    """
    call, whole = times["call"], judged["verdict"]
    is_mixed = stratum in MIXED or judged["reason"].startswith(VARIABLES)
    if is_mixed and whole not in ("improved", "no_change") and (call or stratum == "all"):
        return VERDICTS[whole]
    return VERDICTS[call] if call else NOT_COMPARED


def _times(values: Sequence[float | None], counts: Sequence[int], fewest: int) -> list[str]:
    return [
        FEW if 0 < count < fewest else time_words(value)
        for value, count in zip(values, counts, strict=True)
    ]


def _calls(judged: Judged, stratum: str) -> list[str]:
    if judged.get("metric") != "db calls":
        return []
    calls = judged.get("db_calls", {}).get(stratum)
    return [NONE, NONE] if calls is None else calls_words(calls)


def calls_words(calls: Calls) -> list[str]:
    """ "12" and "3" of every request; "4.2 on average" where they differ."""
    if calls["is_constant"]:
        return [count_words(value) for value in calls["mode"]]
    return [f"{count_words(value)} on average" for value in calls["mean"]]
