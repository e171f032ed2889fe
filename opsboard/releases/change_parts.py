"""What a change is told by, in its own record and in that of a release it went out with."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from opsboard.changes.models import Act, Change, Comparison, Window
from opsboard.changes.telling import said_of
from opsboard.releases import record_parts as parts
from opsboard.releases.models import Release
from opsboard.releases.of_changes import of_release
from opsboard.releases.record import NOT_RECORDED, Fact, Facts, moment

CHANGES, ATTEMPTS = 50, 100
# Told elsewhere, or only for a drawing.
_LEFT_OUT = ("bars", "times", "db_calls", "verdict", "reason", "n", "notes", "settle")
_BOUNDS = ("newcombe", "robust")


def attempts_of(change: Change, *, as_of: datetime) -> list[Comparison]:
    """Begun by then, oldest first."""
    rows = change.comparisons.filter(began_at__lte=as_of).select_related(
        "began_by", "change__path", "change__environment", "change__control"
    )
    found = rows.prefetch_related("windows__sealed_by", "acts__by").order_by("number")
    return list(found[:ATTEMPTS])


def is_judged(attempt: Comparison, *, as_of: datetime) -> bool:
    return attempt.judged_at is not None and attempt.judged_at <= as_of


def verdict_facts(attempt: Comparison, *, as_of: datetime) -> Facts | str:
    """The words, and every figure behind them. Until it is judged there is none."""
    said = said_of(attempt) if is_judged(attempt, as_of=as_of) else None
    if said is None:
        return NOT_RECORDED
    return {
        "verdict": attempt.verdict,
        "reason": attempt.reason,
        "judged_at": moment(attempt.judged_at),
        "sentences": list(said.sentences),
        "reasons": list(said.reasons[2:]),
        "what_would_settle_it": said.settle or "nothing is left to settle",
        "how_to_read": "Ratios are natural logarithms of after over before: -0.41 is 34% less.",
        "figures": {
            key: _readable(key, value)
            for key, value in attempt.result.items()
            if key not in _LEFT_OUT
        },
    }


def side_facts(attempt: Comparison, side: str, *, as_of: datetime) -> Facts | str:
    """A sealed window; and, once they are judged, what its samples came to."""
    window = next((one for one in attempt.windows.all() if one.side == side), None)
    if window is None or window.sealed_at is None or window.sealed_at > as_of:
        return NOT_RECORDED
    facts: dict[str, Fact] = {
        "samples": window.count,
        "from": moment(window.starts_at),
        "until": moment(window.ended_at),
        "left_out": dict(window.left_out) or "none",
        "sealed_at": moment(window.sealed_at),
        "sealed_by": parts.name_of(window.sealed_by) if window.sealed_by else "Opsboard",
        "sha256": window.sha256,
    }
    if is_judged(attempt, as_of=as_of):
        facts |= _figures(attempt.result, place=0 if side == Window.Side.BEFORE else 1)
    return facts


def act_facts(acts: Iterable[Act], *, as_of: datetime) -> list[Facts]:
    """What was done, as it was told, oldest first."""
    done = sorted((one for one in acts if one.at <= as_of), key=lambda one: (one.at, one.pk))
    return [_act(one) for one in done]


def _act(one: Act) -> Facts:
    facts: dict[str, Fact] = {
        "act": one.get_kind_display(),
        "at": moment(one.at),
        "by": parts.name_of(one.by, one.by_name),
        "command": one.command,
        "exit_code": one.exit_code,
        "remark": one.remark,
    }
    if one.kind == Act.Kind.CLEARED:
        what = one.get_what_display() if one.what else NOT_RECORDED
        facts |= {"cleared": what, "pattern": one.pattern, "count": one.count}
    return facts


# Of the changes of a release ---------------------------------------------------------------


def of_the_changes(release: Release | None, *, as_of: datetime) -> Facts:
    """The newest attempt of each change that goes out with it, by part of the record."""
    if release is None:
        return parts.OF_A_CHANGE
    changes = of_release(release).filter(declared_at__lte=as_of).for_pages().order_by("pk")
    found: dict[str, list[Fact]] = {key: [] for key in parts.OF_A_CHANGE}
    for change in changes[:CHANGES]:
        attempts = attempts_of(change, as_of=as_of)
        newest = attempts[-1] if attempts else None
        told = _told(newest, as_of=as_of) if newest else {}
        for key, rows in found.items():
            rows.append(_named(change, newest, told.get(key, NOT_RECORDED)))
    return {key: rows or NOT_RECORDED for key, rows in found.items()}


def _told(attempt: Comparison, *, as_of: datetime) -> dict[str, Facts | str]:
    return {
        "baseline": side_facts(attempt, Window.Side.BEFORE, as_of=as_of),
        "after": side_facts(attempt, Window.Side.AFTER, as_of=as_of),
        "change_verdict": verdict_facts(attempt, as_of=as_of),
    }


def _named(change: Change, attempt: Comparison | None, value: Facts | str) -> Facts:
    return {
        "title": f"{change}: {change.title}",
        "attempt": attempt.number if attempt else None,
        **(value if isinstance(value, Mapping) else {"figures": value}),
    }


# Figures -----------------------------------------------------------------------------------


def _figures(result: Mapping[str, Any], *, place: int) -> dict[str, Fact]:
    rates = result.get("error_rate") or {}
    return {
        "wrong_answers_share": rates.get(("before", "after")[place]),
        "by_cache_result": {
            stratum: {
                name: _at(times.get(key), place)
                for name, key in (
                    ("samples", "n"),
                    ("share", "share"),
                    ("mean_ms", "mean"),
                    ("median_ms", "median"),
                    ("p95_ms", "p95"),
                )
            }
            for stratum, times in (result.get("times") or {}).items()
        },
        "db_calls": {
            stratum: {name: _at(calls.get(name), place) for name in ("mean", "most", "mode")}
            for stratum, calls in (result.get("db_calls") or {}).items()
        },
    }


def _at(pair: Any, place: int) -> Fact:
    is_pair = isinstance(pair, list) and len(pair) == 2
    return pair[place] if is_pair else None


def _readable(key: str, value: Any) -> Fact:
    """Intervals and sides by name, so that nobody has to know the order."""
    if isinstance(value, dict):
        return {name: _readable(name, one) for name, one in value.items()}
    if isinstance(value, list) and all(isinstance(one, (int, float)) for one in value):
        if len(value) == 3:
            return dict(zip(("estimate", "low", "high"), value, strict=True))
        if len(value) == 2:
            names = ("low", "high") if key in _BOUNDS else ("before", "after")
            return dict(zip(names, value, strict=True))
    if isinstance(value, list):
        return [_readable(key, one) for one in value]
    return value if isinstance(value, (str, int, float, bool)) else None
