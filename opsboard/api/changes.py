"""Changes: declaring one, and reading what is known of them. What is done is in change_acts."""

from dataclasses import fields
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Query, Schema, Status

from opsboard.api.answers import Page, Router
from opsboard.api.bodies import Body
from opsboard.api.change_answers import ChangeAttemptWhole, ChangeLine, ChangeWhole
from opsboard.api.change_json import (
    attempt_whole_json,
    change_json,
    change_whole_json,
    changes_to_read,
    find_change,
    reading_scope,
    window_of,
)
from opsboard.api.document import error_answer
from opsboard.api.door import actor_of, require
from opsboard.api.fields import Line
from opsboard.api.finding import covered
from opsboard.api.paging import Paging, page
from opsboard.api.problems import Error, Problem, error, not_found, problem
from opsboard.api.releases import Commit, EnvironmentSlug, Slug, Version
from opsboard.changes.declaring import Wanted, check, declare
from opsboard.changes.models import (
    FEWEST_SAMPLES,
    MOST_SAMPLES,
    USUAL_MARGIN,
    USUAL_SAMPLES,
    Change,
    Comparison,
    Window,
)
from opsboard.changes.wanting import (
    LONGEST_HOURS,
    LONGEST_TEXT,
    LONGEST_WARM_UP,
    MOST_TEXTS,
    MOST_WARM_UP_SAMPLES,
)
from opsboard.people.tokens import RELEASE
from opsboard.services.models import CriticalPath, Environment, Service

router = Router(tags=["changes"])

Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
# A body is read strictly: its words arrive as texts.
Loose = Field(strict=False)
Variable = Annotated[Change.Variable, Loose]
Share = Annotated[float, Field(ge=0.01, le=1)]


class NewChange(Body):
    title: Line = Field(max_length=200, examples=["One query in place of twelve"])
    service: Slug
    path: Slug = Field(description="The critical path that is compared.")
    environment: EnvironmentSlug
    variables: list[Variable] = Field(
        min_length=1,
        max_length=len(Change.Variable),
        description="What is changed: one. More than one makes the verdict confounded.",
    )
    purpose: Line | None = Field(None, max_length=300, description="What gets better, for whom.")
    location: str = Field("", max_length=40, pattern=r"^[-a-zA-Z0-9_]*$")
    commit: Commit | None = None
    version: Version | None = Field(None, description="Of the release that it goes out with.")
    assumptions: list[Text] = Field([], max_length=MOST_TEXTS)
    commands: list[Text] = Field([], max_length=MOST_TEXTS)
    metric: Annotated[Change.Metric, Loose] = Change.Metric.TIME
    aim: Annotated[Change.Aim, Loose] = Change.Aim.IMPROVE
    goal: float | None = Field(
        None, ge=0, le=0.99, description="By how much it is to fall: 0.3 is 30 % less."
    )
    control: Slug | None = Field(
        None, description="A path of this service that the change should not touch."
    )
    samples: int = Field(USUAL_SAMPLES, ge=FEWEST_SAMPLES, le=MOST_SAMPLES, description="A side.")
    margin: Share = Field(USUAL_MARGIN, description="A smaller difference says nothing.")
    equivalence: Share | None = Field(None, description="null: as the margin.")
    guardrails: list[Text] = Field(
        [],
        max_length=MOST_TEXTS,
        description='What may not get worse: "db calls", "time", "p95", "path:SLUG".',
    )
    sampling: Annotated[Change.Sampling, Loose] = Change.Sampling.PROBES
    mode: Annotated[Change.Mode, Loose] = Change.Mode.AS_IS
    rate: float = Field(2.0, ge=0.1, le=10, description="Requests a second of a burst.")
    warm_up_seconds: int = Field(60, ge=0, le=LONGEST_WARM_UP)
    warm_up_samples: int = Field(10, ge=0, le=MOST_WARM_UP_SAMPLES)
    lasts: int = Field(24, ge=1, le=LONGEST_HOURS, description="Hours that a window may take.")


class Asked(Paging):
    service: str = Field("", max_length=60, description="As in `fares-api`.")
    environment: str = Field("", max_length=40, description="As in `production`.")
    path: str = Field("", max_length=60, description="As in `price-a-crossing`.")
    version: str = Field("", max_length=100, description="Of the release that it goes out with.")


class Which(Schema):
    side: Window.Side | None = Field(None, description="Only this side: the text that is hashed.")


@router.get("/changes", response=Page[ChangeLine], summary="The changes")
def changes(request: HttpRequest, asked: Query[Asked]) -> dict[str, Any]:
    """Changes, the newest first; withdrawn ones stay."""
    require(request, reading_scope(request), service=asked.service)
    wanted = {
        "service__slug": asked.service,
        "environment__slug": asked.environment,
        "path__slug": asked.path,
        "version": asked.version,
    }
    found = covered(request, changes_to_read(attempts_shown=1), "service__slug")
    found = found.filter(**{name: value for name, value in wanted.items() if value})
    one_page = page(found, ["-declared_at", "-pk"], asked.cursor, asked.limit)
    one_page["items"] = [change_json(one) for one in one_page["items"]]
    return one_page


@router.post("/changes", response={201: ChangeWhole}, summary="Declare a change")
def declare_change(request: HttpRequest, new: NewChange) -> Status[dict[str, Any]]:
    """What is to be changed, what is to get better, and how that is measured."""
    require(request, RELEASE, service=new.service)
    wanted, now = _wanted(new), timezone.now()
    if wrong := check(wanted):
        raise Problem(
            422, [error("wrong_value", said, pointer=f"/{name}") for name, said in wrong.items()]
        )
    change = declare(wanted, by=actor_of(request), now=now)
    return Status(201, change_whole_json(changes_to_read().get(pk=change.pk), now=now))


def _wanted(new: NewChange) -> Wanted:
    """Raises Problem 422, with every name that nothing has."""
    service = Service.objects.standing().filter(slug=new.service).first()
    if service is None:
        said = f"There is no service {new.service}."
        raise problem(422, "unknown_service", said, pointer="/service")
    errors: list[Error] = []
    path = _path(service, "path", new.path, errors)
    control = _path(service, "control", new.control, errors) if new.control else None
    environment = service.environments.standing().filter(slug=new.environment).first()
    if environment is None:
        said = f"{service.slug} has no environment {new.environment}."
        errors.append(error("unknown_environment", said, pointer="/environment"))
    if errors or path is None or environment is None:
        raise Problem(422, errors)
    return _wanted_of(new, service, path, environment, control)


def _path(service: Service, field: str, slug: str, errors: list[Error]) -> CriticalPath | None:
    found = service.paths.standing().filter(slug=slug).first()
    if found is None:
        said = f"{service.slug} has no path {slug}."
        errors.append(error("unknown_path", said, pointer=f"/{field}"))
    return found


def _wanted_of(
    new: NewChange,
    service: Service,
    path: CriticalPath,
    environment: Environment,
    control: CriticalPath | None,
) -> Wanted:
    said = new.model_dump(mode="json") | {
        "service": service,
        "path": path,
        "environment": environment,
        "control": control,
        "variables": [one.value for one in dict.fromkeys(new.variables)],
    }
    texts = {name: said[name] or "" for name in ("purpose", "commit", "version")}
    return Wanted(**{one.name: (said | texts)[one.name] for one in fields(Wanted)})


@router.get("/changes/{change}", response=ChangeWhole, summary="One change")
def change(request: HttpRequest, change: str) -> dict[str, Any]:
    """By its number or name: 198 or CHG-0198. Until the verdict nothing is said of the samples."""
    one = find_change(request, change, reading_scope(request))
    return change_whole_json(one, now=timezone.now())


@router.get(
    "/changes/{change}/attempts/{int:attempt}", response=ChangeAttemptWhole, summary="One attempt"
)
def attempt(request: HttpRequest, change: str, attempt: int) -> dict[str, Any]:
    """One attempt to measure a change: all of them stay."""
    one = find_change(request, change, reading_scope(request))
    return attempt_whole_json(one, find_attempt(one, attempt))


CSV: dict[str, Any] = {
    "responses": {
        200: {
            "description": "The sealed samples, as `manage.py compare` reads them.",
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "side,i,latency_us,cache,ok,db_calls,at\n"
                    "before,0,48211,miss,1,12,2026-11-28T12:00:00.000000+00:00\n",
                }
            },
        },
        409: error_answer(409, "Neither side is sealed yet: nothing of them can be told."),
    }
}


@router.get(
    "/changes/{change}/attempts/{int:attempt}/samples.csv",
    summary="The samples of an attempt",
    openapi_extra=CSV,
)
def samples(request: HttpRequest, change: str, attempt: int, asked: Query[Which]) -> HttpResponse:
    """As CSV, once they are sealed: both sides, or the one that is asked for."""
    one = find_attempt(find_change(request, change, reading_scope(request)), attempt)
    sides = [asked.side] if asked.side else [*Window.Side]
    texts = [text for side in sides if (text := _sealed(one, side))]
    if not texts:
        raise problem(409, "not_sealed", f"{one} is not sealed yet: nothing of it can be told.")
    # The header of the second side is that of the first.
    whole = texts[0] + "".join(text.partition("\n")[2] for text in texts[1:])
    return HttpResponse(whole, content_type="text/csv; charset=utf-8")


def _sealed(one: Comparison, side: str) -> str:
    """The text that is hashed; "": that side is not sealed."""
    window = window_of(one, side)
    return window.text if window is not None else ""


def find_attempt(change: Change, number: int) -> Comparison:
    """Raises Problem 404."""
    # More than the column can be is no attempt either.
    attempts = change.comparisons.select_related("began_by")
    attempts = attempts.prefetch_related("windows__bursts", "acts__by")
    found = attempts.filter(number=number).first() if number < 2**15 else None
    if found is None:
        raise not_found(f"attempt {number} of {change}")
    return found
