"""What happened on the board of the bench of pages: incidents, releases, changes, and what holds.

The first of each is of the first service: that is the one whose page is measured.
"""

import hashlib
import zlib
from datetime import datetime, timedelta

from django.contrib.auth.models import User

from opsboard.alerts.models import Channel, Delivery, Message, Notice, Route, Silence
from opsboard.changes.models import Act, Change, Comparison, Window
from opsboard.incidents.models import Incident, IncidentPath, TimelineEntry
from opsboard.probes.models import microseconds
from opsboard.releases.models import Decision, Evidence, Freeze, GateChoice, Hold, Override, Release
from opsboard.releases.reading import read_readiness
from opsboard.releases.rules import readiness_json
from opsboard.services.models import (
    ConfigKey,
    CriticalPath,
    Environment,
    MaintenanceWindow,
    Service,
    Team,
)
from script.bench_pages_board import BUSY, COMMIT, FIVE
from tests.web.measured import compared, csv_of

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
INCIDENTS, CHANGES = 300, 60
RELEASING, RELEASES_OF_EACH = 60, 5
GATES = ("lint", "unit", "integration", "config", "tag")


def seed_happenings(*, now: datetime) -> None:
    services = list(Service.objects.order_by("pk")[:INCIDENTS].select_related("team"))
    places = {place.service_id: place for place in Environment.objects.filter(slug="production")}
    person = User.objects.earliest("pk")
    channels = _channels(now=now)
    _incidents(services, places, channels, person, now=now)
    _releases(services[:RELEASING], person, now=now)
    _changes(services, places, person, now=now)
    _what_holds(services, person, now=now)


def _channels(*, now: datetime) -> list[Channel]:
    """One of each team and one for all; and routes, of which half are at night."""
    channels = []
    for team in [None, *Team.objects.order_by("pk")]:
        channel = Channel(
            name=f"{team or 'Everybody'} by mail", kind="email", team=team, delivered_at=now
        )
        channel.keep(address=f"{team.slug if team else 'all'}@ferry.example")
        channels.append(channel)
    Channel.objects.bulk_create(channels)
    for number, channel in enumerate(channels[:10]):
        route = Route.objects.create(
            name=f"Route {number}", team=channel.team, remind_every=15, escalate_after=30
        )
        route.channels.add(channel)
        route.escalate_to.add(channels[0])
    return channels


# Incidents ---------------------------------------------------------------------------------


def _incidents(
    services: list[Service],
    places: dict[int, Environment],
    channels: list[Channel],
    person: User,
    *,
    now: datetime,
) -> None:
    """Those of the first five services are open; each has been told of, and was taken."""
    incidents = Incident.objects.bulk_create(
        _incident(one, places[one.pk], number, person, now=now)
        for number, one in enumerate(services)
    )
    _timelines(incidents, person)
    _deliveries(incidents, channels)


def _incident(
    service: Service, place: Environment, number: int, person: User, *, now: datetime
) -> Incident:
    opened = now - (40 * MINUTE if number < FIVE else number * 7 * HOUR)
    at = opened.isoformat()
    return Incident(
        service=service,
        environment=place,
        title="Quote a crossing is failing",
        opened_at=opened,
        acknowledged_at=opened + 4 * MINUTE,
        acknowledged_by=person,
        resolved_at=None if number < FIVE else opened + 30 * MINUTE,
        cause={"sentence": "Deploy 0000001, 3 h before.", "deploy": None, "moved": [], "at": at},
    )


def _timelines(incidents: list[Incident], person: User) -> None:
    paths = CriticalPath.objects.filter(service__in=[one.service_id for one in incidents])
    by_service: dict[int, list[CriticalPath]] = {}
    for path in paths.order_by("pk"):
        by_service.setdefault(path.service_id, []).append(path)
    reason = "status is 503, expected 200"
    IncidentPath.objects.bulk_create(
        IncidentPath(
            incident=one, path=path, joined_at=one.opened_at, left_at=one.resolved_at, reason=reason
        )
        for one in incidents
        for path in by_service[one.service_id][:2]
    )
    acts = TimelineEntry.Act
    told = [(acts.OPENED, None), (acts.JOINED, None), (acts.ALERTED, None)]
    told += [(acts.ACKNOWLEDGED, person)] + [(acts.NOTED, person)] * 6
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            incident=one,
            at=one.opened_at + minute * MINUTE,
            act=act,
            by=by,
            path=by_service[one.service_id][0],
            text=reason if by is None else "It is the **new** price table; see `ferryctl log`.",
        )
        for one in incidents
        for minute, (act, by) in enumerate(told)
    )


def _deliveries(incidents: list[Incident], channels: list[Channel]) -> None:
    by_team = {channel.team_id: channel for channel in channels}
    told = [
        (one, channel)
        for one in incidents
        for channel in (by_team[None], by_team[one.service.team_id])
    ]
    messages = Message.objects.bulk_create(
        Message(
            channel=channel,
            content={"subject": one.title, "text": one.title},
            made_at=one.opened_at,
            next_attempt_at=microseconds(one.opened_at),
            attempts=1,
            delivered_at=one.opened_at + MINUTE / 10,
        )
        for one, channel in told
    )
    Delivery.objects.bulk_create(
        Delivery(
            channel=channel,
            incident=one,
            event=Delivery.Event.FAILING,
            created_at=one.opened_at,
            wanted_at=microseconds(one.opened_at),
            message=message,
        )
        for (one, channel), message in zip(told, messages, strict=True)
    )


# Releases ----------------------------------------------------------------------------------


def _releases(services: list[Service], person: User, *, now: datetime) -> None:
    """The newest of each waits, the others went out, a day apart."""
    ConfigKey.objects.bulk_create(
        ConfigKey(service=one, name=f"FERRY_KEY_{number}") for one in services for number in (1, 2)
    )
    GateChoice.objects.create(team=services[0].team, gate="security", words="S", need="advisory")
    made = Release.objects.bulk_create(
        Release(
            service=one,
            version=f"2026.11.{number}",
            commit=COMMIT,
            tag=f"v{number}",
            planned_at=now + (place + 1) * HOUR if number == RELEASES_OF_EACH else None,
            summary="Price crossings anew",
            commits=7,
            files=12,
            lines=240,
            named_at=now - (RELEASES_OF_EACH - number) * 24 * HOUR - 2 * HOUR,
            named_as="ci",
            released_at=_went_out(number, place, now),
        )
        for place, one in enumerate(services)
        for number in range(1, RELEASES_OF_EACH + 1)
    )
    _evidence(made)
    known = read_readiness(made, now=now)
    Decision.objects.bulk_create(
        Decision(
            release=one,
            kind=Decision.Kind.RELEASED,
            environment_slug="production",
            at=one.released_at,
            by=person,
            snapshot=readiness_json(known[one.pk]),
        )
        for one in made
        if one.released_at
    )
    waiting = next(one for one in made if one.released_at is None)
    Override.objects.create(
        release=waiting, gates=["unit"], asked_by=person, reason="Known", asked_at=now,
        ends_at=now + 2 * HOUR, needs_second=False,
    )  # fmt: skip


def _went_out(number: int, place: int, now: datetime) -> datetime | None:
    if number == RELEASES_OF_EACH:
        return None
    return now - (RELEASES_OF_EACH - number) * 24 * HOUR - place * 5 * MINUTE


def _evidence(releases: list[Release]) -> None:
    Evidence.objects.bulk_create(
        Evidence(
            release=one,
            gate=gate,
            outcome="failed" if gate == "unit" and one.pk % 7 == 1 else "passed",
            commit=COMMIT,
            environment_slug="staging" if gate in ("integration", "config") else "",
            started_at=one.named_at + run * MINUTE,
            finished_at=one.named_at + (run + 1) * MINUTE,
            received_at=one.named_at + (run + 1) * MINUTE,
            command=f"make {gate}",
            counts={"collected": 1284, "passed": 1281, "failed": 0, "skipped": 3},
            log_tail="A line of what the command said.\n" * 100,
            facts={"tag": one.tag, "object": COMMIT, "root": "r1"},
            by_name="CI run 18204",
        )
        for one in releases
        for gate in GATES
        for run in (1, 2)
    )


# Changes -----------------------------------------------------------------------------------


def _changes(
    services: list[Service], places: dict[int, Environment], person: User, *, now: datetime
) -> None:
    """Of the busy services; two in three are judged, each third collects its baseline."""
    judged = dict(compared("F3_real_fix"))
    for number in range(CHANGES):
        service = services[number % BUSY]
        path = service.paths.earliest("pk")
        begun = now - (number * 7 + 30) * HOUR
        change = Change.objects.create(
            title="Index fare rules by route and date", service=service, path=path,
            environment=places[service.pk], purpose="make prices faster", variables=["index"],
            commit=COMMIT, declared_at=begun, declared_by=person,
        )  # fmt: skip
        is_judged = number % 3 != 2
        attempt = Comparison.objects.create(
            change=change, number=1, began_at=begun, began_by=person,
            applied_at=begun + 12 * HOUR if is_judged else None,
        )  # fmt: skip
        _window(attempt, "before", begun, is_sealed=is_judged)
        if not is_judged:
            continue
        Act.objects.create(comparison=attempt, kind="applied", at=begun + 12 * HOUR, by=person)
        _window(attempt, "after", begun + 12 * HOUR, is_sealed=True)
        attempt.verdict, attempt.reason = judged["verdict"], judged["reason"]
        attempt.result, attempt.judged_at = judged, begun + 23 * HOUR
        attempt.save()


def _window(attempt: Comparison, side: str, at: datetime, *, is_sealed: bool) -> None:
    text = csv_of(side, 300)
    sealed = {
        "sealed_at": at + 10 * HOUR, "ended_at": at + 10 * HOUR, "count": 300,
        "sha256": hashlib.sha256(text).hexdigest(), "content": zlib.compress(text),
    }  # fmt: skip
    Window.objects.create(
        comparison=attempt, side=side, opened_at=at, starts_at=at, closes_at=at + 90 * 24 * HOUR,
        **(sealed if is_sealed else {}),
    )  # fmt: skip


# What holds --------------------------------------------------------------------------------


def _what_holds(services: list[Service], person: User, *, now: datetime) -> None:
    for number, one in enumerate(services[10:16]):
        Silence.objects.create(
            service=one, reason="Moves to the new host", starts_at=now - HOUR,
            ends_at=now + HOUR, by=person,
        )  # fmt: skip
        MaintenanceWindow.objects.create(
            name=f"Harbour works {number}", service=services[20 + number],
            starts_on=now.date() - timedelta(days=30), starts_at="02:00", minutes=60,
            repeats="daily", until=now.date() + timedelta(days=30), planned_by=person,
            planned_at=now - timedelta(days=31),
        )  # fmt: skip
    Freeze.objects.create(
        service=services[1], reason="Timetable", starts_at=now - HOUR, ends_at=now + HOUR,
        planned_by=person, planned_at=now,
    )  # fmt: skip
    Hold.objects.create(service=services[2], reason="Wait for the desk", by=person, at=now)
    Notice.objects.bulk_create(
        Notice(
            kind=Notice.Kind.WARNING, key=f"bench {one.pk}", service=one, began_at=now - HOUR,
            text=f"A path of {one.name} warns: cache is miss, expected hit.",
        )
        for one in services[FIVE : FIVE + 20]
    )  # fmt: skip
