"""Rollback notes: the way back of a service or a path, its versions and its rehearsals."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Status
from pydantic import AfterValidator

from opsboard.api.answers import Router
from opsboard.api.bodies import Body
from opsboard.api.door import actor_of
from opsboard.api.fields import Line, Moment
from opsboard.api.finding import find_path, find_service
from opsboard.api.note_json import (
    NoteSeen,
    RehearsalMade,
    VersionSeen,
    line_json,
    rehearsal_json,
    seen_json,
    version_json,
)
from opsboard.api.problems import not_found, problem
from opsboard.api.written import time_of
from opsboard.people.tokens import NOTE
from opsboard.rollbacks.ages import note_ages
from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.rehearsing import (
    LONGEST_REMARK,
    MOST_MIGRATIONS,
    Refused,
    rehearsals_of,
    rehearse,
    state_of,
)
from opsboard.rollbacks.rules import fresh_until, freshness
from opsboard.rollbacks.writing import LONGEST_NOTE, MOST_STEPS, Place, Text, write

router = Router(tags=["rollback notes"])
VERSIONS_SHOWN = 100
OF_SERVICE = "/services/{service}/rollback-note"
OF_PATH = "/services/{service}/paths/{path}/rollback-note"

type Made = Status[dict[str, Any]]


def _see(step: "Step") -> "Step":
    if step.run and not step.see:
        raise ValueError("Say in see what the person should see, so they know the step worked.")
    return step


class Step(Body):
    do: Line = Field(max_length=500)
    run: str = Field("", max_length=4_000)
    see: str = Field("", max_length=1_000)
    call: str = Field("", max_length=300, description="Whom to call if it fails.")


class Version(Body):
    base: int = Field(ge=0, description="The number of the version it is on top of; 0: of none.")
    title: Line = Field(max_length=200)
    use_when: str = Field(min_length=1, max_length=LONGEST_NOTE)
    does_not_undo: str = Field(min_length=1, max_length=LONGEST_NOTE)
    minutes: int | None = Field(None, ge=1, le=10_000)
    steps: list[Annotated[Step, AfterValidator(_see)]] = Field(min_length=1, max_length=MOST_STEPS)
    reason: str = Field("", max_length=300, description="What changed, in one line.")


class Outcome(Body):
    outcome: Literal["worked", "failed", "left out"]
    remark: str = Field("", max_length=LONGEST_REMARK)


class Rehearsed(Body):
    version: int | None = Field(
        None, ge=1, description="The version that was gone; the one in use, unless said."
    )
    environment: Line = Field(max_length=40)
    release: str = Field("", max_length=100)
    migrations: list[Line] = Field(default_factory=list, max_length=MOST_MIGRATIONS)
    at: Moment = Field(description="When it was begun.")
    seconds: int = Field(ge=1, description="How long it took.")
    outcomes: list[Outcome] = Field(max_length=MOST_STEPS, description="One for each step.")
    remark: str = Field("", max_length=LONGEST_REMARK)


@router.get(OF_SERVICE, response=NoteSeen, summary="The rollback note of a service")
def note_of_service(request: HttpRequest, service: str) -> dict[str, Any]:
    """The rollback note of a service: the version in use, its versions and its rehearsals."""
    return _read(Place(find_service(request, service)))


@router.get(OF_PATH, response=NoteSeen, summary="The way back of a path")
def note_of_path(request: HttpRequest, service: str, path: str) -> dict[str, Any]:
    """The way back of a path: its own note, else its service's; `of` says which."""
    one = find_service(request, service)
    own = Place(one, find_path(one, path))
    return _read(own if own.newest() else Place(one))


@router.post(
    OF_SERVICE, response={201: VersionSeen}, summary="Write the rollback note of a service"
)
def write_of_service(request: HttpRequest, service: str, version: Version) -> Made:
    """Write a version on top of `base`. 409 when somebody has written one since."""
    return _write(request, Place(find_service(request, service, NOTE)), version)


@router.post(OF_PATH, response={201: VersionSeen}, summary="Write the rollback note of a path")
def write_of_path(request: HttpRequest, service: str, path: str, version: Version) -> Made:
    """Write a version on top of `base`. 409 when somebody has written one since."""
    one = find_service(request, service, NOTE)
    return _write(request, Place(one, find_path(one, path)), version)


@router.post(
    f"{OF_SERVICE}/rehearsals",
    response={201: RehearsalMade},
    summary="Rehearse the way back of a service",
)
def rehearse_service(request: HttpRequest, service: str, gone: Rehearsed) -> Made:
    """Write down that the way back was gone once, with the outcome of each step."""
    return _rehearse(request, Place(find_service(request, service, NOTE)), gone)


@router.post(
    f"{OF_PATH}/rehearsals",
    response={201: RehearsalMade},
    summary="Rehearse the way back of a path",
)
def rehearse_path(request: HttpRequest, service: str, path: str, gone: Rehearsed) -> Made:
    """Write down that the way back was gone once, with the outcome of each step."""
    one = find_service(request, service, NOTE)
    return _rehearse(request, Place(one, find_path(one, path)), gone)


# Reading ---------------------------------------------------------------------------------------


def _read(place: Place) -> dict[str, Any]:
    newest = place.newest()
    if newest is None:
        raise not_found(f"rollback note of {place.subject}")
    now = timezone.now()
    versions = newest.note.versions.select_related("written_by").defer("steps")
    seen = rehearsals_of([newest.note_id])[newest.note_id]
    until = fresh_until(newest.checked_at, tier=place.service.tier, ages=note_ages())
    state = state_of(newest, seen, now=now)
    return {
        "of": place.subject,
        "freshness": freshness(until, now=now).value,
        "fresh_until": time_of(until),
        "rehearsed": state.word.value,
        "current": version_json(newest),
        "versions": [line_json(one) for one in versions.order_by("-number")[:VERSIONS_SHOWN]],
        "rehearsals": [seen_json(one) for one in seen],
    }


# Writing ---------------------------------------------------------------------------------------


def _write(request: HttpRequest, place: Place, sent: Version) -> Made:
    fields = sent.model_dump()
    base = fields.pop("base")
    text = Text(**fields)
    if text.size > LONGEST_NOTE:
        raise problem(
            422, "too_long", f"A note has at most {LONGEST_NOTE // 1024} KiB.", pointer=""
        )
    # A program wrote it: whether it is right, a person has yet to say.
    version = write(
        place, text, base=base, is_checked=False, by=actor_of(request), now=timezone.now()
    )
    if version is None:
        newest = place.newest()
        raise problem(
            409,
            "written_meanwhile",
            f"Version {newest.number if newest else 0} is in use, and this is on top of version "
            f"{base}: read it, then send yours with its number as base. Nothing was written.",
            pointer="/base",
        )
    return Status(201, version_json(version))


def _rehearse(request: HttpRequest, place: Place, gone: Rehearsed) -> Made:
    version = _version(place, gone.version)
    try:
        one = rehearse(
            version,
            environment_slug=gone.environment,
            release=gone.release,
            migrations=gone.migrations,
            at=gone.at,
            seconds=gone.seconds,
            outcomes=[step.model_dump() for step in gone.outcomes],
            remark=gone.remark,
            by=actor_of(request),
            now=timezone.now(),
        )
    except Refused as refused:
        raise problem(422, "refused", str(refused), pointer="") from refused
    return Status(201, rehearsal_json(one))


def _version(place: Place, number: int | None) -> NoteVersion:
    newest = place.newest()
    if newest is None:
        raise not_found(f"rollback note of {place.subject}")
    if number in (None, newest.number):
        return newest
    found = newest.note.versions.select_related("note__service", "note__path")
    version = found.filter(number=number).first()
    if version is None:
        raise not_found(f"version {number} of this note")
    return version
