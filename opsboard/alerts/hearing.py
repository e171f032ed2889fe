"""Who hears what, when: the channels an alert goes to, by the routes as they stand.

An alert is heard by the team of the service, and by the owning team of each path that fails; each
of them by its own routes, or, where none matches now, by its default route: its own channels and
those of everybody. Who joins in hears as well; nobody hears less for it. Where none of all these
channels works, the administrators are told too. A channel that does not deliver gets its alerts
all the same, for it may recover, but it does not count.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import attrgetter
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from opsboard.alerts.models import AlertKind, Channel, Route
from opsboard.alerts.who_hears import About, Rule, destinations, taken
from opsboard.incidents.models import Incident
from opsboard.people.models import administrators
from opsboard.services.models import CriticalPath, Environment, Service, Team
from opsboard.services.rota import OnDuty, Reading, read_rotas
from opsboard.services.secrets import CannotDecrypt
from opsboard.services.together import load_together

ADMINISTRATORS = "Administrators"
BY_MAIL = (Channel.Kind.EMAIL, Channel.Kind.DUTY, Channel.Kind.ADMINISTRATORS)
NO_MAIL = "no mail server is set"
NO_ADMINISTRATOR = "no administrator has an e-mail address"


@dataclass(frozen=True, slots=True)
class Listener:
    """One channel that hears, and why it cannot be counted on; "": it works."""

    channel: Channel
    trouble: str = ""
    # Of a channel for who is on duty: who that is. None: nobody.
    on_duty: OnDuty | None = None


@dataclass(frozen=True, slots=True)
class Hearing:
    """Where an alert goes."""

    listeners: tuple[Listener, ...]
    routes: tuple[Route, ...] = ()
    # Why the administrators would not hear either; "" while they need not, or would.
    no_administrators: str = ""

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(one.channel for one in self.listeners)

    @property
    def is_default(self) -> bool:
        """No route says anything: the default route is taken."""
        return not self.routes

    @property
    def works(self) -> bool:
        """Whether anybody would be told."""
        return any(not one.trouble for one in self.listeners)

    @property
    def why(self) -> str:
        """Why nobody would be told, without a full stop; "": somebody would be."""
        if self.works:
            return ""
        troubles = [one.trouble for one in self.listeners] or ["no alert channel hears about it"]
        return ", and ".join(dict.fromkeys(filter(None, [*troubles, self.no_administrators])))


class Audience:
    """All channels and routes, read once, to tell of any number of services who hears at `now`.

    One query, or none with what `parts` names found already (opsboard.services.together); one more
    where there are channels to who is on duty, unless all `rotas` were read already.
    """

    def __init__(
        self,
        now: datetime,
        found: Mapping[str, list[Any]] | None = None,
        rotas: Mapping[int, Reading] | None = None,
    ) -> None:
        self.now, self._known_rotas = now, rotas
        found = load_together(**self.parts()) if found is None else found
        standing = sorted(found["channels"], key=attrgetter("pk"))
        self.channels: dict[int, Channel] = {channel.pk: channel for channel in standing}
        # Routes that lead somewhere, by number, and the numbers of the channels they lead to.
        self.routes: dict[int, Route] = {}
        self.leads: dict[int, list[int]] = defaultdict(list)
        for link in sorted(found["leads"], key=attrgetter("route.name", "route_id", "channel_id")):
            if link.channel_id in self.channels:
                self.routes[link.route_id] = link.route
                self.leads[link.route_id].append(link.channel_id)
        # The channels that hear when nobody acknowledges, by the number of the route.
        self.second_steps: dict[int, list[Channel]] = defaultdict(list)
        for link in sorted(found["second"], key=attrgetter("channel_id")):
            if link.route_id in self.routes and link.channel_id in self.channels:
                self.second_steps[link.route_id].append(self.channels[link.channel_id])
        self.rules = [rule_of(one, self.leads[one.pk]) for one in self.routes.values()]
        self._defaults: dict[int | None, list[int]] = {}
        self._heard: dict[tuple[About, ...], Hearing] = {}
        self._listeners: dict[int, Listener] = {}

    @staticmethod
    def parts() -> dict[str, QuerySet[Any]]:
        links = Route.channels.through.objects.filter(route__removed_at=None)
        return {
            "channels": Channel.objects.standing().select_related("team"),
            "leads": links.select_related("route"),
            "second": Route.escalate_to.through.objects.filter(route__removed_at=None),
        }

    def of_path(self, path: CriticalPath, environment: str, *, kind: AlertKind) -> Hearing:
        """When this path alone fails. Its service is at hand."""
        teams = [path.service.team_id, path.owner_id or path.service.team_id]
        return self.of(teams, tier=path.service.tier, environment=environment, kind=kind)

    def of(
        self, teams: Iterable[int | None], *, tier: int, environment: str, kind: AlertKind
    ) -> Hearing:
        """When something of these teams fails; None: a team that is not stored yet."""
        asked = tuple(About(team, tier, environment, kind) for team in dict.fromkeys(teams))
        if asked not in self._heard:
            self._heard[asked] = self._hear(asked)
        return self._heard[asked]

    def routes_at(self, abouts: Iterable[About], at: datetime) -> list[Route]:
        """The routes that an alert took at a moment."""
        numbers = {rule.number for about in abouts for rule in taken(self.rules, about, at)}
        return [route for number, route in self.routes.items() if number in numbers]

    def of_administrators(self) -> Hearing:
        """For what only they can mend; where they cannot be told, for everybody's channels."""
        trouble = self._no_administrators
        if not trouble:
            return Hearing((self._built_in,))
        everybody = tuple(self._listener(number) for number in self._default(None))
        return Hearing(everybody, no_administrators=trouble)

    def _hear(self, abouts: Iterable[About]) -> Hearing:
        channels: dict[int, None] = {}
        numbers: dict[int, None] = {}
        for about in abouts:
            default = self._default(about.team)
            led, by = destinations(self.rules, about, self.now, default=default)
            channels |= dict.fromkeys(led)
            numbers |= dict.fromkeys(by)
        listeners = tuple(self._listener(number) for number in sorted(channels))
        routes = tuple(self.routes[number] for number in numbers)
        if any(not one.trouble for one in listeners):
            return Hearing(listeners, routes)
        if self._no_administrators or self._built_in in listeners:
            return Hearing(listeners, routes, self._no_administrators)
        return Hearing((*listeners, self._built_in), routes)

    def _default(self, team: int | None) -> list[int]:
        """A team's own channels, and those of everybody."""
        if team not in self._defaults:
            self._defaults[team] = [
                channel.pk
                for channel in self.channels.values()
                if channel.kind != Channel.Kind.ADMINISTRATORS and channel.team_id in (None, team)
            ]
        return self._defaults[team]

    def _listener(self, number: int) -> Listener:
        if number not in self._listeners:
            channel = self.channels[number]
            on_duty = self._on_duty(channel)
            trouble = self._trouble(channel, on_duty)
            self._listeners[number] = Listener(channel, trouble, on_duty)
        return self._listeners[number]

    def _on_duty(self, channel: Channel) -> OnDuty | None:
        if channel.kind != Channel.Kind.DUTY or channel.team_id is None:
            return None
        reading = self._rotas.get(channel.team_id)
        return reading.on_duty(self.now) if reading else None

    def _trouble(self, channel: Channel, on_duty: OnDuty | None) -> str:
        if channel.failing_since:
            since = f"{channel.failing_since:%H:%M UTC on %-d %B}"
            return f"{channel.name} has not delivered since {since}"
        if channel.kind in BY_MAIL and not settings.MAILERS:
            return NO_MAIL
        if channel.kind == Channel.Kind.ADMINISTRATORS:
            return self._no_administrators
        if channel.kind == Channel.Kind.DUTY:
            return _trouble_of_duty(channel, on_duty)
        return _trouble_of_address(channel)

    @cached_property
    def _built_in(self) -> Listener:
        stored = (one for one in self.channels.values() if one.kind == Channel.Kind.ADMINISTRATORS)
        channel = next(stored, None) or Channel(
            name=ADMINISTRATORS, kind=Channel.Kind.ADMINISTRATORS
        )
        return Listener(channel, self._trouble(channel, None))

    @cached_property
    def _no_administrators(self) -> str:
        if not settings.MAILERS:
            return NO_MAIL
        return "" if administrators().exclude(email="").exists() else NO_ADMINISTRATOR

    @cached_property
    def _rotas(self) -> Mapping[int, Reading]:
        if self._known_rotas is not None:
            return self._known_rotas
        of_duty = {one.team_id for one in self.channels.values() if one.kind == Channel.Kind.DUTY}
        return read_rotas(number for number in of_duty if number is not None)


def _trouble_of_duty(channel: Channel, on_duty: OnDuty | None) -> str:
    if channel.team is None:
        return f"{channel.name} is for who is on duty, and is of no team"
    if on_duty is None:
        return f"nobody of {channel.team.name} is on duty"
    if not on_duty.person.email:
        name = on_duty.person.get_full_name() or on_duty.person.get_username()
        return f"{name}, who is on duty, has no e-mail address"
    return ""


def _trouble_of_address(channel: Channel) -> str:
    try:
        return "" if channel.reveal_address() else f"{channel.name} has no address"
    except CannotDecrypt:
        return f"the address of {channel.name} cannot be decrypted"


def rule_of(route: Route, channels: Iterable[int]) -> Rule:
    return Rule(
        number=route.pk,
        team=route.team_id,
        tier=route.tier,
        environment=route.environment_slug,
        kind=route.kind,
        days=tuple(route.days),
        from_time=route.from_time,
        to_time=route.to_time,
        zone=route.zone,
        channels=tuple(channels),
    )


def who_hears(
    service: Service,
    environment: Environment,
    *,
    kind: AlertKind,
    now: datetime,
    owners: Iterable[Team] = (),
) -> Hearing:
    """Where an alert about a service in an environment goes at `now`, its channels stored.

    `owners`: the owning teams of the paths it is about.
    """
    teams = [service.team_id, *(team.pk for team in owners)]
    heard = Audience(now).of(
        teams, tier=service.tier, environment=environment.slug, kind=AlertKind(kind)
    )
    return _stored(heard)


def who_hears_of(incident: Incident, *, kind: AlertKind, now: datetime) -> Hearing:
    """Where an alert about an incident goes: to the owners of all that fails in it."""
    places = incident.paths.filter(left_at=None).select_related("path__owner", "path__service")
    owners = [place.path.owning_team for place in places if place.path.owner_id is not None]
    return who_hears(incident.service, incident.environment, kind=kind, now=now, owners=owners)


def who_hears_of_team(team_id: int, *, now: datetime) -> list[Channel]:
    """Where goes what is of a team and of no service. Without a channel of theirs: nowhere."""
    heard = Audience(now).of([team_id], tier=0, environment="", kind=AlertKind.NOTICE)
    return [one for one in heard.channels if one.kind != Channel.Kind.ADMINISTRATORS]


def who_hears_administrators(*, now: datetime) -> Hearing:
    """Where goes what only the administrators can mend."""
    return _stored(Audience(now).of_administrators())


def _stored(heard: Hearing) -> Hearing:
    """With the channel of the administrators as a row, where it was only thought of."""
    listeners = tuple(
        one if one.channel.pk else Listener(administrators_channel(), one.trouble)
        for one in heard.listeners
    )
    return Hearing(listeners, heard.routes, heard.no_administrators)


def administrators_channel() -> Channel:
    """The built-in channel, made when it is first needed. A constraint keeps it one."""
    channel, _ = Channel.objects.standing().get_or_create(
        kind=Channel.Kind.ADMINISTRATORS, defaults={"name": ADMINISTRATORS}
    )
    return channel
