"""Who hears if this fails: the channels of now, who is on duty, what comes after, or nobody."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsboard.alerts.hearing import Audience, Hearing
from opsboard.alerts.models import AlertKind, Route
from opsboard.services.models import CriticalPath, Environment, Service, Team
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


def who_hears_of_path(audience: Audience, path: CriticalPath, environment: str) -> WhoHears:
    teams = [path.service.team_id, path.owner_id]
    return _in_lines(audience, teams, path.service, environment)


def who_hears_of_service(service: Service, environment: str, *, now: datetime) -> WhoHears:
    return _in_lines(Audience(now), [service.team_id], service, environment)


def tried(service: Service, environment: str, kind: str, *, at: datetime) -> WhoHears:
    """Who would hear one kind of alert at a moment, with the channels as they are now."""
    audience = Audience(at)
    heard = audience.of(
        [service.team_id], tier=service.tier, environment=environment, kind=AlertKind(kind)
    )
    afterwards = _afterwards(audience, heard) if kind == AlertKind.PAGE else []
    return WhoHears([Line(AlertKind(kind).label, heard)], afterwards)


def _in_lines(
    audience: Audience, teams: Iterable[int | None], service: Service, environment: str
) -> WhoHears:
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
    audience: Audience, team: int, owners: Iterable[int | None], *, tier: int, environment: str
) -> str:
    """Why nobody would be told when a path of a service fails; "": somebody would be.

    `team` is the service's; `owners`: the team that owns each path, None for that of the service.
    """
    for owner in dict.fromkeys([*owners] or [None]):
        heard = audience.of(
            [team, owner or team], tier=tier, environment=environment, kind=AlertKind.PAGE
        )
        if not heard.works:
            return heard.why
    return ""


def teams_unheard(*, now: datetime) -> list[Team]:
    """The teams with a service about which nobody would be told somewhere. Constant queries."""
    audience = Audience(now)
    owners: dict[int, set[int | None]] = defaultdict(set)
    paths = CriticalPath.objects.standing().values_list("service_id", "owner_id")
    for service_id, owner_id in paths:
        owners[service_id].add(owner_id)
    places = Environment.objects.standing().values_list(
        "service_id", "service__team_id", "service__tier", "slug"
    )
    # Many services are alike in all that decides who hears.
    kinds = {(team, tier, slug, frozenset(owners[pk])) for pk, team, tier, slug in places}
    unheard = {
        team
        for team, tier, slug, own in kinds
        if why_unheard(audience, team, own, tier=tier, environment=slug)
    }
    return list(Team.objects.filter(pk__in=unheard).order_by("name"))
