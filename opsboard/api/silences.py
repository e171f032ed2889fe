"""Silences: nobody is told of what they are about, until they end. Observing goes on."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import FETCH_RAISE, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Status

from opsboard.alerts import silencing
from opsboard.alerts.models import Silence
from opsboard.alerts.silencing import LONGEST, NOTHING, Reach, about
from opsboard.api.answers import Answer, Page, Router, Time
from opsboard.api.bodies import Body
from opsboard.api.door import actor_of, require, token_of
from opsboard.api.fields import Line, Moment
from opsboard.api.finding import covered, find_environment, find_path, find_service
from opsboard.api.paging import Paging, page
from opsboard.api.problems import not_found, problem
from opsboard.api.written import name_of, time_of
from opsboard.people.tokens import READ, SILENCE
from opsboard.services.models import Team

router = Router(tags=["silences"])
MOST_MINUTES = int(LONGEST / timedelta(minutes=1))


class Asked(Paging):
    in_force: bool | None = Field(None, description="true: only those that hold now.")
    service: str = Field("", max_length=60, description="As in `fares-api`.")


class NewSilence(Body):
    """Each of team, service, path and environment that is left out stands for all."""

    reason: Line = Field(max_length=300)
    team: str = Field("", max_length=60)
    service: str = Field("", max_length=60)
    path: str = Field("", max_length=60, description="A path of `service`.")
    environment: str = Field("", max_length=40)
    starts_at: Moment | None = Field(None, description="Now, unless said.")
    minutes: int | None = Field(None, ge=1, le=MOST_MINUTES, description="How long; or ends_at.")
    ends_at: Moment | None = Field(None, description="Until when; or minutes.")


class SilenceSeen(Answer):
    """null of team, service, path and environment: all of them."""

    number: int
    about: str = Field(description="What it is about, for people.")
    team: str | None
    service: str | None
    path: str | None
    environment: str | None
    reason: str
    starts_at: Time
    ends_at: Time
    in_force: bool = Field(description="Whether it holds now.")
    by: str | None


@router.get("/silences", response=Page[SilenceSeen], summary="The silences")
def silences(request: HttpRequest, asked: Query[Asked]) -> dict[str, Any]:
    """Silences, the newest first; those that ended too."""
    require(request, READ, service=asked.service)
    found, now = covered(request, _for_reading(), "service__slug"), timezone.now()
    if asked.in_force is not None:
        holding = Silence.objects.in_force(now).values("pk")
        found = found.filter(pk__in=holding) if asked.in_force else found.exclude(pk__in=holding)
    if asked.service:
        found = found.filter(service__slug=asked.service)
    one_page = page(found, ["-starts_at", "-pk"], asked.cursor, asked.limit)
    one_page["items"] = [silence_json(one, now=now) for one in one_page["items"]]
    return one_page


@router.post("/silences", response={201: SilenceSeen}, summary="Silence alerts")
def silence(request: HttpRequest, new: NewSilence) -> Status[dict[str, Any]]:
    """Silence what is failing or will fail. It always ends, after 30 days at most."""
    now = timezone.now()
    reach, (starts_at, ends_at) = _reach(request, new), _times(new, now)
    if not reach.is_about_something:
        raise problem(422, "about_nothing", NOTHING, pointer="")
    made = silencing.begin(
        reach,
        reason=new.reason,
        starts_at=starts_at,
        ends_at=ends_at,
        by=actor_of(request),
        now=now,
    )
    return Status(201, silence_json(_for_reading().get(pk=made.pk), now=now))


@router.post("/silences/{int:number}/end", response=SilenceSeen, summary="End a silence")
def end(request: HttpRequest, number: int) -> dict[str, Any]:
    """End a silence now: what fails still is told. One that has ended stays as it was."""
    require(request, SILENCE)
    found = _for_reading().filter(pk=number).first() if number < 2**63 else None
    if found is None:
        raise not_found(f"silence {number}")
    _require_all_of(request, found.service.slug if found.service else "")
    now = timezone.now()
    silencing.end(number, by=actor_of(request), now=now)
    return silence_json(_for_reading().get(pk=number), now=now)


def _for_reading() -> QuerySet[Silence]:
    found = Silence.objects.select_related("team", "service", "path__service", "by")
    return found.fetch_mode(FETCH_RAISE)


def _require_all_of(request: HttpRequest, service: str) -> None:
    """Raises Problem 403. Without a service it is about every one."""
    require(request, SILENCE, service=service)
    if not service and token_of(request).services:
        raise problem(403, "forbidden", "This token is for some services: name one of them.")


def _reach(request: HttpRequest, new: NewSilence) -> Reach:
    _require_all_of(request, new.service)
    team = Team.objects.standing().filter(slug=new.team).first() if new.team else None
    if new.team and team is None:
        raise not_found(f"team {new.team}")
    if new.path and not new.service:
        raise problem(422, "no_service", "Say which service the path is of.", pointer="/service")
    service = find_service(request, new.service, SILENCE) if new.service else None
    if service and new.environment:
        find_environment(service, new.environment)
    path = find_path(service, new.path) if service and new.path else None
    return Reach(team=team, service=service, path=path, environment=new.environment)


def _times(new: NewSilence, now: datetime) -> tuple[datetime, datetime]:
    """Raises Problem 422."""
    starts_at = new.starts_at or now
    if (new.minutes is None) == (new.ends_at is None):
        raise problem(422, "no_end", "Say minutes or ends_at: one of the two.", pointer="/minutes")
    ends_at = new.ends_at or starts_at + timedelta(minutes=new.minutes or 0)
    if new.starts_at and new.starts_at < now:
        raise problem(422, "past", "This is past: leave it out to begin now.", pointer="/starts_at")
    if not starts_at < ends_at <= starts_at + LONGEST:
        raise problem(
            422,
            "wrong_end",
            "A silence ends after it begins, and lasts 30 days at most.",
            pointer="/ends_at",
        )
    return starts_at, ends_at


def silence_json(one: Silence, *, now: datetime) -> dict[str, Any]:
    return {
        "number": one.pk,
        "about": about(one),
        "team": one.team.slug if one.team else None,
        "service": one.service.slug if one.service else None,
        "path": one.path.slug if one.path else None,
        "environment": one.environment_slug or None,
        "reason": one.reason,
        "starts_at": time_of(one.starts_at),
        "ends_at": time_of(one.ends_at),
        "in_force": one.starts_at <= now < one.ends_at,
        "by": name_of(one.by),
    }
