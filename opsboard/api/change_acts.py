"""What is done with a change: its baseline, what was applied and cleared, and ending it early."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Status
from pydantic import ConfigDict

from opsboard.api.answers import Router
from opsboard.api.bodies import Body
from opsboard.api.change_answers import ChangeWhole
from opsboard.api.change_json import change_whole_json, changes_to_read, find_change
from opsboard.api.door import actor_of
from opsboard.api.fields import Line, Moment
from opsboard.api.problems import Error, Problem, error
from opsboard.changes import applying, baselines, declaring
from opsboard.changes.models import Act, Change, Comparison, latest_of
from opsboard.changes.refusing import Refused
from opsboard.people.tokens import RELEASE

router = Router(tags=["changes"])
PLACE = "/changes/{change}"


class Done(Body):
    """A command that somebody ran, or a program."""

    command: str = Field("", max_length=applying.LONGEST_COMMAND)
    exit_code: int | None = Field(None, ge=-32_768, le=32_767)
    at: Moment | None = Field(None, description="When it was done. Now, unless said.")
    remark: Line | None = Field(None, max_length=applying.LONGEST_REMARK)


class NewGivenUp(Body):
    because: Line = Field(max_length=baselines.LONGEST_REASON, examples=["A load test ran."])


def _as_in(**told: Any) -> ConfigDict:
    """A body with an example that would be taken."""
    return Body.model_config | ConfigDict(json_schema_extra={"examples": [told]})


class NewApplied(Done):
    model_config = _as_in(command="make deploy", exit_code=0)


class NewCleared(Done):
    model_config = _as_in(what="prefix", pattern="fares:", count=12, command="cache clear fares:")

    what: Act.What = Field(
        strict=False, description="Only the cache that matters: best one key, or a prefix."
    )
    pattern: str = Field(
        "", max_length=applying.LONGEST_PATTERN, description="The key, or the prefix."
    )
    count: int | None = Field(
        None, ge=0, le=applying.MOST_COUNTED, description="How many were cleared."
    )
    sure: bool = Field(False, description="Has to be true to tell that everything was cleared.")


# What it comes to ------------------------------------------------------------------------------


def attempt_to_write(request: HttpRequest, change: str) -> tuple[Change, Comparison]:
    """The newest. Raises Problem 403, 404, and Refused when no baseline was opened."""
    one = find_change(request, change, RELEASE)
    newest = latest_of(one)
    if newest is None:
        raise Refused(f"{one} has no baseline yet: open it first.")
    return one, newest


def whole_of(change: Change) -> Status[dict[str, Any]]:
    found = changes_to_read().get(pk=change.pk)
    return Status(201, change_whole_json(found, now=timezone.now()))


@router.post(f"{PLACE}/baseline", response={201: ChangeWhole}, summary="Open the baseline")
def open_baseline(request: HttpRequest, change: str) -> Status[dict[str, Any]]:
    """The before window collects from now on. From here on the settings stay as they are."""
    one = find_change(request, change, RELEASE)
    if one.comparisons.exists():
        raise Refused(f"{one} has a baseline already: measure again with a new attempt.")
    baselines.open_baseline(one, by=actor_of(request), now=timezone.now())
    return whole_of(one)


@router.post(f"{PLACE}/attempts", response={201: ChangeWhole}, summary="Measure again")
def repeat(request: HttpRequest, change: str) -> Status[dict[str, Any]]:
    """A new attempt with the same settings and new windows. Those before stay."""
    one, _ = attempt_to_write(request, change)
    baselines.open_baseline(one, by=actor_of(request), now=timezone.now())
    return whole_of(one)


@router.post(f"{PLACE}/baseline/seal", response={201: ChangeWhole}, summary="Seal the baseline")
def seal(request: HttpRequest, change: str) -> Status[dict[str, Any]]:
    """Its samples never change again. Before that the change cannot be marked as applied."""
    one, newest = attempt_to_write(request, change)
    baselines.seal(newest, by=actor_of(request), now=timezone.now())
    return whole_of(one)


@router.post(f"{PLACE}/applied", response={201: ChangeWhole}, summary="Tell that it is applied")
def applied(request: HttpRequest, change: str, told: NewApplied) -> Status[dict[str, Any]]:
    """The after window begins, behind the warm-up."""
    one, newest = attempt_to_write(request, change)
    said = applying.Told(
        command=told.command, exit_code=told.exit_code, at=told.at, remark=told.remark or ""
    )
    applying.mark_applied(newest, said, by=actor_of(request), now=timezone.now())
    return whole_of(one)


@router.post(f"{PLACE}/cleared", response={201: ChangeWhole}, summary="Tell of a cleared cache")
def cleared(request: HttpRequest, change: str, told: NewCleared) -> Status[dict[str, Any]]:
    """The first answer after it has to be a miss: else the clear did not work."""
    one, newest = attempt_to_write(request, change)
    if errors := _errors(told):
        raise Problem(422, errors)
    said = applying.Cleared(
        what=told.what.value,
        pattern=told.pattern,
        count=told.count,
        command=told.command,
        exit_code=told.exit_code,
        at=told.at,
        remark=told.remark or "",
    )
    applying.record_clear(newest, said, by=actor_of(request), now=timezone.now())
    return whole_of(one)


@router.post(f"{PLACE}/given-up", response={201: ChangeWhole}, summary="Give the newest attempt up")
def given_up(request: HttpRequest, change: str, told: NewGivenUp) -> Status[dict[str, Any]]:
    """It gets no verdict, and stays readable. What a verdict has is not given up."""
    one, newest = attempt_to_write(request, change)
    baselines.give_up(newest, told.because, by=actor_of(request), now=timezone.now())
    return whole_of(one)


@router.post(f"{PLACE}/withdrawal", response={201: ChangeWhole}, summary="Withdraw the change")
def withdrawal(request: HttpRequest, change: str) -> Status[dict[str, Any]]:
    """It is not measured any more. An attempt without a verdict is given up; all of them stay."""
    one = find_change(request, change, RELEASE)
    declaring.withdraw(one, by=actor_of(request), now=timezone.now())
    return whole_of(one)


def _errors(told: NewCleared) -> list[Error]:
    if told.what == Act.What.EVERYTHING:
        said = "Everything slows every user down for a while: send `sure`: true if it was cleared."
        return [] if told.sure else [error("not_sure", said, pointer="/sure")]
    if not told.pattern.strip():
        return [error("missing", "Say which key or prefix was cleared.", pointer="/pattern")]
    return []
