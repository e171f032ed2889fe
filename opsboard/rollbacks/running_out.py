"""What of a team runs out soon: looks at its notes and sheets, and rehearsals."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import FETCH_RAISE

from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.newest import newest_versions
from opsboard.rollbacks.rehearsing import rehearsals_of, state_of
from opsboard.rollbacks.rules import SOON, Ages, fresh_until
from opsboard.services.models import CriticalPath

type RunningOut = Mapping[int, list[RunsOut]]


@dataclass(frozen=True, slots=True, order=True)
class RunsOut:
    """One thing that is good until a moment, and out of date from then on."""

    until: datetime
    # "Rollback note", "Rehearsal", "Sheet", "Lint of 2026.11.4".
    what: str
    # "Fares API", "Price a crossing, Fares API".
    whose: str
    # Below the address of the board: "/services/fares-api/rollback-note".
    address: str


def ages() -> Ages:
    return Ages(
        tier_1=timedelta(days=settings.NOTE_LASTS_DAYS_TIER_1),
        others=timedelta(days=settings.NOTE_LASTS_DAYS),
    )


def running_out(team_ids: Collection[int], *, now: datetime) -> dict[int, list[RunsOut]]:
    """By team, the first to run out first: what does within 14 days. Three queries.

    What is out of date already is none: the pages say it all the time.
    """
    found: dict[int, list[RunsOut]] = defaultdict(list)
    for team, one in [*_notes(team_ids, now), *_sheets(team_ids, now)]:
        if now < one.until <= now + SOON:
            found[team].append(one)
    return {team: sorted(rows) for team, rows in found.items()}


def _notes(team_ids: Collection[int], now: datetime) -> Iterator[tuple[int, RunsOut]]:
    versions = [one for one in _in_use() if _team(one) in team_ids]
    rehearsals = rehearsals_of([one.note_id for one in versions])
    for version in versions:
        note = version.note
        below = f"/{note.path.slug}" if note.path else ""
        address = f"/services/{note.service.slug}{below}/rollback-note"
        whose = f"{note.path.name}, {note.service.name}" if note.path else note.service.name
        until = fresh_until(version.checked_at, tier=note.service.tier, ages=ages())
        if until is not None:
            yield _team(version), RunsOut(until, "Rollback note", whose, address)
        state = state_of(version, rehearsals[version.note_id], now=now)
        if state.is_fresh and state.until is not None:
            yield _team(version), RunsOut(state.until, "Rehearsal", whose, address)


def _in_use() -> Iterator[NoteVersion]:
    standing = newest_versions().filter(note__service__removed_at=None, note__path__removed_at=None)
    read = standing.select_related("note__service", "note__path").fetch_mode(FETCH_RAISE)
    return read.defer("use_when", "does_not_undo").iterator(chunk_size=500)


def _team(version: NoteVersion) -> int:
    """Who looks after it: the owner of its path, else the team of its service."""
    path = version.note.path
    return (path.owner_id if path else None) or version.note.service.team_id


def _sheets(team_ids: Collection[int], now: datetime) -> Iterator[tuple[int, RunsOut]]:
    lasts = timedelta(days=settings.SHEET_LASTS_DAYS)
    due = CriticalPath.objects.standing().filter(
        service__removed_at=None, checked_at__gt=now - lasts, checked_at__lte=now - lasts + SOON
    )
    for path in due.select_related("service").fetch_mode(FETCH_RAISE):
        team = path.owner_id or path.service.team_id
        if path.checked_at is not None and team in team_ids:
            address = f"/services/{path.service.slug}/{path.slug}"
            whose = f"{path.name}, {path.service.name}"
            yield team, RunsOut(path.checked_at + lasts, "Sheet", whose, address)
