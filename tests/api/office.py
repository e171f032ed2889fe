"""An API of two small operations behind the real door: what is tested of the door does not depend
on what the board's own operations do."""

from typing import Any

from django.http import HttpRequest
from django.urls import include, path
from ninja import Field, Query, Router, Schema, Status

from opsboard.api.addresses import nowhere, patterns
from opsboard.api.app import Body, make
from opsboard.api.door import actor_of, require
from opsboard.api.fields import Commit, Line, Moment
from opsboard.api.paging import Paging, page
from opsboard.people import audit
from opsboard.people.models import AuditEntry
from opsboard.services.models import Team

router = Router(tags=["Office"])


class Counts(Body):
    passed: int = Field(ge=0)
    failed: int = Field(0, ge=0)


class Letter(Body):
    title: Line = Field(max_length=200)
    result: str = Field("", max_length=20_000)
    commit: Commit | None = None
    at: Moment | None = None
    counts: Counts | None = None
    lines: list[Counts] = Field([], max_length=20)


class Kept(Schema):
    title: str


# What a letter sets off; tests put their own here.
happens: list[Any] = []


@router.post("/letters", response={201: Kept}, summary="Keep a letter")
def keep(request: HttpRequest, letter: Letter) -> Status[Any]:
    require(request, "release")
    now = letter.at or AuditEntry.objects.latest("at").at
    audit.record(actor_of(request), "added", "letter", letter.title, now=now)
    for act in happens:
        act(letter)
    return Status(201, {"title": letter.title})


class TeamSeen(Schema):
    slug: str


class Teams(Schema):
    items: list[TeamSeen]
    next: str | None


class Asked(Paging):
    name: str | None = Field(None, max_length=100)


@router.get("/teams", response=Teams, summary="The teams")
def teams(request: HttpRequest, asked: Query[Asked]) -> Any:
    require(request, "read")
    found = Team.objects.filter(name=asked.name) if asked.name else Team.objects.all()
    return page(found, ("name", "-pk"), asked.cursor, asked.limit)


@router.get("/services/{service}/gates/{gate}", response=Kept, summary="A gate")
def gate(request: HttpRequest, service: str, gate: str) -> Any:
    require(request, "read", service=service, gate=gate)
    return {"title": f"{service} {gate}"}


# The same address in another module: only its POST.
other = Router()


@other.post("/teams", response=Kept, summary="Add a team")
def add_team(request: HttpRequest) -> Any:
    require(request, "apply")
    return {"title": "a team"}


api = make([router, other])
urlpatterns = [
    path("api/v1", nowhere),
    path("api/v1/", include((patterns(api), "api"))),
]
