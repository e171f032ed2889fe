"""Services: who owns them, where they run and how they stand there."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.conf import settings
from django.db.models import FETCH_RAISE, Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Query

from opsboard.api.answers import Answer, Page, Router, Time, one_of
from opsboard.api.door import require
from opsboard.api.finding import covered, find_service
from opsboard.api.paging import Paging, page
from opsboard.api.written import team_json, time_of
from opsboard.people.tokens import READ
from opsboard.probes.path_states import PathNow, paths_now, shown_probes
from opsboard.probes.rules import State, worst
from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.newest import InUse
from opsboard.services.models import Environment, Running, Service

router = Router(tags=["services"])
# By environment.
type Standings = Mapping[int, Sequence[PathNow]]
Standing = Annotated[str, one_of(State)]


class Asked(Paging):
    owner: str = Field("", max_length=60, description="The team that owns it, as in `pricing`.")
    tier: Literal["", "1", "2", "3"] = Field("", description="1: the company needs it to work.")


class TeamSeen(Answer):
    slug: str
    name: str
    contact: str = Field(description="Where the team is reached, as it wrote it.")


class RunningSeen(Answer):
    commit: str
    since: Time = Field(description="Since when this commit runs there.")
    config_root: str | None = Field(description="The root of its configuration; null: not told.")
    told_at: Time = Field(description="When that was last told.")


class StandingSeen(Answer):
    """An environment of a service."""

    slug: str
    base_url: str
    standing: Standing = Field(description="The worst of its paths.")
    since: Time | None = Field(description="Since when a path stands so; null: it has none.")
    paths: int = Field(description="How many are asked there.")
    not_passing: int = Field(description="How many of them are not passing.")
    running: RunningSeen | None = Field(description="What runs there; null: that is unknown.")


class ServiceSeen(Answer):
    slug: str
    name: str
    summary: str
    tier: int = Field(description="1: the company needs it to work.")
    owner: TeamSeen
    environments: list[StandingSeen]


class LinkSeen(Answer):
    name: str
    url: str


class NoteInUse(Answer):
    title: str
    version: int
    minutes: int | None = Field(description="How long it takes; null: nobody has said.")


class ServiceWhole(ServiceSeen):
    links: list[LinkSeen]
    tags: list[str]
    facts: dict[str, str | list[str] | dict[str, str]] = Field(
        description="What its team wrote of it, by name."
    )
    depends_on: list[str] = Field(description="What it calls, by their names in addresses.")
    called_by: list[str]
    note: NoteInUse | None = Field(description="The way back in use; null: nobody wrote one.")


@router.get("/services", response=Page[ServiceSeen], summary="The services")
def services(request: HttpRequest, asked: Query[Asked]) -> dict[str, Any]:
    """The services by name in addresses, with how they stand in each environment."""
    require(request, READ)
    found = covered(request, _with_places(Service.objects.standing()), "slug")
    if asked.owner:
        found = found.filter(team__slug=asked.owner)
    if asked.tier:
        found = found.filter(tier=int(asked.tier))
    one_page = page(found, ["slug"], asked.cursor, asked.limit)
    now = timezone.now()
    standings = read_standings(one_page["items"], now=now)
    one_page["items"] = [service_json(one, standings, now=now) for one in one_page["items"]]
    return one_page


@router.get("/services/{service}", response=ServiceWhole, summary="One service")
def service(request: HttpRequest, service: str) -> dict[str, Any]:
    """One service, with its links, what it calls and what calls it."""
    known = find_service(request, service)
    one = _with_places(Service.objects.filter(pk=known.pk)).get()
    now = timezone.now()
    standings = read_standings([one], now=now)
    neighbours = {
        "depends_on": _slugs(one.depends_on.standing()),
        "called_by": _slugs(one.called_by.standing()),
    }
    note = InUse([one.pk]).of_service(one.pk)
    return (
        service_json(one, standings, now=now)
        | about_json(one)
        | neighbours
        | {"note": note_json(note)}
    )


def _with_places(services: QuerySet[Service]) -> QuerySet[Service]:
    places = Environment.objects.standing().select_related("running").order_by("slug")
    return (
        services.select_related("team")
        .prefetch_related(Prefetch("environments", places))
        .fetch_mode(FETCH_RAISE)
    )


def _slugs(services: Any) -> list[str]:
    return list(services.order_by("slug").values_list("slug", flat=True))


def read_standings(services: Iterable[Service], *, now: datetime) -> Standings:
    """How every path of these stands, in one query."""
    probes = shown_probes().filter(path__service__in=[one.pk for one in services])
    found: dict[int, list[PathNow]] = defaultdict(list)
    # Their newest facts and windows are long, and not wanted here.
    for path in paths_now(probes.select_related("path").defer("latest", "windows"), now=now):
        found[path.probes[0].environment_id].append(path)
    return found


def service_json(service: Service, standings: Standings, *, now: datetime) -> dict[str, Any]:
    return {
        "slug": service.slug,
        "name": service.name,
        "summary": service.summary,
        "tier": service.tier,
        "owner": team_json(service.team),
        "environments": [
            environment_json(place, standings.get(place.pk, ()), now=now)
            for place in service.environments.all()
        ],
    }


def environment_json(
    place: Environment, paths: Sequence[PathNow], *, now: datetime
) -> dict[str, Any]:
    state = worst([path.state for path in paths])
    since = min((path.since for path in paths if path.state is state), default=None)
    return {
        "slug": place.slug,
        "base_url": place.base_url,
        "standing": state.value,
        "since": time_of(since),
        "paths": len(paths),
        "not_passing": sum(not path.is_passing for path in paths),
        "running": running_json(getattr(place, "running", None), now=now),
    }


def running_json(running: Running | None, *, now: datetime) -> dict[str, Any] | None:
    """What runs there; None: that is unknown. What it told too long ago says nothing of now."""
    known_for = timedelta(seconds=settings.RUNNING_KNOWN_FOR_SECONDS)
    if running is None or not (running.is_announced or now < running.told_at + known_for):
        return None
    return {
        "commit": running.commit,
        "since": time_of(running.commit_since),
        "config_root": running.config_root or None,
        "told_at": time_of(running.told_at),
    }


def about_json(service: Service) -> dict[str, Any]:
    return {"links": service.links, "tags": service.tags, "facts": service.facts}


def note_json(version: NoteVersion | None) -> dict[str, Any] | None:
    """Which way back is in use; None: nobody wrote one."""
    if version is None:
        return None
    return {"title": version.title, "version": version.number, "minutes": version.minutes}
