"""Rollback notes and their rehearsals as JSON, and what each field of it means."""

from typing import Annotated, Any

from pydantic import Field

from opsboard.api.answers import Answer, Time, one_of
from opsboard.api.written import name_of, time_of
from opsboard.rollbacks.models import NoteVersion, Rehearsal
from opsboard.rollbacks.rules import Freshness, RehearsalSeen, Rehearsed


class StepSeen(Answer):
    do: str
    run: str = Field(description='The command; "": there is none.')
    see: str = Field(description="What one should see when it worked.")
    call: str = Field(description="Whom to call if it fails.")


class VersionLine(Answer):
    version: int
    title: str
    written_at: Time
    written_by: str | None
    reason: str = Field(description="What changed, in one line.")


class VersionSeen(VersionLine):
    use_when: str
    does_not_undo: str
    minutes: int | None = Field(description="How long it takes; null: nobody has said.")
    steps: list[StepSeen]
    checked_at: Time | None = Field(description="When somebody said that it is right; null: never.")
    checked_by: str | None


class RehearsalLine(Answer):
    at: Time
    environment: str
    release: str | None
    version: int
    worked: bool
    seconds: int
    failed_steps: list[int] = Field(description="Their numbers; the first step is 1.")
    by: str | None


class NoteSeen(Answer):
    of: str = Field(description="The service or the path that it is the way back of.")
    freshness: Annotated[str, one_of(Freshness)]
    fresh_until: Time | None = Field(description="null: it was never reviewed.")
    rehearsed: Annotated[str, one_of(Rehearsed)]
    current: VersionSeen
    versions: list[VersionLine] = Field(description="The newest 100.")
    rehearsals: list[RehearsalLine]


class OutcomeSeen(Answer):
    outcome: Annotated[str, one_of(("worked", "failed", "left out"))]
    remark: str


class RehearsalMade(Answer):
    at: Time
    environment: str
    release: str | None
    migrations: list[str]
    version: int
    worked: bool
    seconds: int
    outcomes: list[OutcomeSeen] = Field(description="One for each step.")
    remark: str
    by: str | None


def line_json(version: NoteVersion) -> dict[str, Any]:
    return {
        "version": version.number,
        "title": version.title,
        "written_at": time_of(version.written_at),
        "written_by": name_of(version.written_by),
        "reason": version.reason,
    }


def version_json(version: NoteVersion) -> dict[str, Any]:
    return line_json(version) | {
        "use_when": version.use_when,
        "does_not_undo": version.does_not_undo,
        "minutes": version.minutes,
        "steps": version.steps,
        "checked_at": time_of(version.checked_at),
        "checked_by": name_of(version.checked_by),
    }


def rehearsal_json(one: Rehearsal) -> dict[str, Any]:
    return {
        "at": time_of(one.at),
        "environment": one.environment_slug,
        "release": one.release or None,
        "migrations": one.migrations,
        "version": one.version.number,
        "worked": one.worked,
        "seconds": one.seconds,
        "outcomes": one.outcomes,
        "remark": one.remark,
        "by": name_of(one.by) or one.by_name or None,
    }


def seen_json(one: RehearsalSeen) -> dict[str, Any]:
    return {
        "at": time_of(one.at),
        "environment": one.environment,
        "release": one.release or None,
        "version": one.version,
        "worked": one.worked,
        "seconds": one.seconds,
        "failed_steps": list(one.failed_steps),
        "by": one.by,
    }
