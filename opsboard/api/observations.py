"""Observations: every fact that was stored of a path in an environment, the newest first."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest
from ninja import Field, Query

from opsboard.api.answers import Answer, Page, Router, Time, one_of
from opsboard.api.fields import Moment
from opsboard.api.finding import find_environment, find_path, find_service
from opsboard.api.paging import Paging, page
from opsboard.api.written import ms, time_of
from opsboard.probes import narrow
from opsboard.probes.models import Kind, Observation, Probe, microseconds
from opsboard.probes.rules import Verdict
from opsboard.probes.stored import CACHE

router = Router(tags=["paths"])
KINDS = {kind.name.lower(): kind for kind in Kind}


class Asked(Paging):
    environment: str = Field(max_length=40, description="As in `production`.")
    since: Moment | None = Field(None, alias="from", description="Due at or after this time.")
    until: Moment | None = Field(None, alias="to", description="Due before this time.")
    kind: Literal["", "scheduled", "asked_again", "asked_now", "reported"] = Field(
        "", description="Only those that were asked for this reason."
    )
    location: str = Field("", max_length=40, description="From where; here, unless said.")


class ObservationSeen(Answer):
    """null: the far side did not tell. Of a part that it did not come to, the time is 0."""

    slot_at: Time = Field(description="When it was due.")
    kind: Annotated[str, one_of(KINDS)]
    verdict: Annotated[str, one_of(one.name.lower() for one in Verdict)] = Field(
        description="error: the fault is Opsboard's own, and says nothing of the service."
    )
    is_wrong: bool = Field(description="A clause failed that is not of time or cache.")
    is_delayed: bool = Field(
        description="Opsboard kept it waiting: clauses of time were not judged."
    )
    failure: str | None = Field(description="A word; null: a whole answer came.")
    reason: str
    status: int | None = Field(description="Of HTTP; null: no status line came.")
    time_ms: float = Field(description="From the first step to the last byte.")
    dns_ms: float
    connect_ms: float
    tls_ms: float
    first_byte_ms: float
    transfer_ms: float
    lateness_ms: float = Field(description="How long after it was due it was asked.")
    size_bytes: int
    cache: Annotated[str, one_of(CACHE)]
    db_calls: int | None
    db_time_ms: float | None


@router.get(
    "/services/{service}/paths/{path}/observations",
    response=Page[ObservationSeen],
    summary="What was observed of a path",
)
def observations(
    request: HttpRequest, service: str, path: str, asked: Query[Asked]
) -> dict[str, Any]:
    """What was observed of a path in one environment, the newest first."""
    one = find_service(request, service)
    sheet, place = find_path(one, path), find_environment(one, asked.environment)
    probes = Probe.objects.filter(
        path=sheet, environment=place, location=asked.location or settings.HOME_LOCATION
    )
    key = probes.values_list("pk", flat=True).first()
    if key is None:
        return {"items": [], "next": None}
    found = Observation.objects.filter(probe_id=key, **_between(asked.since, asked.until))
    if asked.kind:
        found = found.alias(of_kind=narrow.KIND.value).filter(of_kind=KINDS[asked.kind])
    one_page = page(found, ["-slot_at"], asked.cursor, asked.limit)
    one_page["items"] = [observation_json(one) for one in one_page["items"]]
    return one_page


def _between(since: datetime | None, until: datetime | None) -> dict[str, int]:
    """The range, on the composite key: it is read from there and not sorted."""
    low = {"slot_at__gte": microseconds(since)} if since else {}
    return low | ({"slot_at__lt": microseconds(until)} if until else {})


def observation_json(one: Observation) -> dict[str, Any]:
    """null: the far side did not tell."""
    return {
        "slot_at": time_of(one.slot_at),
        "kind": Kind(one.kind).name.lower(),
        "verdict": Verdict(one.verdict).name.lower(),
        "is_wrong": one.is_wrong,
        "is_delayed": one.is_delayed,
        "failure": one.failure or None,
        "reason": one.reason,
        "status": one.status,
        "time_ms": ms(one.total),
        "dns_ms": ms(one.dns),
        "connect_ms": ms(one.connect),
        "tls_ms": ms(one.tls),
        "first_byte_ms": ms(one.first_byte),
        "transfer_ms": ms(one.transfer),
        "lateness_ms": ms(one.lateness),
        "size_bytes": one.size,
        "cache": CACHE[one.cache],
        "db_calls": one.db_calls,
        "db_time_ms": ms(one.db_time),
    }
