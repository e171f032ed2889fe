"""Decisions that programs report: it went out, it was rolled back; and holds of a service."""

from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Status
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from opsboard.api.answers import Page, Router
from opsboard.api.bodies import Body
from opsboard.api.door import actor_of
from opsboard.api.fields import Line, Moment
from opsboard.api.paging import Paging, page
from opsboard.api.problems import Problem, problem
from opsboard.api.release_answers import DecisionSeen, HoldSeen
from opsboard.api.release_json import (
    decision_json,
    find_release,
    hold_json,
    release_to_write,
    service_to_read,
    service_to_release,
)
from opsboard.api.releases import EnvironmentSlug, environment_errors
from opsboard.releases.deciding import record_release, record_rollback
from opsboard.releases.models import Decision, Hold, Release
from opsboard.releases.overriding import LONGEST_REASON as LONGEST_WORDS
from opsboard.releases.stopping import LONGEST_REASON, end_hold, hold

router = Router(tags=["releases"])
PLACE = "/services/{service}/releases/{version}"


def _text(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("empty", "Write a reason.")
    return value


Text = Annotated[str, AfterValidator(_text)]
Reason = Annotated[Line, Field(max_length=LONGEST_REASON)]


class WentOut(Body):
    environment: EnvironmentSlug | None = Field(None, description="Else where the release goes.")
    at: Moment | None = Field(None, description="When it began to run there; else now.")
    anyway_because: Text | None = Field(
        None,
        max_length=LONGEST_WORDS,
        description="Why it went out although it was not ready, in 20 characters or more.",
    )


class RolledBack(Body):
    reason: Text = Field(max_length=LONGEST_WORDS)


class NewHold(Body):
    reason: Reason


class EndOfHold(Body):
    because: Reason = Field(description="Why it may go out again.")


@router.post(
    f"{PLACE}/released",
    response={201: DecisionSeen, 200: DecisionSeen},
    summary="Report that it went out",
)
def released(
    request: HttpRequest, service: str, version: str, told: WentOut
) -> Status[dict[str, Any]]:
    """409 when it is not ready and nobody says why it went all the same. Told again: 200."""
    release = release_to_write(request, service, version)
    if errors := environment_errors(release.service, told.environment):
        raise Problem(422, errors)
    known = _newest(release)
    decision = record_release(
        release,
        environment_slug=told.environment or release.environment_slug,
        by=actor_of(request),
        now=timezone.now(),
        at=told.at,
        anyway_because=told.anyway_because or "",
    )
    return Status(201 if decision.pk > known else 200, decision_json(decision))


@router.post(
    f"{PLACE}/rollbacks",
    response={201: DecisionSeen, 200: DecisionSeen},
    summary="Report a rollback",
)
def rolled_back(
    request: HttpRequest, service: str, version: str, told: RolledBack
) -> Status[dict[str, Any]]:
    """Always taken, also in a freeze. From then on the service is held. Told again: 200."""
    release = release_to_write(request, service, version)
    known = _newest(release)
    decision = record_rollback(
        release, reason=told.reason, by=actor_of(request), now=timezone.now()
    )
    return Status(201 if decision.pk > known else 200, decision_json(decision))


def _newest(release: Release) -> int:
    """The key of its newest decision; 0: nothing was decided of it yet."""
    return release.decisions.order_by("-pk").values_list("pk", flat=True).first() or 0


@router.get(
    f"{PLACE}/decisions",
    response=Page[DecisionSeen],
    summary="What was decided of a release",
)
def decisions(
    request: HttpRequest, service: str, version: str, asked: Query[Paging]
) -> dict[str, Any]:
    """Each with the readiness it was taken on, the newest first."""
    one = find_release(service_to_read(request, service), version)
    found = Decision.objects.filter(release=one).select_related("by", "release")
    one_page = page(found, ["-at", "-pk"], asked.cursor, asked.limit)
    one_page["items"] = [decision_json(each) for each in one_page["items"]]
    return one_page


@router.post("/services/{service}/holds", response={201: HoldSeen}, summary="Hold a service")
def new_hold(request: HttpRequest, service: str, told: NewHold) -> Status[dict[str, Any]]:
    """Nothing of it is to go out until somebody says why it may again."""
    found = service_to_release(request, service)
    held = hold(found, reason=told.reason, by=actor_of(request), now=timezone.now())
    return Status(201, hold_json(held))


@router.post(
    "/services/{service}/holds/end", response=HoldSeen, summary="End the hold of a service"
)
def ended_hold(request: HttpRequest, service: str, told: EndOfHold) -> dict[str, Any]:
    """409 when it is not held."""
    found = service_to_release(request, service)
    held = Hold.objects.open().filter(service=found).select_related("service", "by").first()
    if held is None:
        raise problem(409, "not_held", f"{found.slug} is not held.")
    end_hold(held, because=told.because, by=actor_of(request), now=timezone.now())
    return hold_json(held)
