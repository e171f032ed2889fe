"""The gates that Opsboard answers: the note, its rehearsal, and what a team may add. Pure."""

from opsboard.releases.asking import Asking
from opsboard.releases.change_gates import baseline, verified
from opsboard.releases.rules import (
    BASELINE,
    EXPECTED,
    INCIDENT,
    NOTE,
    OWNER,
    PATHS,
    REHEARSAL,
    VERIFIED,
    GateState,
    Word,
)
from opsboard.releases.saying import clock, named, span
from opsboard.releases.staging import paths
from opsboard.rollbacks.rules import (
    Freshness,
    RehearsalState,
    Rehearsed,
    fresh_until,
    freshness,
    rehearsal_state,
)


def note(ask: Asking) -> GateState:
    """Never overridden when there is none: there would be no way back."""
    seen = ask.facts.note
    if seen is None:
        reason = "There is no rollback note: write one."
        return ask.state(Word.NOT_MET, reason, is_overridable=False)
    until = fresh_until(seen.checked_at, tier=ask.facts.service.tier, ages=ask.facts.ages.note)
    chosen = ask.facts.choices.get(NOTE)
    if chosen and chosen.lasts is not None and seen.checked_at:
        until = seen.checked_at + chosen.lasts
    if seen.checked_at is None or until is None:
        reason = f"Version {seen.number} was reviewed by nobody: read it, and say it is still true."
        return ask.state(Word.NO_EVIDENCE, reason)
    at = clock(seen.checked_at, ask.now)
    if freshness(until, now=ask.now) is Freshness.OUT_OF_DATE:
        reason = f"Version {seen.number} was checked {at}, and ran out: say it is still true."
        return ask.state(
            Word.OUT_OF_DATE,
            reason,
            since=until,
            answered_at=seen.checked_at,
            source=seen.checked_by,
        )
    return ask.state(
        Word.MET,
        f"Version {seen.number}, checked {at}. Fresh until {clock(until, ask.now)}.",
        since=seen.checked_at,
        runs_out_at=until,
        answered_at=seen.checked_at,
        source=seen.checked_by,
    )


_REHEARSED = {
    Rehearsed.NEVER: Word.NO_EVIDENCE,
    Rehearsed.FAILED: Word.NOT_MET,
    Rehearsed.STEPS_CHANGED: Word.OUT_OF_DATE,
    Rehearsed.NEW_MIGRATIONS: Word.OUT_OF_DATE,
    Rehearsed.TOO_OLD: Word.OUT_OF_DATE,
    Rehearsed.FRESH: Word.MET,
}


def rehearsal(ask: Asking) -> GateState:
    if ask.facts.note is None:
        return ask.state(Word.NO_EVIDENCE, "There is no rollback note to rehearse: write one.")
    chosen = ask.facts.choices.get(REHEARSAL)
    lasts = chosen.lasts if chosen and chosen.lasts is not None else ask.facts.ages.rehearsal
    found = rehearsal_state(
        ask.facts.rehearsals,
        digest=ask.facts.note.steps_digest,
        migrations=ask.facts.release.migrations,
        lasts=lasts,
        now=ask.now,
    )
    seen = found.rehearsal
    since = found.until if found.word is Rehearsed.TOO_OLD else seen.at if seen else None
    return ask.state(
        _REHEARSED[found.word],
        _said_of_rehearsal(ask, found, span(lasts)),
        since=since,
        runs_out_at=found.until,
        answered_at=seen.at if seen else None,
        source=seen.by if seen else "",
    )


def _said_of_rehearsal(ask: Asking, found: RehearsalState, lasts: str) -> str:
    if found.rehearsal is None:
        return "The rollback was never rehearsed: go through it once on staging."
    at = clock(found.rehearsal.at, ask.now)
    new = named(found.new_migrations)
    migrations = f"migration{'s' if len(found.new_migrations) > 1 else ''}"
    where = f" on {found.rehearsal.environment}" if found.rehearsal.environment else ""
    return {
        Rehearsed.FAILED: f"The rehearsal of {at} failed: mend the steps, and rehearse again.",
        Rehearsed.STEPS_CHANGED: f"The steps have changed since the rehearsal of {at}: "
        "rehearse again.",
        Rehearsed.NEW_MIGRATIONS: f"This release adds {migrations} {new}, which the rehearsal of "
        f"{at} did not go back over: rehearse again.",
        Rehearsed.TOO_OLD: f"The rehearsal of {at} is older than {lasts}: rehearse again.",
    }.get(found.word, f"Rehearsed at {at}{where}, in {_length(found.rehearsal.seconds)}.")


def _length(seconds: int) -> str:
    return f"{seconds} s" if seconds < 60 else f"{round(seconds / 60)} min"


def owner(ask: Asking) -> GateState:
    duty = ask.facts.duty
    if duty is None:
        reason = f"{ask.team} has no rota, so nobody is known to be on duty: plan one."
        return ask.state(Word.NO_EVIDENCE, reason)
    if not duty.person:
        return ask.state(Word.NOT_MET, f"By the rota of {ask.team} nobody is on duty now.")
    return ask.state(Word.MET, f"{duty.person} is on duty.", answered_at=ask.now, source="rota")


def expected(ask: Asking) -> GateState:
    service = ask.facts.service
    if not service.has_paths:
        return ask.state(Word.NO_EVIDENCE, f"{service.slug} has no critical path: add one.")
    if service.unwritten_path:
        reason = f"{service.unwritten_path} has no expected result: write it."
        return ask.state(Word.NOT_MET, reason)
    reason = "Every critical path has an expected result."
    return ask.state(Word.MET, reason, answered_at=ask.now, source="sheets")


def incident(ask: Asking) -> GateState:
    one = ask.facts.service.incident
    if one is None:
        reason = f"{ask.facts.service.slug} has no open incident."
        return ask.state(Word.MET, reason, answered_at=ask.now, source="incidents")
    reason = f"INC-{one.number:04d} is open since {clock(one.opened_at, ask.now)}: {one.title}"
    return ask.state(Word.NOT_MET, reason, since=one.opened_at)


OWN = {
    PATHS: paths,
    NOTE: note,
    REHEARSAL: rehearsal,
    OWNER: owner,
    EXPECTED: expected,
    INCIDENT: incident,
    BASELINE: baseline,
    VERIFIED: verified,
}
