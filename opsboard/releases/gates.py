"""The gates that programs answer: by the newest evidence, bound to what it must be bound to. Pure.

What was not met stays so until newer evidence: age or another root never makes a failure better.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from opsboard.releases.asking import Asking
from opsboard.releases.bound import BOUND, Rule, is_root_observed, wrong_keys
from opsboard.releases.facts import EvidenceSeen
from opsboard.releases.rules import CONFIG, INTEGRATION, TAG, UNIT, GateState, Word
from opsboard.releases.saying import clock, counted, short, span

# An answer without counts shows nothing of these.
WITH_COUNTS = (UNIT, INTEGRATION)


def by_programs(ask: Asking) -> GateState:
    """The first rule that has an answer decides; without one the gate is met."""
    newest = newest_of(ask.facts.evidence, ask.gate)
    if newest is None:
        return _nothing(ask)
    rules: list[Rule] = [_other_commit, _not_passed, _counts]
    rules += [BOUND[ask.gate]] if ask.gate in BOUND else []
    for rule in (*rules, _too_old):
        if state := rule(ask, newest):
            return state
    out = _runs_out_at(ask, newest)
    return ask.told(Word.MET, _shown(ask, newest), newest, runs_out_at=out)


def newest_of(evidence: Sequence[EvidenceSeen], gate: str) -> EvidenceSeen | None:
    """The one that started last; of two at the same moment, the one that was stored last."""
    rows = [one for one in evidence if one.gate == gate]
    return max(rows, key=lambda one: (one.started_at, one.evidence_id), default=None)


def _nothing(ask: Asking) -> GateState:
    commit = short(ask.facts.release.commit)
    reason = f"Nothing was reported for {commit}: run it in CI."
    if ask.gate == TAG:
        tag = ask.facts.release.tag
        reason = f"Nobody reported where {tag} points." if tag else f"{commit} has no tag yet."
    elif ask.gate == CONFIG:
        reason = "The configuration of staging was not checked: run the config check there."
    return ask.state(Word.NO_EVIDENCE, reason, who=ask.facts.ci)


def _other_commit(ask: Asking, one: EvidenceSeen) -> GateState | None:
    commit = ask.facts.release.commit
    if one.commit.lower() == commit.lower():
        return None
    told, wanted = short(one.commit, commit), short(commit, one.commit)
    return ask.told(Word.OUT_OF_DATE, f"It was run on {told}, and the release is {wanted}.", one)


def _not_passed(ask: Asking, one: EvidenceSeen) -> GateState | None:
    if one.outcome == "passed":
        return None
    at = clock(one.answered_at, ask.now)
    if one.outcome == "running":
        return ask.told(Word.NO_EVIDENCE, f"Running since {at}.", one)
    if ask.gate == CONFIG and (wrong := wrong_keys(one)):
        return ask.told(Word.NOT_MET, wrong, one)
    code = "" if one.exit_code is None else f" with exit code {one.exit_code}"
    said = {
        "failed": f"{_failed(one)} at {at}{code}.",
        "error": f"It broke off at {at}{code}: run it again.",
        "skipped": f"It was skipped at {at}: what did not run shows nothing.",
        "inconclusive": f"It came to no result at {at}: run it again.",
    }
    reason = said.get(one.outcome, f"Its outcome {one.outcome} is not known.")
    return ask.told(Word.NOT_MET, reason, one)


def _failed(one: EvidenceSeen) -> str:
    failed, collected = _count(one, "failed"), _count(one, "collected")
    return f"{failed:,} of {collected:,} failed" if failed and collected else "It failed"


def _count(one: EvidenceSeen, name: str) -> int | None:
    """None: it was not told in a whole number."""
    count = one.counts.get(name)
    return count if isinstance(count, int) and not isinstance(count, bool) else None


def _counts(ask: Asking, one: EvidenceSeen) -> GateState | None:
    """A test gate is met by tests that ran; whatever gate reports failed ones is not met."""
    reason = ""
    collected, skipped = _count(one, "collected"), _count(one, "skipped") or 0
    if _count(one, "failed"):
        reason = f"{_failed(one)}, whatever its outcome says."
    elif ask.gate not in WITH_COUNTS:
        return None
    elif collected is None:
        reason = "It did not say how many tests ran: report the counts."
    elif collected <= 0:
        reason = "It collected 0 tests: nothing was shown."
    elif skipped >= collected or _count(one, "passed") == 0:
        reason = f"No test ran of {collected:,}: all were skipped."
    return ask.told(Word.NOT_MET, reason, one) if reason else None


def _too_old(ask: Asking, one: EvidenceSeen) -> GateState | None:
    lasts = _lasts(ask)
    if lasts is None or ask.now < one.aged_from + lasts:
        return None
    at = clock(one.aged_from, ask.now)
    reason = f"It was run at {at}, and lasts {span(lasts)}: run it again."
    return ask.told(Word.OUT_OF_DATE, reason, one, since=one.aged_from + lasts)


def _runs_out_at(ask: Asking, one: EvidenceSeen) -> datetime | None:
    lasts = _lasts(ask)
    return None if lasts is None else one.aged_from + lasts


def _lasts(ask: Asking) -> timedelta | None:
    """None: as long as it is bound to what it must be bound to."""
    chosen, ages = ask.facts.choices.get(ask.gate), ask.facts.ages
    if chosen and chosen.lasts is not None:
        return chosen.lasts
    if ask.gate == INTEGRATION:
        return ages.integration
    return ages.config if ask.gate == CONFIG and not is_root_observed(ask) else None


def _shown(ask: Asking, one: EvidenceSeen) -> str:
    """What a gate that is met was shown by."""
    if ask.gate == TAG:
        return f"{one.facts['tag']} points to {short(ask.facts.release.commit)}."
    if ask.gate == CONFIG:
        return "The configuration of staging keeps its rules."
    where = f" on {one.environment}" if one.environment else ""
    passed, skipped = _count(one, "passed"), _count(one, "skipped")
    if passed is None:
        return f"Passed{where}."
    return f"{counted(passed, 'test')} passed{where}{f', {skipped:,} skipped' if skipped else ''}."
