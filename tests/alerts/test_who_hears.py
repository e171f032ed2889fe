"""Who hears what, when: routes by what they match and when they hold; else the default route."""

from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from opsboard.alerts.hearing import (
    Audience,
    administrators_channel,
    who_hears,
    who_hears_administrators,
    who_hears_of,
)
from opsboard.alerts.models import AlertKind, Channel, Delivery, Route
from opsboard.alerts.planning import react
from opsboard.alerts.who_hears import About, Rule, holds, matches, taken
from opsboard.incidents.models import Incident
from opsboard.probes.models import Probe
from opsboard.services.models import CriticalPath, Rota, Service, Team
from tests.company import NOON, a_path, a_probe, a_service, production

BERLIN = ZoneInfo("Europe/Berlin")
ABOUT = About(team=7, tier=1, environment="production", kind="page")


def rule(**fields: Any) -> Rule:
    return Rule(**{"number": 1, "channels": (1,)} | fields)


@pytest.mark.parametrize(
    ("fields", "is_matched"),
    [
        ({}, True),
        ({"team": 7}, True),
        ({"team": 8}, False),
        ({"tier": 1}, True),
        ({"tier": 2}, False),
        ({"environment": "production"}, True),
        ({"environment": "staging"}, False),
        ({"kind": "page"}, True),
        ({"kind": "notice"}, False),
        ({"team": 7, "tier": 1, "environment": "production", "kind": "page"}, True),
        ({"team": 7, "tier": 1, "environment": "production", "kind": "notice"}, False),
    ],
)
def test_a_route_matches_all_that_it_names(fields: dict[str, Any], is_matched: bool) -> None:
    assert matches(rule(**fields), ABOUT, NOON) is is_matched


NIGHT = {"from_time": time(22), "to_time": time(6), "zone": "Europe/Berlin"}
OFFICE = {"from_time": time(9), "to_time": time(17), "zone": "Europe/Berlin"}
WEEKDAYS = (0, 1, 2, 3, 4)


@pytest.mark.parametrize(
    ("fields", "local", "does_hold"),
    [
        (OFFICE, "2026-11-25 08:59", False),
        (OFFICE, "2026-11-25 09:00", True),
        (OFFICE, "2026-11-25 16:59", True),
        (OFFICE, "2026-11-25 17:00", False),
        (OFFICE | {"days": WEEKDAYS}, "2026-11-28 12:00", False),
        (NIGHT, "2026-11-25 21:59", False),
        (NIGHT, "2026-11-25 22:00", True),
        (NIGHT, "2026-11-26 05:59", True),
        (NIGHT, "2026-11-26 06:00", False),
        # Of Friday: until Saturday morning, not until Friday morning.
        (NIGHT | {"days": (4,)}, "2026-11-27 22:30", True),
        (NIGHT | {"days": (4,)}, "2026-11-28 05:00", True),
        (NIGHT | {"days": (4,)}, "2026-11-27 05:00", False),
        (NIGHT | {"days": (4,)}, "2026-11-28 22:30", False),
        # Of Sunday into Monday: the week goes round.
        (NIGHT | {"days": (6,)}, "2026-11-30 01:00", True),
        ({"days": (5,), "zone": "Europe/Berlin"}, "2026-11-28 00:00", True),
        ({"days": (5,), "zone": "Europe/Berlin"}, "2026-11-27 23:59", False),
        # Summer time and winter time: nine o'clock stays nine o'clock.
        (OFFICE, "2026-07-15 09:00", True),
        (OFFICE, "2026-03-29 09:00", True),
        (OFFICE, "2026-10-25 08:59", False),
    ],
)
def test_a_route_holds_by_the_clock_of_its_zone(
    fields: dict[str, Any], local: str, does_hold: bool
) -> None:
    at = datetime.fromisoformat(local).replace(tzinfo=BERLIN).astimezone(UTC)
    assert holds(rule(**fields), at) is does_hold


def test_a_zone_that_this_machine_does_not_know_is_read_as_utc() -> None:
    assert holds(rule(**OFFICE | {"zone": "Mars/Olympus"}), NOON)


def test_a_route_without_a_channel_that_stands_is_none() -> None:
    assert taken([rule(channels=())], ABOUT, NOON) == []


# With the database


def a_channel(name: str, team: Team | None = None, **fields: Any) -> Channel:
    channel = Channel(**{"name": name, "kind": Channel.Kind.WEBHOOK, "team": team} | fields)
    if channel.kind not in (Channel.Kind.DUTY, Channel.Kind.ADMINISTRATORS):
        channel.keep(address=fields.get("address", "https://hooks.skerry.example/1"))
    channel.save()
    return channel


def a_route(name: str, *channels: Channel, **fields: Any) -> Route:
    route = Route.objects.create(name=name, **fields)
    route.channels.set(channels)
    return route


def heard(service: Service, kind: AlertKind = AlertKind.PAGE, now: datetime = NOON) -> list[str]:
    hearing = who_hears(service, production(service), kind=kind, now=now)
    return [channel.name for channel in hearing.channels]


@pytest.fixture
def fares(db: None) -> Service:
    return a_service("fares-api")


@pytest.fixture
def post(settings: LazySettings) -> None:
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}


@pytest.fixture
def layla(administrator: User) -> User:
    administrator.email = "layla@skerry.example"
    administrator.save()
    return administrator


def test_without_a_route_the_teams_channels_and_those_of_everybody_hear(fares: Service) -> None:
    freight = Team.objects.create(slug="freight", name="Freight")
    a_channel("Pricing", fares.team), a_channel("All"), a_channel("Freight", freight)
    assert heard(fares) == ["Pricing", "All"]


def test_routes_that_match_take_the_place_of_the_default_route(fares: Service) -> None:
    a_channel("All")
    desk, chat = a_channel("Desk"), a_channel("Chat")
    a_route("Pages", desk, kind="page")
    a_route("Pricing", desk, chat, team=fares.team)
    a_route("Of others", a_channel("Other"), tier=3)
    assert heard(fares) == ["Desk", "Chat"]
    hearing = who_hears(fares, production(fares), kind=AlertKind.PAGE, now=NOON)
    assert [route.name for route in hearing.routes] == ["Pages", "Pricing"]
    assert (hearing.is_default, hearing.works, hearing.why) == (False, True, "")


def test_when_no_route_holds_now_the_default_route_is_taken(fares: Service) -> None:
    a_channel("All")
    a_route("Nights", a_channel("Desk", Team.objects.create(slug="d")), **NIGHT)
    assert heard(fares) == ["All"]
    assert heard(fares, now=NOON.replace(hour=23)) == ["Desk"]


def test_a_removed_route_or_channel_leads_nowhere(fares: Service) -> None:
    a_channel("All")
    desk = a_channel("Desk", Team.objects.create(slug="d"))
    a_route("Gone", desk, removed_at=NOON)
    assert heard(fares) == ["All"]
    a_route("To nobody", desk)
    desk.removed_at = NOON
    desk.save()
    assert heard(fares) == ["All"]


def test_the_owner_of_a_path_hears_as_well_as_the_team_of_its_service(fares: Service) -> None:
    ports = Team.objects.create(slug="ports", name="Ports")
    a_channel("Pricing", fares.team), a_channel("Ports", ports)
    path = a_path(fares, owner=ports)
    incident = Incident.objects.create(
        service=fares, environment=production(fares), title="It fails", opened_at=NOON
    )
    incident.paths.create(path=path, joined_at=NOON)
    hearing = who_hears_of(incident, kind=AlertKind.PAGE, now=NOON)
    assert [channel.name for channel in hearing.channels] == ["Pricing", "Ports"]
    incident.paths.update(left_at=NOON)
    hearing = who_hears_of(incident, kind=AlertKind.PAGE, now=NOON)
    assert [channel.name for channel in hearing.channels] == ["Pricing"]


def test_a_route_of_one_team_takes_nothing_from_the_other(fares: Service) -> None:
    ports = Team.objects.create(slug="ports", name="Ports")
    a_channel("Pricing", fares.team)
    a_route("Ports by day", a_channel("Quay", ports), team=ports)
    path = CriticalPath.objects.select_related("service").get(pk=a_path(fares, owner=ports).pk)
    hearing = Audience(NOON).of_path(path, "production", kind=AlertKind.PAGE)
    assert [channel.name for channel in hearing.channels] == ["Pricing", "Quay"]


def test_a_channel_that_fails_still_hears_but_the_administrators_hear_too(
    fares: Service, post: None, layla: User
) -> None:
    a_channel("All", failing_since=NOON)
    assert heard(fares) == ["All", "Administrators"]
    hearing = who_hears(fares, production(fares), kind=AlertKind.PAGE, now=NOON)
    assert hearing.works


def test_without_a_channel_the_administrators_hear_by_one_channel_of_their_own(
    fares: Service, post: None, layla: User
) -> None:
    assert heard(fares) == heard(fares, AlertKind.NOTICE) == ["Administrators"]
    assert Channel.objects.get().kind == Channel.Kind.ADMINISTRATORS
    assert administrators_channel() == administrators_channel()
    a_channel("All")
    assert heard(fares) == ["All"]
    [channel] = who_hears_administrators(now=NOON).channels
    assert channel == administrators_channel()


@pytest.mark.parametrize(
    ("channel", "why"),
    [
        ({"failing_since": NOON}, "All has not delivered since 12:00 UTC on 23 November, and no"),
        ({"kind": Channel.Kind.EMAIL}, "no mail server is set"),
        ({"kind": Channel.Kind.DUTY}, "no mail server is set"),
        (None, "no alert channel hears about it, and no mail server is set"),
    ],
)
def test_nobody_would_be_told_says_why(
    fares: Service, channel: dict[str, Any] | None, why: str
) -> None:
    if channel is not None:
        a_channel("All", **channel)
    hearing = who_hears(fares, production(fares), kind=AlertKind.PAGE, now=NOON)
    assert not hearing.works
    assert hearing.why.startswith(why)
    assert not Channel.objects.filter(kind=Channel.Kind.ADMINISTRATORS).exists()


def test_an_address_that_cannot_be_decrypted_is_no_address(fares: Service, post: None) -> None:
    Channel.objects.create(name="Lost", kind="webhook", address="nonsense")
    hearing = who_hears(fares, production(fares), kind=AlertKind.PAGE, now=NOON)
    assert hearing.why == (
        "the address of Lost cannot be decrypted, and no administrator has an e-mail address"
    )


def test_a_channel_for_who_is_on_duty_works_while_somebody_is(
    fares: Service, post: None, editor: User
) -> None:
    a_channel("Duty", fares.team, kind=Channel.Kind.DUTY)

    def why() -> str:
        hearing = Audience(NOON).of(
            [fares.team_id], tier=2, environment="production", kind=AlertKind.PAGE
        )
        return hearing.why

    assert why().startswith("nobody of Pricing is on duty, and")
    rota = Rota.objects.create(team=fares.team, starts_on=NOON.date(), hand_over_at=time(9), days=7)
    rota.turns.create(position=1, person=editor)
    assert why().startswith("Edith Moe, who is on duty, has no e-mail address")
    editor.email = "edith@skerry.example"
    editor.save()
    assert why() == ""
    rota.starts_on = NOON.date().replace(day=24)
    rota.save()
    assert why().startswith("nobody of Pricing is on duty")


def test_an_incident_is_told_by_the_routes_as_they_stand(fares: Service) -> None:
    a_channel("All")
    a_route("Production", a_channel("Desk"), environment_slug="production")
    path = a_path(fares)
    a_probe(path)
    Probe.objects.update(state="failing")
    react(path.pk, production(fares).pk, now=NOON)
    assert [one.channel.name for one in Delivery.objects.all()] == ["Desk"]


def test_many_services_are_told_of_with_as_many_queries_as_one(
    fares: Service, post: None, editor: User
) -> None:
    a_channel("Duty", fares.team, kind=Channel.Kind.DUTY)
    rota = Rota.objects.create(team=fares.team, starts_on=NOON.date(), hand_over_at=time(9))
    rota.turns.create(position=1, person=editor)
    a_route("Pages", a_channel("Desk"), kind="page", environment_slug="staging")
    services = [a_service() for _ in range(30)]

    def read(some: list[Service]) -> int:
        with CaptureQueriesContext(connection) as captured:
            audience = Audience(NOON)
            for service in some:
                for kind in AlertKind:
                    audience.of(
                        [service.team_id], tier=service.tier, environment="production", kind=kind
                    )
        return len(captured)

    assert read(services) == read(services[:1]) <= 8
