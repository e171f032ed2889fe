"""The gates of the changes in a release: a sealed baseline, and a verdict as it was meant. Pure.

Every change has to pass. Without one, nothing was shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opsboard.releases.asking import Asking
from opsboard.releases.facts import ChangeSeen
from opsboard.releases.rules import GateState, Word
from opsboard.releases.saying import clock, counted, named, span

# The verdicts that an aim is reached by. One that is not known has to improve.
MEANT = {"improve": ("improved",), "keep": ("improved", "no_change")}
# The worst decides, and of several as bad the first.
_ORDER = (Word.NOT_MET, Word.NO_EVIDENCE, Word.OUT_OF_DATE, Word.MET)


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one change."""

    word: Word
    reason: str
    at: datetime | None = None
    runs_out_at: datetime | None = None


def baseline(ask: Asking) -> GateState:
    changes = [one for one in ask.facts.changes if one.is_standing]
    return _of_all(ask, [(one, _sealed(ask, one)) for one in changes], "All baselines are sealed")


def verified(ask: Asking) -> GateState:
    """One that does not stand any more cannot help, and can be in the way."""
    answers = [(one, _judged(one)) for one in ask.facts.changes]
    counted = [(one, said) for one, said in answers if one.is_standing or said.word != Word.MET]
    return _of_all(ask, counted, "All changes are verified")


def _of_all(ask: Asking, found: Sequence[tuple[ChangeSeen, Answer]], all_of_them: str) -> GateState:
    answers = [said for _, said in found]
    if not found:
        reason = "No change was measured for this release: declare one with its version or commit."
        return ask.state(Word.NO_EVIDENCE, reason)
    worst = min(answers, key=lambda one: _ORDER.index(one.word))
    newest = max((one.at for one in answers if one.at), default=None)
    names = named([str(one) for one, _ in found])
    if worst.word is not Word.MET:
        return ask.state(
            worst.word,
            _and_others(worst.reason, sum(one.word is not Word.MET for one in answers) - 1),
            since=worst.at,
            answered_at=newest,
            source=names,
        )
    return ask.state(
        Word.MET,
        worst.reason if len(answers) == 1 else f"{all_of_them}: {names}.",
        since=newest,
        runs_out_at=min((one.runs_out_at for one in answers if one.runs_out_at), default=None),
        answered_at=newest,
        source=names,
    )


def _and_others(reason: str, others: int) -> str:
    if not others:
        return reason
    are = "is" if others == 1 else "are"
    return f"{reason.removesuffix('.')}, and {counted(others, 'change')} more {are} not there."


def _sealed(ask: Asking, change: ChangeSeen) -> Answer:
    if change.attempt == 0:
        return Answer(Word.NO_EVIDENCE, f"{change} has no baseline yet: open it.")
    if change.is_given_up:
        return _given_up(change)
    sealed, lasts = change.sealed_at, ask.facts.ages.baseline
    if sealed is None:
        return Answer(Word.NO_EVIDENCE, f"The baseline of {change} is {_collecting(change)}.")
    at = clock(sealed, ask.now)
    if change.applied_at is not None and change.applied_at < sealed:
        return Answer(Word.NOT_MET, f"{change} was applied before its baseline was sealed.", sealed)
    until = (change.measured_at or sealed) + lasts
    if change.applied_at > until if change.applied_at else ask.now >= until:
        reason = f"The baseline of {change} was sealed at {at}, and lasts {span(lasts)}: repeat it."
        return Answer(Word.OUT_OF_DATE, reason, until)
    ends = None if change.applied_at else until
    return Answer(Word.MET, f"The baseline of {change} was sealed at {at}.", sealed, ends)


def _judged(change: ChangeSeen) -> Answer:
    if change.attempt == 0:
        return Answer(Word.NO_EVIDENCE, f"{change} was not measured yet: open its baseline.")
    if change.is_given_up:
        return _given_up(change)
    if not change.verdict:
        return Answer(Word.NO_EVIDENCE, _on_its_way(change))
    if change.verdict in MEANT.get(change.aim, MEANT["improve"]):
        did = "improved" if change.verdict == "improved" else "did not get worse"
        return Answer(Word.MET, f"{change} {did}{_at_attempt(change)}.", change.judged_at)
    words = change.verdict.replace("_", " ") + _at_attempt(change)
    because = change.because or f"it was meant to {change.aim}."
    return Answer(Word.NOT_MET, f"{change}, {words}: {because}", change.judged_at)


def _at_attempt(change: ChangeSeen) -> str:
    """A second try is said to be one: of many, luck makes one look well."""
    return f" at attempt {change.attempt}" if change.attempt > 1 else ""


def _given_up(change: ChangeSeen) -> Answer:
    reason = f"Attempt {change.attempt} of {change} was given up: repeat it."
    if not change.is_standing:
        reason = f"{change} was applied before, and let go without a verdict."
    return Answer(Word.NO_EVIDENCE, reason)


def _on_its_way(change: ChangeSeen) -> str:
    if change.sealed_at is None:
        return f"The baseline of {change} is {_collecting(change)}."
    if change.applied_at is None:
        return f"The baseline of {change} is sealed, and it was not applied yet."
    if change.collected_at is None:
        return f"{change} is {_collecting(change)}."
    return f"{change} is being judged."


def _collecting(change: ChangeSeen) -> str:
    if change.collected is None:
        return f"collecting up to {change.samples:,} samples"
    return f"collecting, {min(change.collected, change.samples):,} of {change.samples:,}"
