"""Incidents: what hurt, since when, and who has it."""

from typing import Annotated, Any

from django.db import transaction
from django.db.models import FETCH_RAISE, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query, Status

from opsboard.api.answers import Answer, Page, Router, Time, one_of
from opsboard.api.bodies import Body
from opsboard.api.door import actor_of, require, token_of
from opsboard.api.fields import Moment
from opsboard.api.finding import covered
from opsboard.api.paging import Paging, page
from opsboard.api.problems import not_found, problem
from opsboard.api.written import name_of, time_of
from opsboard.incidents.models import Incident, IncidentPath, TimelineEntry
from opsboard.people.audit import record
from opsboard.people.tokens import READ, SILENCE

router = Router(tags=["incidents"])
KIND = "incident"
ENTRIES_SHOWN = 200
LONGEST_UPDATE = 10_000


class Asked(Paging):
    open: bool | None = Field(None, description="true: not resolved yet; false: resolved.")
    service: str = Field("", max_length=60, description="As in `fares-api`.")
    environment: str = Field("", max_length=40, description="As in `production`.")
    since: Moment | None = Field(None, alias="from", description="Opened at or after this time.")
    until: Moment | None = Field(None, alias="to", description="Opened before this time.")


class Update(Body):
    text: str = Field(min_length=1, max_length=LONGEST_UPDATE, description="Markdown.")


class IncidentPathSeen(Answer):
    path: str
    joined_at: Time
    left_at: Time | None = Field(description="When it passed again; null: it does not yet.")
    reason: str


class IncidentSeen(Answer):
    number: int
    name: str = Field(description="As people say it.")
    title: str
    service: str
    environment: str
    is_open: bool
    opened_at: Time
    openings: int = Field(
        description="How often it was opened: 1, and once more for each reopening."
    )
    reopened_at: Time | None
    acknowledged_at: Time | None = Field(description="null: nobody has it yet.")
    acknowledged_by: str | None
    resolved_at: Time | None
    resolved_by: str | None = Field(description="null: Opsboard itself, or nobody yet.")
    below: int | None = Field(description="The number of the incident that it is a part of.")
    paths: list[IncidentPathSeen]


class EntrySeen(Answer):
    at: Time
    act: Annotated[str, one_of(TimelineEntry.Act)]
    path: str | None
    by: str | None = Field(description="null: Opsboard itself.")
    text: str
    facts: dict[str, Any] = Field(description="What belongs to the act; each act has its own.")


class IncidentWhole(IncidentSeen):
    cause: str | None = Field(description="The likely cause, in a sentence. null: not computed.")
    afterword: str | None = Field(description="What was learned of it.")
    timeline: list[EntrySeen] = Field(
        description="The newest 200 entries, the oldest of them first."
    )


class Acknowledged(IncidentSeen):
    is_first: bool = Field(description="false: somebody had it already.")


@router.get("/incidents", response=Page[IncidentSeen], summary="The incidents")
def incidents(request: HttpRequest, asked: Query[Asked]) -> dict[str, Any]:
    """Incidents, the newest first, each with its paths."""
    require(request, READ, service=asked.service)
    one_page = page(
        _chosen(covered(request, _for_reading(), "service__slug"), asked),
        ["-opened_at", "-pk"],
        asked.cursor,
        asked.limit,
    )
    one_page["items"] = [incident_json(one) for one in one_page["items"]]
    return one_page


@router.get("/incidents/{int:number}", response=IncidentWhole, summary="One incident")
def incident(request: HttpRequest, number: int) -> dict[str, Any]:
    """One incident, with its paths and the newest 200 entries of what happened."""
    one = _find(request, number, READ)
    newest = one.timeline.select_related("path", "by").order_by("-at", "-pk")
    entries = list(newest.fetch_mode(FETCH_RAISE)[:ENTRIES_SHOWN])
    return incident_json(one) | {
        "cause": one.cause.get("sentence") or None,
        "afterword": one.afterword or None,
        "timeline": [entry_json(entry) for entry in reversed(entries)],
    }


@router.post(
    "/incidents/{int:number}/acknowledgement",
    response=Acknowledged,
    summary="Acknowledge an incident",
)
def acknowledge(request: HttpRequest, number: int) -> dict[str, Any]:
    """Say that somebody has it. The first wins: the answer says who that is."""
    one, now = _find(request, number, SILENCE), timezone.now()
    if not one.is_open:
        raise problem(409, "resolved", f"{one} is resolved: there is nothing to acknowledge.")
    by = token_of(request).made_by
    with transaction.atomic():
        is_first = one.acknowledge(by=by, now=now)
        act = "acknowledged" if is_first else "asked to acknowledge"
        record(actor_of(request), act, KIND, str(one), now=now)
    return incident_json(_for_reading().get(pk=one.pk)) | {"is_first": is_first}


@router.post(
    "/incidents/{int:number}/updates", response={201: EntrySeen}, summary="Tell of an incident"
)
def update(request: HttpRequest, number: int, told: Update) -> Status[dict[str, Any]]:
    """Write what there is to tell into what happened."""
    one, now = _find(request, number, SILENCE), timezone.now()
    with transaction.atomic():
        entry = one.note(told.text, by=token_of(request).made_by, now=now)
        after = {"text": told.text}
        record(actor_of(request), "updated", KIND, str(one), now=now, after=after)
    return Status(201, entry_json(entry))


def _for_reading() -> QuerySet[Incident]:
    found = Incident.objects.standing().for_pages().select_related("resolved_by")
    return found.prefetch_related("paths__path").fetch_mode(FETCH_RAISE)


def _chosen(found: QuerySet[Incident], asked: Asked) -> QuerySet[Incident]:
    wanted = {
        "service__slug": asked.service or None,
        "environment__slug": asked.environment or None,
        "opened_at__gte": asked.since,
        "opened_at__lt": asked.until,
        "resolved_at__isnull": asked.open,
    }
    return found.filter(**{name: value for name, value in wanted.items() if value is not None})


def _find(request: HttpRequest, number: int, scope: str) -> Incident:
    """Raises Problem 403 and 404. A number says nothing of its service: not found comes first."""
    require(request, scope)
    # More than a key of the database can be is no incident either.
    found = _for_reading().filter(pk=number).first() if number < 2**63 else None
    if found is None:
        raise not_found(f"incident {number}")
    require(request, scope, service=found.service.slug)
    return found


def incident_json(one: Incident) -> dict[str, Any]:
    return {
        "number": one.pk,
        "name": str(one),
        "title": one.title,
        "service": one.service.slug,
        "environment": one.environment.slug,
        "is_open": one.is_open,
        "opened_at": time_of(one.opened_at),
        "openings": one.openings,
        "reopened_at": time_of(one.reopened_at),
        "acknowledged_at": time_of(one.acknowledged_at),
        "acknowledged_by": name_of(one.acknowledged_by) or one.acknowledged_as or None,
        "resolved_at": time_of(one.resolved_at),
        "resolved_by": name_of(one.resolved_by),
        "below": one.below_id,
        "paths": [_path_json(place) for place in one.paths.all()],
    }


def _path_json(place: IncidentPath) -> dict[str, Any]:
    return {
        "path": place.path.slug,
        "joined_at": time_of(place.joined_at),
        "left_at": time_of(place.left_at),
        "reason": place.reason,
    }


def entry_json(entry: TimelineEntry) -> dict[str, Any]:
    """`by`: null for Opsboard itself."""
    return {
        "at": time_of(entry.at),
        "act": entry.act,
        "path": entry.path.slug if entry.path else None,
        "by": name_of(entry.by) or entry.by_name or None,
        "text": entry.text,
        "facts": entry.facts,
    }
