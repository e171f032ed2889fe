"""Whether a rollback note may be trusted, in the words and with the mark of the pages."""

from dataclasses import dataclass
from datetime import datetime

from opsboard.rollbacks.ages import note_ages
from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.rules import Freshness, fresh_until, freshness
from opsboard.web.words import day


@dataclass(frozen=True, slots=True)
class Trust:
    freshness: Freshness
    # When it runs out; None: nobody has reviewed it.
    until: datetime | None
    words: str
    # Its mark, and the state whose colour that takes.
    mark: str
    css: str


def trust_of(version: NoteVersion, *, tier: int, now: datetime) -> Trust:
    until = fresh_until(version.checked_at, tier=tier, ages=note_ages())
    stands = freshness(until, now=now)
    if until is None:
        return Trust(stands, until, "Not reviewed yet", "none", "nodata")
    if stands is Freshness.OUT_OF_DATE:
        return Trust(stands, until, f"Out of date since {day(until, now)}", "old", "warn")
    return Trust(stands, until, f"Fresh until {day(until, now)}", "met", "pass")
