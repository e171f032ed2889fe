"""Rehearsals: the way back was gone once to see whether it works. Written down, never altered."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from opsboard.people.audit import Actor, record
from opsboard.rollbacks.models import NoteVersion, Rehearsal
from opsboard.rollbacks.rules import RehearsalSeen, RehearsalState, rehearsal_state, steps_digest

WORKED, FAILED, LEFT_OUT = "worked", "failed", "left out"
OUTCOMES = (WORKED, FAILED, LEFT_OUT)
LONGEST = timedelta(days=7)
LONGEST_REMARK = 4_000
MOST_MIGRATIONS = 200
# Of one note: older ones say nothing that these do not.
MOST_READ = 50


class Refused(Exception):
    """Nothing was written. The message says why, and what to do."""


def rehearse(
    version: NoteVersion,
    *,
    environment_slug: str,
    release: str = "",
    migrations: Sequence[str] = (),
    at: datetime,
    seconds: int,
    outcomes: Sequence[Mapping[str, str]],
    remark: str = "",
    by: Actor,
    now: datetime,
) -> Rehearsal:
    """Write that the steps of `version` were gone, begun at `at`. Raises Refused.

    `outcomes` is one a step, in their order: {"outcome": "worked" | "failed" | "left out",
    "remark": ""}. It worked only when no step failed and one at least worked.
    """
    if wrong := _wrong(version, environment_slug, at, seconds, outcomes, now):
        raise Refused(wrong)
    if len(remark) > LONGEST_REMARK or len(migrations) > MOST_MIGRATIONS:
        raise Refused(
            f"A rehearsal has at most {LONGEST_REMARK:,} characters of remarks and "
            f"{MOST_MIGRATIONS} migrations."
        )
    with transaction.atomic():
        one = Rehearsal.objects.create(
            version=version,
            environment_slug=environment_slug,
            release=release,
            migrations=list(migrations),
            steps_digest=steps_digest(version.steps),
            at=at,
            seconds=seconds,
            outcomes=[_kept(outcome) for outcome in outcomes],
            worked=_worked(outcomes),
            remark=remark,
            by=by.person,
            by_name="" if by.person else by.name[:120],
        )
        record(by, "rehearsed", "rollback note", subject_of(version), now=now, after=_facts(one))
    return one


def _wrong(
    version: NoteVersion,
    environment_slug: str,
    at: datetime,
    seconds: int,
    outcomes: Sequence[Mapping[str, str]],
    now: datetime,
) -> str:
    """One sentence; "": it can be written."""
    steps = len(version.steps)
    environments = version.note.service.environments.filter(removed_at=None)
    if not environments.filter(slug=environment_slug).exists():
        return f"{version.note.service.name} has no environment {environment_slug}."
    if at > now:
        return "A rehearsal is written down after it was gone: say when it was started."
    if not 0 < seconds <= LONGEST.total_seconds():
        return "A rehearsal takes between 1 second and 7 days."
    if at + timedelta(seconds=seconds) > now + timedelta(minutes=1):
        return "This rehearsal would not be over yet: check when it was started and how long."
    if len(outcomes) != steps:
        return (
            f"Say of each of the {steps} steps whether it worked: this says it of {len(outcomes)}."
        )
    return _wrong_outcome(outcomes)


def _wrong_outcome(outcomes: Sequence[Mapping[str, str]]) -> str:
    for number, one in enumerate(outcomes, 1):
        if one.get("outcome") not in OUTCOMES:
            return f"Step {number} worked, failed or was left out: say which."
        if len(one.get("remark", "")) > LONGEST_REMARK:
            return f"The remark of step {number} is longer than {LONGEST_REMARK:,} characters."
    if all(one["outcome"] == LEFT_OUT for one in outcomes):
        return "Every step was left out: then nothing was rehearsed."
    return ""


def _worked(outcomes: Sequence[Mapping[str, str]]) -> bool:
    return all(one["outcome"] != FAILED for one in outcomes)


def _kept(outcome: Mapping[str, str]) -> dict[str, str]:
    return {"outcome": outcome["outcome"], "remark": outcome.get("remark", "")}


def _facts(one: Rehearsal) -> dict[str, object]:
    """What the audit log keeps of it."""
    return {
        "version": one.version.number,
        "environment": one.environment_slug,
        "release": one.release,
        "started": one.at.isoformat(),
        "seconds": one.seconds,
        "outcome": "worked" if one.worked else "failed",
        "steps": [outcome["outcome"] for outcome in one.outcomes],
        "remark": one.remark,
    }


def subject_of(version: NoteVersion) -> str:
    """As the audit log names its note: "fares-api", "fares-api/price-a-crossing"."""
    note = version.note
    return f"{note.service.slug}/{note.path.slug}" if note.path else note.service.slug


# Reading


def rehearsals_of(note_ids: Collection[int]) -> dict[int, list[RehearsalSeen]]:
    """The newest of each note, by the note's id, in one query."""
    nth = Window(RowNumber(), partition_by=F("version__note_id"), order_by=F("at").desc())
    rows = Rehearsal.objects.filter(version__note_id__in=note_ids).annotate(nth=nth)
    found: dict[int, list[RehearsalSeen]] = {note_id: [] for note_id in note_ids}
    newest = rows.filter(nth__lte=MOST_READ).select_related("version", "by")
    for row in newest.order_by("-at", "-pk").defer("version__steps"):
        found[row.version.note_id].append(seen(row))
    return found


def seen(row: Rehearsal) -> RehearsalSeen:
    return RehearsalSeen(
        rehearsal_id=row.pk,
        at=row.at,
        steps_digest=row.steps_digest,
        migrations=tuple(row.migrations),
        worked=row.worked,
        seconds=row.seconds,
        environment=row.environment_slug,
        release=row.release,
        version=row.version.number,
        by=row.by.get_username() if row.by else row.by_name,
        outcomes=tuple(one["outcome"] for one in row.outcomes),
    )


def lasts() -> timedelta:
    return timedelta(days=settings.REHEARSAL_LASTS_DAYS)


def state_of(
    version: NoteVersion,
    rehearsals: Sequence[RehearsalSeen],
    *,
    now: datetime,
    migrations: Sequence[str] = (),
) -> RehearsalState:
    """What these rehearsals of its note are worth for this version, and for these migrations."""
    digest = steps_digest(version.steps)
    return rehearsal_state(rehearsals, digest=digest, migrations=migrations, lasts=lasts(), now=now)
