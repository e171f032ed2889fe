"""The verdict of a comparison on a terminal: two sentences, and the main figures."""

from collections.abc import Iterator
from math import exp

from opsboard.changes.rules.judged import Interval, Judged, Verdict
from opsboard.changes.words import About, say

# Those of `opsboard compare`.
EXIT_CODES: dict[Verdict, int] = {
    "improved": 0,
    "no_change": 0,
    "regressed": 1,
    "invalid": 4,
    "inconclusive": 6,
    "confounded": 8,
}


def text_of(judged: Judged, about: About) -> str:
    said = say(judged, about)
    figures = (f"  {line}" for line in _lines(judged))
    after = [one for one in (said.settle, *judged.get("notes", [])) if one]
    return "\n".join([f"{said.word}.", *said.sentences, *figures, *after])


def _lines(judged: Judged) -> Iterator[str]:
    before, after = judged["n"]
    yield f"{before:,} samples before, {after:,} after; changed: {', '.join(judged['changed'])}"
    if "error_rate" in judged:
        yield from _errors(judged)
    yield from _ratios(judged)
    yield from _mix(judged)
    yield from _db_calls(judged)


def _errors(judged: Judged) -> Iterator[str]:
    rates = judged["error_rate"]
    if rates["before"] or rates["after"]:
        low, high = rates["newcombe"]
        yield (
            f"wrong answers: {100 * rates['before']:.1f} % to {100 * rates['after']:.1f} %, "
            f"by {100 * low:+.1f} to {100 * high:+.1f} points"
        )


def _ratios(judged: Judged) -> Iterator[str]:
    if "adjusted" in judged:
        call = judged["adjusted_call"].replace("_", " ")
        level = judged.get("level", 95)
        yield f"like with like: {_times(judged['adjusted'])}, {level} %: {call}"
    if "pooled" in judged:
        call = judged["pooled_call"].replace("_", " ")
        yield f"all together: {_times(judged['pooled'])}, 95 %: {call}"
    for word, interval in judged.get("strata", {}).items():
        yield f"{word}: {_times(interval)}, 95 %"
    if "control" in judged:
        yield f"control path, taken out: {_times(judged['control'])}"


def _times(interval: Interval) -> str:
    ratio, low, high = (exp(min(one, 99.0)) for one in interval)
    return f"after is {ratio:.2f} x before ({low:.2f} to {high:.2f})"


def _mix(judged: Judged) -> Iterator[str]:
    if judged.get("mix_shifted"):
        for word, (moved, low, high) in judged["mix"].items():
            yield (
                f"share of {word}: {100 * moved:+.1f} points "
                f"({100 * low:+.1f} to {100 * high:+.1f})"
            )
    if "bridge" in judged:
        bridge = judged["bridge"]
        yield (
            f"mean: {bridge['before']:.1f} ms {_signed(bridge['mix'])} ms by the mix "
            f"{_signed(bridge['within'])} ms within = {bridge['after']:.1f} ms"
        )


def _signed(number: float) -> str:
    """Nothing is +0.0, never -0.0."""
    return f"{round(number, 1) + 0.0:+.1f}"


def _db_calls(judged: Judged) -> Iterator[str]:
    for word, calls in judged.get("db_calls", {}).items():
        if word != "all" and any(calls["mean"]):
            before, after = calls["mean"]
            exactly = "" if calls["is_constant"] else " in the mean"
            yield f"database calls per {word}: {before:.4g} to {after:.4g}{exactly}"
