"""Whether the critical paths are green on staging, on the commit of the release. Pure.

Only what was observed while staging told this commit counts. Silence is never green, and while a
path is silent its green time does not grow.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from opsboard.releases.asking import Asking
from opsboard.releases.bound import other, unknown
from opsboard.releases.facts import FAILING, GREEN, PathSeen
from opsboard.releases.rules import GateState, Word
from opsboard.releases.saying import clock, counted, named, span

INTERVALS = 2
PROBES = "probes"


def paths(ask: Asking) -> GateState:
    place = ask.facts.staging
    if place is None:
        reason = f"{ask.facts.service.slug} has no staging environment."
        return ask.state(Word.NO_EVIDENCE, reason)
    if not place.is_known(ask.now, ask.facts.ages):
        return ask.state(Word.NO_EVIDENCE, unknown(place, ask.now))
    if not place.runs(ask.facts.release.commit):
        reason = f"{other(ask, place)}: deploy it there."
        return ask.state(Word.NO_EVIDENCE, reason, since=place.commit_since)
    if not ask.facts.paths:
        return ask.state(Word.NO_EVIDENCE, "No critical path is asked on staging: add one.")
    return _on_this_commit(ask)


def _on_this_commit(ask: Asking) -> GateState:
    """The worst first, so that nothing bad that is added makes the answer better."""
    seen, now = ask.facts.paths, ask.now
    if failing := [one for one in seen if one.first_seen_at and one.state == FAILING]:
        return _failing(ask, failing)
    if paused := [one for one in seen if one.is_paused]:
        reason = f"{_names(paused)} {_is(paused)} paused on staging: resume it."
        return ask.state(Word.NO_EVIDENCE, reason)
    if unseen := [one for one in seen if not one.first_seen_at or one.state not in GREEN]:
        reason = f"{_names(unseen)} {_has(unseen)} not been observed on this commit yet."
        return ask.state(Word.NO_EVIDENCE, reason, source=PROBES)
    if min(_green_for(one, now) for one in seen) < ask.facts.ages.green_for:
        return _too_short(ask)
    if silent := [one for one in seen if now >= _silent_at(one)]:
        since = min(_silent_at(one) for one in silent)
        reason = f"{_names(silent)} {_has(silent)} not been observed for {INTERVALS} intervals."
        return ask.state(Word.OUT_OF_DATE, reason, since=since, source=PROBES)
    return _met(ask)


def _failing(ask: Asking, failing: list[PathSeen]) -> GateState:
    first = failing[0]
    since = min(one.since for one in failing)
    why = f": {first.reason.rstrip('.')}" if first.reason else ""
    reason = f"{_names(failing)} {_is(failing)} failing since {clock(since, ask.now)}{why}."
    return ask.state(
        Word.NOT_MET, reason, since=since, answered_at=first.observed_at, source=PROBES
    )


def _too_short(ask: Asking) -> GateState:
    since = max(_green_since(one) for one in ask.facts.paths)
    reason = (
        f"{_green_of(ask)} since {clock(since, ask.now)}; "
        f"{span(ask.facts.ages.green_for)} are needed.{_warned(ask)}"
    )
    return ask.state(Word.NO_EVIDENCE, reason, since=since, source=PROBES)


def _met(ask: Asking) -> GateState:
    since = max(_green_since(one) for one in ask.facts.paths)
    reason = f"{_green_of(ask)} since {clock(since, ask.now)}, on this commit.{_warned(ask)}"
    newest = max(one.observed_at for one in ask.facts.paths if one.observed_at)
    became = since + ask.facts.ages.green_for
    return ask.state(Word.MET, reason, since=became, answered_at=newest, source=PROBES)


def _green_of(ask: Asking) -> str:
    number = len(ask.facts.paths)
    has = "has" if number == 1 else "have"
    return f"{number:,} of {counted(number, 'path')} {has} passed on staging"


def _warned(ask: Asking) -> str:
    """A warning does not block, and is named."""
    warned = [one for one in ask.facts.paths if one.state == "warning"]
    return f" With a warning: {_names(warned)}." if warned else ""


def _green_since(one: PathSeen) -> datetime:
    return max(one.since, one.first_seen_at) if one.first_seen_at else one.since


def _green_for(one: PathSeen, now: datetime) -> timedelta:
    heard = one.observed_at or _green_since(one)
    until = now if now < _silent_at(one) else heard
    return until - _green_since(one)


def _silent_at(one: PathSeen) -> datetime:
    """Two intervals after the newest observation, its standing shows nothing any more."""
    return (one.observed_at or one.since) + INTERVALS * one.interval


def _names(some: Iterable[PathSeen]) -> str:
    return named([one.name for one in some])


def _is(some: list[PathSeen]) -> str:
    return "is" if len(some) == 1 else "are"


def _has(some: list[PathSeen]) -> str:
    return "has" if len(some) == 1 else "have"
