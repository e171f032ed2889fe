"""Asking now, by the same code as `manage.py probe`: one path, or all of a service at once.

No observation is recorded, and no standing changes. Both wait for other machines, so only a few of
a process's threads may do that at once.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

from django.db.models import prefetch_related_objects
from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Schema

from opsboard.api.answers import Answer, Nothing, Router, Time, one_of
from opsboard.api.door import actor_of
from opsboard.api.finding import find_environment, find_path, find_service
from opsboard.api.problems import Problem, error, problem
from opsboard.api.written import time_of
from opsboard.people.audit import record
from opsboard.people.tokens import RELEASE
from opsboard.probes.answers import answer_of
from opsboard.probes.asking import (
    NowhereToAskError,
    ask_all,
    ask_order,
    order_now,
    place_of,
)
from opsboard.services.models import CriticalPath, Environment, Service

router = Router(tags=["asking now"])
AT_ONCE = 2
RETRY_SECONDS = 5
MOST_PATHS = 300
_places = threading.BoundedSemaphore(AT_ONCE)
# What makes the whole, the first that any path has: what was not asked never looks green.
WORST_FIRST = ("failing", "error", "warning", "paused", "passing")


class Where(Schema):
    environment: str = Field(
        "", max_length=40, description="production, or the only one, unless said."
    )


class ClauseSeen(Answer):
    clause: str
    held: bool | None = Field(description="null: it was not judged, which is neither.")
    got: str


class PhasesSeen(Answer):
    """In milliseconds."""

    dns: float
    connect: float
    tls: float
    first_byte: float
    transfer: float
    total: float


class FactsSeen(Answer):
    """null: the far side did not tell."""

    status: int | None = Field(description="Of HTTP.")
    exit: int | None = Field(description="What the job of a heartbeat ended with.")
    http: str | None = Field(description="The version of HTTP.")
    redirects: int
    peer: str | None = Field(description="The address that answered.")
    size: int | None = Field(description="Of the body, in bytes.")
    content_type: str | None
    cache: str
    cache_header: str | None = Field(description="The line that `cache` was read from.")
    db_calls: int | None
    db_time_ms: float | None
    certificate_days: int | None = Field(description="How many days it has left.")
    certificate_issuer: str | None
    certificate_ends: Time | None


class StepAnswer(Answer):
    name: str
    verdict: str | None = Field(description="null: this step was not run.")
    reason: str
    status: int | None
    time_ms: float
    db_calls: int | None
    cache: str
    clauses: list[ClauseSeen]


class PathAnswer(Answer):
    verdict: Annotated[str, one_of(WORST_FIRST)]
    failure: str | None = Field(description="A word; null: a whole answer came.")
    reason: str
    clauses: list[ClauseSeen]
    phases_ms: PhasesSeen | Nothing = Field(description="Empty: it was not asked.")
    facts: FactsSeen | Nothing = Field(description="Empty: it was not asked.")
    steps: list[StepAnswer] = Field(
        default=[], description="Of a path of several steps, in their order."
    )


class AskedPath(PathAnswer):
    service: str
    path: str
    environment: str
    at: Time


class CheckedPath(PathAnswer):
    path: str
    name: str


class Checked(Answer):
    service: str
    environment: str
    at: Time
    verdict: Annotated[str, one_of(WORST_FIRST)] = Field(
        description="Of the whole: the worst of its paths; a paused one makes it a warning."
    )
    paths: list[CheckedPath]


@router.post(
    "/services/{service}/paths/{path}/probes", response=AskedPath, summary="Ask one path now"
)
def probe(request: HttpRequest, service: str, path: str, asked: Query[Where]) -> dict[str, Any]:
    """Ask one path once, now, as a worker would."""
    one = find_service(request, service, RELEASE)
    sheet = find_path(one, path)
    place = _place(sheet, asked.environment)
    order, now = order_now(sheet, place), timezone.now()
    with _a_place():
        reply, judgement = ask_order(order, now=now)
    answer = answer_of(order, reply, judgement)
    _tell(request, "path", f"{one.slug}/{sheet.slug}", place.slug, answer["verdict"])
    return {
        "service": one.slug,
        "path": sheet.slug,
        "environment": place.slug,
        "at": time_of(now),
    } | answer


@router.post(
    "/services/{service}/check", response=Checked, summary="Ask all paths of a service now"
)
def check(request: HttpRequest, service: str, asked: Query[Where]) -> dict[str, Any]:
    """Ask all critical paths of a service at once, now. A paused one is not asked, and said."""
    one = find_service(request, service, RELEASE)
    place = find_environment(one, asked.environment or "production")
    paths, now = _paths(one, place), timezone.now()
    if not paths:
        raise problem(
            409, "no_paths", f"{one.slug} has no critical path in {place.slug}: nothing to ask."
        )
    asked_now = [path for path in paths if path.paused_at is None]
    # All are asked in one place: its variables are read once.
    prefetch_related_objects([place], "variables")
    orders = [order_now(path, place) for path in asked_now]
    with _a_place():
        replies = ask_all(orders, now=now)
    answers = {
        path.pk: answer_of(order, reply, judgement)
        for path, order, (reply, judgement) in zip(asked_now, orders, replies, strict=True)
    }
    found = [_row(path) | answers.get(path.pk, PAUSED) for path in paths]
    verdict = whole_of([row["verdict"] for row in found])
    _tell(request, "service", one.slug, place.slug, verdict)
    return {
        "service": one.slug,
        "environment": place.slug,
        "at": time_of(now),
        "verdict": verdict,
        "paths": found,
    }


PAUSED: dict[str, Any] = {
    "verdict": "paused",
    "failure": None,
    "reason": "This path is paused: it was not asked.",
    "clauses": [],
    "phases_ms": {},
    "facts": {},
}


def _row(path: CriticalPath) -> dict[str, Any]:
    return {"path": path.slug, "name": path.name}


def whole_of(verdicts: Sequence[str]) -> str:
    """A failing path is the word for all; a paused one makes it a warning."""
    found = next(verdict for verdict in WORST_FIRST if verdict in verdicts)
    return "warning" if found == "paused" else found


def _paths(service: Service, place: Environment) -> list[CriticalPath]:
    """Those asked there. Raises Problem 422 for more than can be asked at once."""
    found = service.paths.standing().select_related("service__team", "owner")
    paths = [
        path
        for path in found.prefetch_related("environments").order_by("slug")[: MOST_PATHS + 1]
        if path.asked_in([place])
    ]
    if len(paths) > MOST_PATHS:
        raise problem(
            422, "too_many_paths", f"At most {MOST_PATHS} paths are asked at once: ask one by one."
        )
    return paths


def _place(path: CriticalPath, wanted: str) -> Environment:
    try:
        return place_of(path, wanted or None)
    except NowhereToAskError as nowhere:
        raise problem(404, "not_asked_there", str(nowhere), field="environment") from nowhere


@contextmanager
def _a_place() -> Iterator[None]:
    """Raises Problem 429 when as many ask already as may in one process."""
    if not _places.acquire(blocking=False):
        raise Problem(
            429,
            [
                error(
                    "busy",
                    f"{AT_ONCE} others are asking now: try again in {RETRY_SECONDS} s.",
                )
            ],
            {"Retry-After": str(RETRY_SECONDS)},
        )
    try:
        yield
    finally:
        _places.release()


def _tell(request: HttpRequest, kind: str, subject: str, environment: str, verdict: str) -> None:
    after = {"environment": environment, "verdict": verdict}
    record(actor_of(request), "asked now", kind, subject, now=timezone.now(), after=after)
