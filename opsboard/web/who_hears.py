"""Who hears if this fails: the channels of now, who is on duty, what comes after, or nobody."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsboard.alerts.hearing import Audience, Hearing
from opsboard.alerts.models import AlertKind, Route
from opsboard.services.models import CriticalPath, Service, Team
from opsboard.web.words import counted


@dataclass(frozen=True, slots=True)
class Line:
    """Pages, notices, or both where they go the same way."""

    words: str
    hearing: Hearing

    @property
    def way(self) -> str:
        names = [route.name for route in self.hearing.routes]
        if not names:
            return "by the default route"
        return f"by the route{'s' if len(names) > 1 else ''} {', '.join(names)}"


@dataclass(frozen=True, slots=True)
class WhoHears:
    lines: list[Line]
    # What comes after a page that nobody acknowledges, one sentence each.
    afterwards: list[str]

    @property
    def why(self) -> str:
        """Why nobody would be told of a failing path; "": somebody would be."""
        return self.lines[0].hearing.why

    @property
    def has_channels(self) -> bool:
        return bool(self.lines[0].hearing.listeners)


def who_hears_of_path(path: CriticalPath, environment: str, *, now: datetime) -> WhoHears:
    return _in_lines([path.service.team_id, path.owner_id], path.service, environment, now=now)


def who_hears_of_service(service: Service, environment: str, *, now: datetime) -> WhoHears:
    return _in_lines([service.team_id], service, environment, now=now)


def tried(service: Service, environment: str, kind: str, *, at: datetime) -> WhoHears:
    """Who would hear one kind of alert at a moment, with the channels as they are now."""
    audience = Audience(at)
    heard = audience.of(
        [service.team_id], tier=service.tier, environment=environment, kind=AlertKind(kind)
    )
    afterwards = _afterwards(audience, heard) if kind == AlertKind.PAGE else []
    return WhoHears([Line(AlertKind(kind).label, heard)], afterwards)


def _in_lines(
    teams: Iterable[int | None], service: Service, environment: str, *, now: datetime
) -> WhoHears:
    audience = Audience(now)
    owners = [team for team in teams if team is not None]
    pages, notices = (
        audience.of(owners, tier=service.tier, environment=environment, kind=kind)
        for kind in (AlertKind.PAGE, AlertKind.NOTICE)
    )
    afterwards = _afterwards(audience, pages)
    if pages == notices:
        return WhoHears([Line("Pages and notices", pages)], afterwards)
    return WhoHears([Line("Pages", pages), Line("Notices", notices)], afterwards)


def _afterwards(audience: Audience, pages: Hearing) -> list[str]:
    return [
        sentence
        for route in pages.routes
        for sentence in afterwards_of(route, [one.name for one in audience.second_steps[route.pk]])
    ]


def afterwards_of(route: Route, second: Sequence[str]) -> list[str]:
    """What a route does while nobody acknowledges; `second`: the channels of its second step."""
    said = []
    if route.escalate_after and second:
        minutes = counted(route.escalate_after, "min", "min")
        said.append(f"If nobody acknowledges within {minutes}: {', '.join(second)} as well.")
    if route.remind_every:
        minutes = counted(route.remind_every, "min", "min")
        times = counted(route.remind_most, "time")
        said.append(f"Again every {minutes} until somebody acknowledges, at most {times}.")
    return said


def why_unheard(
    audience: Audience, service: Service, environment: str, owners: Iterable[int | None]
) -> str:
    """Why nobody would be told when a path of a service fails; "": somebody would be.

    `owners`: the team that owns each path, None for that of the service.
    """
    for owner in dict.fromkeys([*owners] or [None]):
        heard = audience.of(
            [service.team_id, owner or service.team_id],
            tier=service.tier,
            environment=environment,
            kind=AlertKind.PAGE,
        )
        if not heard.works:
            return heard.why
    return ""


def teams_unheard(*, now: datetime) -> list[Team]:
    """The teams with a service about which nobody would be told somewhere. Constant queries."""
    audience = Audience(now)
    owners: dict[int, list[int | None]] = {}
    paths = CriticalPath.objects.standing().values_list("service_id", "owner_id")
    for service_id, owner_id in paths:
        owners.setdefault(service_id, []).append(owner_id)
    services = Service.objects.standing().with_sheets()
    unheard = {
        service.team.pk: service.team
        for service in services
        for place in service.environments.all()
        if why_unheard(audience, service, place.slug, owners.get(service.pk, []))
    }
    return sorted(unheard.values(), key=lambda team: team.name)
