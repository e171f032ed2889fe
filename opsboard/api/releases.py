"""Releases: naming them, and reading what is known of them and how ready they are."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Status
from pydantic import AfterValidator, BeforeValidator, StringConstraints

from opsboard.api.answers import Page, Router
from opsboard.api.bodies import Body
from opsboard.api.door import actor_of
from opsboard.api.fields import Line, Moment
from opsboard.api.paging import Paging, page
from opsboard.api.problems import Error, Problem, error
from opsboard.api.release_answers import (
    OverrideWhole,
    ReadinessSeen,
    ReleaseLine,
    ReleaseSeen,
    ReleaseWhole,
)
from opsboard.api.release_json import (
    EXIT_CODES,
    find_release,
    override_json,
    release_json,
    releases_of,
    service_to_read,
    service_to_release,
    whole_json,
)
from opsboard.releases import naming
from opsboard.releases.naming import MOST_COUNTED, Named, name_release
from opsboard.releases.reading import read_readiness, readiness_of
from opsboard.services.models import CriticalPath, Service

router = Router(tags=["releases"])
PLANNED_WITHIN = timedelta(days=366)
MOST_PATHS = 200

Version = Annotated[str, StringConstraints(pattern=f"^{naming.VERSION}$")]
# Written in either case, kept in lower case.
Commit = Annotated[
    str,
    BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
    StringConstraints(pattern=f"^{naming.COMMIT}$"),
]
Slug = Annotated[str, StringConstraints(pattern=r"^[-a-zA-Z0-9_]{1,60}$")]
EnvironmentSlug = Annotated[str, StringConstraints(pattern=r"^[-a-zA-Z0-9_]{1,40}$")]
Counted = Annotated[int, Field(ge=0, le=MOST_COUNTED)]


def _planned(value: datetime) -> datetime:
    if abs(value - timezone.now()) > PLANNED_WITHIN:
        raise ValueError("A release is planned within a year from now")
    return value


class NewRelease(Body):
    version: Version = Field(description="What people call it. It stands for one commit for ever.")
    commit: Commit = Field(description="In 7 to 64 hexadecimal digits; best the whole one.")
    tag: Line | None = Field(None, max_length=naming.LONGEST_TAG)
    environment: EnvironmentSlug | None = Field(None, description="Where it goes: production.")
    planned_at: Annotated[Moment, AfterValidator(_planned)] | None = None
    summary: Line | None = Field(None, max_length=naming.LONGEST_SUMMARY)
    migrations: list[Annotated[Line, Field(max_length=naming.LONGEST_MIGRATION)]] | None = Field(
        None, max_length=naming.MOST_MIGRATIONS, description="Their names, in order."
    )
    commits: Counted | None = None
    files: Counted | None = None
    lines: Counted | None = None
    paths: list[Slug] | None = Field(
        None, max_length=MOST_PATHS, description="The paths it touches, by their names in addresses"
    )


@router.post(
    "/services/{service}/releases",
    response={201: ReleaseSeen, 200: ReleaseSeen},
    summary="Name a release",
)
def name(request: HttpRequest, service: str, named: NewRelease) -> Status[dict[str, Any]]:
    """Named again with the same commit it keeps what is not said anew; with another one: 409."""
    found = service_to_release(request, service)
    paths = _paths(found, named)
    release, is_new = name_release(
        found, _named(named, paths), by=actor_of(request), now=timezone.now()
    )
    return Status(201 if is_new else 200, release_json(find_release(found, release.version)))


def _paths(service: Service, named: NewRelease) -> list[CriticalPath] | None:
    """The paths it touches; None: it does not say. Raises Problem 422, with every mistake."""
    errors: list[Error] = []
    known = {one.slug: one for one in service.paths.standing()} if named.paths else {}
    for at, slug in enumerate(named.paths or ()):
        if slug not in known:
            said = f"{service.slug} has no path {slug}."
            errors.append(error("unknown_path", said, pointer=f"/paths/{at}"))
    errors += environment_errors(service, named.environment)
    if errors:
        raise Problem(422, errors)
    return None if named.paths is None else [known[slug] for slug in dict.fromkeys(named.paths)]


def environment_errors(service: Service, slug: str | None) -> list[Error]:
    if not slug or service.environments.standing().filter(slug=slug).exists():
        return []
    said = f"{service.slug} has no environment {slug}."
    return [error("unknown_environment", said, pointer="/environment")]


def _named(named: NewRelease, paths: list[CriticalPath] | None) -> Named:
    return Named(
        version=named.version,
        commit=named.commit,
        tag=named.tag or "",
        environment_slug=named.environment or "",
        planned_at=named.planned_at,
        summary=named.summary or "",
        migrations=named.migrations,
        commits=named.commits,
        files=named.files,
        lines=named.lines,
        paths=paths,
    )


@router.get(
    "/services/{service}/releases",
    response=Page[ReleaseLine],
    summary="The releases of a service",
)
def releases(request: HttpRequest, service: str, asked: Query[Paging]) -> dict[str, Any]:
    """The newest first. `readiness`: the word of the whole now."""
    found = releases_of(service_to_read(request, service))
    one_page = page(found, ["-named_at", "-pk"], asked.cursor, asked.limit)
    readiness = read_readiness(one_page["items"], now=timezone.now())
    one_page["items"] = [
        release_json(one)
        | {
            "readiness": readiness[one.pk].whole.value,
            "exit_code": EXIT_CODES[readiness[one.pk].whole],
        }
        for one in one_page["items"]
    ]
    return one_page


@router.get("/services/{service}/releases/{version}", response=ReleaseWhole, summary="One release")
def release(request: HttpRequest, service: str, version: str) -> dict[str, Any]:
    """With its readiness now."""
    one = find_release(service_to_read(request, service), version)
    readiness = readiness_of(one, now=timezone.now())
    return release_json(one) | {"readiness": whole_json(one, readiness)}


@router.get(
    "/services/{service}/releases/{version}/readiness",
    response=ReadinessSeen,
    summary="Whether it is ready",
)
def readiness(request: HttpRequest, service: str, version: str) -> dict[str, Any]:
    """`whole`, its gates and what stops it. `exit_code` is what `opsboard gate` ends with."""
    one = find_release(service_to_read(request, service), version)
    return whole_json(one, readiness_of(one, now=timezone.now()))


@router.get(
    "/services/{service}/releases/{version}/overrides",
    response=Page[OverrideWhole],
    summary="Its overrides",
)
def overrides(
    request: HttpRequest, service: str, version: str, asked: Query[Paging]
) -> dict[str, Any]:
    """Who accepted which risk. An override is made by a person, on the pages."""
    one = find_release(service_to_read(request, service), version)
    found = one.overrides.select_related("asked_by").prefetch_related("acts__by")
    one_page = page(found, ["-asked_at", "-pk"], asked.cursor, asked.limit)
    one_page["items"] = [override_json(each) for each in one_page["items"]]
    return one_page
