"""What a verdict rests on: the sealed windows, what was done between them, what was declared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from opsboard.changes.clears import FirstAnswer
from opsboard.changes.models import Act, Burst, Change, Window
from opsboard.web.change_collecting import left_out_words
from opsboard.web.change_words import variables_words
from opsboard.web.words import counted, number, person_name

MODES = {
    Change.Mode.AS_IS: "as users ask",
    Change.Mode.HIT_AND_MISS: "hits and misses in turn",
    Change.Mode.MISSES: "misses only",
}
GUARDED = {
    "db calls": "Database calls",
    "time": "Response time",
    "p95": "p95 of the response time",
}


@dataclass(frozen=True, slots=True)
class WindowRow:
    window: Window
    side: str
    source: str
    left_out: str
    sealed_by: str


@dataclass(frozen=True, slots=True)
class ActRow:
    act: Act
    what: str
    by: str
    # "412 keys were cleared."; "": it is no clear.
    cleared: str
    # What came first after a clear; None: it is no clear.
    answer: FirstAnswer | None


@dataclass(frozen=True, slots=True)
class Declared:
    """One line of what was said beforehand: texts as they were written."""

    words: str
    texts: Sequence[str]
    is_code: bool = False


def window_rows(change: Change, windows: Iterable[Window]) -> list[WindowRow]:
    """The sealed ones, before first."""
    sealed = sorted(
        (one for one in windows if one.sealed_at), key=lambda one: one.side, reverse=True
    )
    return [
        WindowRow(
            window=one,
            side=one.side.capitalize(),
            source=source_words(change, one.bursts.all()),
            left_out=left_out_words(one.left_out),
            sealed_by=person_name(one.sealed_by) if one.sealed_by else "itself, when it ended",
        )
        for one in sealed
    ]


def source_words(change: Change, bursts: Iterable[Burst] = ()) -> str:
    """ "Probes", "A burst of 200 requests, hits and misses in turn"."""
    if change.sampling == Change.Sampling.PROBES:
        return "Probes"
    if change.sampling == Change.Sampling.SENT:
        return "Samples sent by a program"
    asked = [one.asked for one in bursts]
    mode = MODES[Change.Mode(change.mode)]
    if len(asked) > 1:
        return f"{len(asked)} bursts, {counted(sum(asked), 'sample')} in all, {mode}"
    wanted = asked[0] if asked else change.samples
    return f"A burst of {counted(wanted, 'request')}, {mode}"


def act_rows(acts: Iterable[Act], answers: Mapping[int, FirstAnswer]) -> list[ActRow]:
    return [
        ActRow(
            act,
            _what(act),
            act.by_name or person_name(act.by),
            _cleared(act),
            answers.get(act.pk),
        )
        for act in acts
    ]


def _what(act: Act) -> str:
    if act.kind == Act.Kind.APPLIED:
        return "Applied"
    return {
        Act.What.KEY: "Cleared one key",
        Act.What.PREFIX: "Cleared all keys of a prefix",
        Act.What.EVERYTHING: "Cleared everything",
    }.get(Act.What(act.what) if act.what else Act.What.KEY, "Cache cleared")


def _cleared(act: Act) -> str:
    if act.kind == Act.Kind.APPLIED:
        return ""
    if act.count is None:
        return "How many keys it cleared was not said."
    return f"{counted(act.count, 'key')} {'was' if act.count == 1 else 'were'} cleared."


def declared_rows(change: Change, paths: Mapping[str, str]) -> list[Declared]:
    """`paths`: the names of guarded paths by their slug."""
    rows = [
        Declared("Changed", [variables_words(change.variables)]),
        Declared("Measured by", [_metric(change)]),
        Declared("Margin", [_margin(change)]),
        Declared("Samples a side", [_samples(change)]),
        Declared("May not get worse", _guardrails(change, paths)),
        Declared("Control path", [change.control.name if change.control else "None was named"]),
        Declared("Assumed", change.assumptions or ["Nothing was written down"]),
        Declared("Commands", change.commands or ["None were written down"], bool(change.commands)),
        Declared("Commit", [change.commit or "None was named"], bool(change.commit)),
    ]
    if change.version:
        rows.append(Declared("Goes out with", [f"Release {change.version}"]))
    return rows


def _metric(change: Change) -> str:
    metric = Change.Metric(change.metric).label
    if change.aim == Change.Aim.KEEP:
        return f"{metric}, which is not to get worse"
    goal = f" by {change.goal:.0%}" if change.goal else ""
    return f"{metric}, which is to fall{goal}"


def _margin(change: Change) -> str:
    margin = f"A difference below {change.margin:.0%} says nothing"
    if change.equivalence is None:
        return margin
    return f"{margin}; no change is one within {change.equivalence:.0%}"


def _samples(change: Change) -> str:
    longest = f"{number(change.samples)}, within {counted(change.lasts, 'hour')}"
    seconds, samples = change.warm_up_seconds, change.warm_up_samples
    first = [f"{counted(seconds, 'second')} after it was applied"] if seconds else []
    first += [counted(samples, "sample")] if samples else []
    if not first:
        return f"{longest}. No warm-up is left out"
    more = ", whichever is more" if len(first) > 1 else ""
    return f"{longest}. The first {' or the first '.join(first)} are left out{more}"


def _guardrails(change: Change, paths: Mapping[str, str]) -> list[str]:
    named = [
        GUARDED.get(one) or paths.get(one.removeprefix("path:"), one.removeprefix("path:"))
        for one in change.guardrails
    ]
    return ["Wrong answers", *named]
