"""Evidence: what a program found out for a gate of a release, and the tag of the release."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Status
from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

from opsboard.api.answers import Page, Router
from opsboard.api.bodies import Body
from opsboard.api.door import actor_of
from opsboard.api.fields import Line, Moment
from opsboard.api.paging import Paging, page
from opsboard.api.problems import Error, Problem, error
from opsboard.api.release_answers import EvidenceSeen, EvidenceTaken
from opsboard.api.release_json import (
    answer_json,
    evidence_json,
    find_release,
    release_to_write,
    service_to_read,
)
from opsboard.api.releases import Commit, EnvironmentSlug, environment_errors
from opsboard.releases import rules
from opsboard.releases.giving import Given, check_gate, contradictions, give
from opsboard.releases.models import Release
from opsboard.releases.naming import LONGEST_TAG
from opsboard.releases.reading import readiness_of
from opsboard.releases.refusing import Refused

router = Router(tags=["releases"])

# Clocks differ a little. What is older than this was found out for something else.
AHEAD, OLDEST = timedelta(minutes=5), timedelta(days=7)
LONGEST_LOG = 4 * 1024
LONGEST_COMMAND, LONGEST_ADDRESS = 4_000, 2_000
MOST_ASSUMPTIONS, MOST_METRICS = 50, 50
MOST_TESTS = 1_000_000_000
# Told at addresses of their own, since an outcome alone does not answer them.
ELSEWHERE = {
    rules.TAG: "Report the tag at …/tag: it takes the object that the tag points to.",
    rules.CONFIG: "Send the fingerprints of the configuration: they answer this gate.",
}


def _seen(value: datetime) -> datetime:
    now = timezone.now()
    if value > now + AHEAD:
        raise PydanticCustomError("in_the_future", "This time lies in the future: set the clock.")
    if value < now - OLDEST:
        raise PydanticCustomError("too_old", f"Send evidence within {OLDEST.days} days.")
    return value


def _log(value: str) -> str:
    if len(value.encode()) > LONGEST_LOG:
        raise PydanticCustomError(
            "log_too_long", f"Send the last {LONGEST_LOG // 1024} KiB of the log at most."
        )
    return value


SeenAt = Annotated[Moment, AfterValidator(_seen)]
Count = Annotated[int, Field(ge=0, le=MOST_TESTS)]
Address = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s\x00-\x1f\x7f]+$", max_length=LONGEST_ADDRESS)
]
MetricName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.:-]{0,99}$")]


class Counts(Body):
    collected: Count | None = None
    passed: Count | None = None
    failed: Count | None = None
    skipped: Count | None = None


class NewEvidence(Body):
    gate: Annotated[str, StringConstraints(pattern=r"^[-a-zA-Z0-9_]{1,40}$")]
    outcome: Literal["running", "passed", "failed", "error", "skipped", "inconclusive"]
    commit: Commit = Field(description="What was checked. It has to be this release's.")
    environment: EnvironmentSlug | None = None
    started_at: SeenAt
    finished_at: SeenAt | None = Field(None, description="Left out while it runs.")
    command: str = Field("", max_length=LONGEST_COMMAND)
    exit_code: int | None = Field(None, ge=-32_768, le=32_767)
    counts: Counts | None = Field(
        None, description="Of a suite of tests. Without counts a suite does not meet its gate."
    )
    tool: Line | None = Field(None, max_length=120)
    url: Address | None = Field(None, description="Where more is to be seen.")
    log_tail: Annotated[str, AfterValidator(_log)] = Field("", description="4 KiB at most.")
    assumptions: list[Annotated[Line, Field(max_length=500)]] = Field(
        [], max_length=MOST_ASSUMPTIONS
    )
    metrics: dict[MetricName, float] = Field({}, max_length=MOST_METRICS)


class NewTag(Body):
    tag: Line = Field(max_length=LONGEST_TAG)
    object: Commit = Field(
        description="What it points to, as `git rev-parse TAG^{commit}` prints it."
    )
    commit: Commit = Field(description="The commit that was tagged. It has to be this release's.")


PLACE = "/services/{service}/releases/{version}"


@router.post(f"{PLACE}/evidence", response={201: EvidenceTaken}, summary="Give evidence")
def evidence(
    request: HttpRequest, service: str, version: str, given: NewEvidence
) -> Status[dict[str, Any]]:
    """Kept as it is given. The answer says how the gate and the whole stand with it."""
    release = release_to_write(request, service, version, gate=given.gate)
    said = _given(given)
    if errors := list(_errors(release, given, said)):
        raise Problem(422, errors)
    return _keep(request, release, said)


@router.post(f"{PLACE}/tag", response={201: EvidenceTaken}, summary="Report the tag")
def tag(request: HttpRequest, service: str, version: str, given: NewTag) -> Status[dict[str, Any]]:
    """A tag that points to another object later is seen, and the gate is out of date."""
    release = release_to_write(request, service, version, gate=rules.TAG)
    now = timezone.now()
    said = Given(
        gate=rules.TAG,
        outcome="passed",
        commit=given.commit,
        started_at=now,
        finished_at=now,
        facts={"tag": given.tag, "object": given.object},
    )
    return _keep(request, release, said)


def _keep(request: HttpRequest, release: Release, said: Given) -> Status[dict[str, Any]]:
    now = timezone.now()
    with transaction.atomic():
        give(release, said, by=actor_of(request), now=now)
        return Status(201, answer_json(readiness_of(release, now=now), said.gate))


def _given(given: NewEvidence) -> Given:
    return Given(
        gate=given.gate,
        outcome=given.outcome,
        commit=given.commit,
        started_at=given.started_at,
        finished_at=given.finished_at,
        environment_slug=given.environment or "",
        command=given.command,
        exit_code=given.exit_code,
        counts=given.counts.model_dump(exclude_none=True) if given.counts else {},
        tool=given.tool or "",
        url=given.url or "",
        log_tail=given.log_tail,
        assumptions=given.assumptions,
        metrics=given.metrics,
    )


def _errors(release: Release, given: NewEvidence, said: Given) -> Iterator[Error]:
    """Everything that is wrong with it, at once."""
    if given.gate in ELSEWHERE:
        yield error("not_here", ELSEWHERE[given.gate], pointer="/gate")
        return
    try:
        check_gate(release, given.gate)
    except Refused as refused:
        yield error("unknown_gate", str(refused), pointer="/gate")
    yield from environment_errors(release.service, given.environment)
    for place, sentence in contradictions(said).items():
        yield error("contradiction", sentence, pointer=f"/{place}")


@router.get(f"{PLACE}/evidence", response=Page[EvidenceSeen], summary="The evidence of a release")
def all_evidence(
    request: HttpRequest, service: str, version: str, asked: Query[Paging]
) -> dict[str, Any]:
    """All that was given, the newest first. Nothing of it is ever changed."""
    one = find_release(service_to_read(request, service), version)
    found = one.evidence.select_related("by")
    one_page = page(found, ["-started_at", "-pk"], asked.cursor, asked.limit)
    one_page["items"] = [evidence_json(each) for each in one_page["items"]]
    return one_page
