"""How long a rollback note may be trusted: after a look at it, and after a rehearsal. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile

# Long enough that a weekly look finds it in time.
SOON = timedelta(days=14)


class Freshness(StrEnum):
    NOT_REVIEWED = "not reviewed"
    OUT_OF_DATE = "out of date"
    RUNS_OUT_SOON = "runs out soon"
    FRESH = "fresh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ages:
    """How long a check lasts: of the services a company cannot work without, and of others."""

    tier_1: timedelta = timedelta(days=30)
    others: timedelta = timedelta(days=90)


def fresh_until(checked_at: datetime | None, *, tier: int, ages: Ages) -> datetime | None:
    """When a note runs out; None: nobody has reviewed it."""
    if checked_at is None:
        return None
    return checked_at + (ages.tier_1 if tier == 1 else ages.others)


def freshness(until: datetime | None, *, now: datetime) -> Freshness:
    """`until` is when it runs out, as `fresh_until` says; at that moment it is out of date."""
    if until is None:
        return Freshness.NOT_REVIEWED
    if now >= until:
        return Freshness.OUT_OF_DATE
    return Freshness.RUNS_OUT_SOON if until - now <= SOON else Freshness.FRESH


def steps_digest(steps: Sequence[Mapping[str, str]]) -> str:
    """SHA-256 of what is done and run, in hexadecimal: what a rehearsal is bound to."""
    gone = [[step.get("do", ""), step.get("run", "")] for step in steps]
    return hashlib.sha256(json.dumps(gone).encode()).hexdigest()


class Rehearsed(StrEnum):
    """The word of a note's rehearsals. Only FRESH says that the way back was gone and works."""

    FRESH = "fresh"
    NEVER = "never"
    FAILED = "failed"
    STEPS_CHANGED = "steps changed"
    NEW_MIGRATIONS = "new migrations"
    TOO_OLD = "too old"


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalSeen:
    """A row of Rehearsal as the rules read it."""

    rehearsal_id: int
    at: datetime
    steps_digest: str
    migrations: tuple[str, ...] = ()
    worked: bool
    seconds: int = 0
    environment: str = ""
    # "": it was rehearsed for no release by name.
    release: str = ""
    # The number of the version of the note.
    version: int = 0
    by: str = ""
    # One a step: "worked", "failed" or "left out".
    outcomes: tuple[str, ...] = ()

    @property
    def failed_steps(self) -> tuple[int, ...]:
        """Their numbers, from 1."""
        return tuple(number for number, one in enumerate(self.outcomes, 1) if one == "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalState:
    """What a note's rehearsals are worth for these steps and these migrations."""

    word: Rehearsed
    # The one that the word is about; None: never.
    rehearsal: RehearsalSeen | None = None
    # When it runs out, or ran out. None: there is nothing that could.
    until: datetime | None = None
    # Migrations that were not gone back over.
    new_migrations: tuple[str, ...] = ()

    @property
    def is_fresh(self) -> bool:
        return self.word is Rehearsed.FRESH

    def runs_out_soon(self, *, now: datetime) -> bool:
        return self.is_fresh and self.until is not None and self.until - now <= SOON


NEVER = RehearsalState(word=Rehearsed.NEVER)


def rehearsal_state(
    rehearsals: Sequence[RehearsalSeen],
    *,
    digest: str,
    migrations: Sequence[str] = (),
    lasts: timedelta,
    now: datetime,
) -> RehearsalState:
    """Judge all rehearsals of one note, in any order, for steps of this digest and the migrations
    of a release.

    One of the same steps counts, whichever version it was made of. One that failed later takes
    back those before it. `lasts` counts from when it was gone; at that moment it is too old.
    """
    if not rehearsals:
        return NEVER
    newest_first = sorted(rehearsals, key=lambda one: (one.at, one.rehearsal_id), reverse=True)
    same = [one for one in newest_first if one.steps_digest == digest]
    if not same:
        return RehearsalState(word=Rehearsed.STEPS_CHANGED, rehearsal=newest_first[0])
    if not same[0].worked:
        return RehearsalState(word=Rehearsed.FAILED, rehearsal=same[0])
    return _of_worked(_until_a_failure(same), migrations, lasts=lasts, now=now)


def _until_a_failure(newest_first: Sequence[RehearsalSeen]) -> list[RehearsalSeen]:
    return list(takewhile(lambda one: one.worked, newest_first))


def _of_worked(
    worked: Sequence[RehearsalSeen], migrations: Sequence[str], *, lasts: timedelta, now: datetime
) -> RehearsalState:
    covering = [one for one in worked if set(migrations) <= set(one.migrations)]
    if not covering:
        new = tuple(name for name in migrations if name not in worked[0].migrations)
        return RehearsalState(
            word=Rehearsed.NEW_MIGRATIONS, rehearsal=worked[0], new_migrations=new
        )
    until = covering[0].at + lasts
    word = Rehearsed.TOO_OLD if now >= until else Rehearsed.FRESH
    return RehearsalState(word=word, rehearsal=covering[0], until=until)
