"""Channels that deliver and that do not, messages of every outcome, and what holds alerts back."""

from datetime import time
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from opsboard.alerts.models import Channel, Delivery, Message, Notice, Route, Silence
from opsboard.alerts.telling import content_of
from opsboard.incidents.models import Incident
from opsboard.services.models import MaintenanceWindow
from tests.browser.everything.incidents import ABOVE, OPEN
from tests.browser.everything.services import DAY, HOUR, Made, now
from tests.web.releases import MINUTE

DEAD = UUID("8f14e45f-ceea-467f-a8e9-5c2c3c6a1b7d")
ADDRESSES = {
    "email": "ops@skerry.example",
    "duty": "",
    "webhook": "https://hooks.example/SECRET",
    "slack": "https://hooks.slack.com/SECRET",
    "teams": "https://a.logic.azure.com/SECRET",
    "pagerduty": "R" * 32,
    "apprise": "json://hooks.example/SECRET",
    "admins": "",
}


def make(editor: User, made: Made) -> None:
    channels = {kind: _channel(kind, made) for kind in ADDRESSES}
    incident = Incident.objects.get(pk=OPEN)
    _message(channels["email"], incident, delivered_at=now())
    _message(channels["slack"], incident, attempts=4, last_error="e" * 120)
    _message(channels["webhook"], incident, key=DEAD, attempts=9, dead_at=now(), last_error="410")
    Channel.objects.filter(kind="webhook").update(failing_since=now() - HOUR, last_error="410 Gone")
    _held(channels["teams"], Incident.objects.get(pk=ABOVE))
    _notices(channels, made)
    _routes(channels, made)
    _silences(editor, made)
    _windows(editor, made)


def _channel(kind: str, made: Made) -> Channel:
    team = made.team if kind in ("duty", "webhook") else None
    channel = Channel(name=f"{kind} " + "n" * 70, kind=kind, team=team)
    secret = "whsec_1" if kind == "webhook" else ""
    channel.keep(address=ADDRESSES[kind], signing_secret=secret)
    channel.save()
    return channel


def _message(channel: Channel, incident: Incident, **fields: Any) -> None:
    told = Delivery.objects.create(
        channel=channel, incident=incident, event="failing", created_at=now(), wanted_at=0
    )
    message = Message(channel=channel, made_at=now(), next_attempt_at=0, **fields)
    message.content = content_of([told], channel, now=now(), key=message.key)
    message.save()
    Delivery.objects.filter(pk=told.pk).update(message=message)


def _held(channel: Channel, incident: Incident) -> None:
    for number, by in enumerate(Delivery.HeldBy.values, start=1):
        Delivery.objects.create(
            channel=channel, incident=incident, event="reminder", number=number, held_by=by,
            created_at=now() - number * MINUTE, wanted_at=0, held_at=now(), reason="h" * 120 + ".",
        )  # fmt: skip


def _notices(channels: dict[str, Channel], made: Made) -> None:
    of = {"path": made.hold, "service": made.berths}
    for kind, fields in {
        "warning": of,
        "cert": of,
        "runs_out": {"team": made.team},
        "channel": {},
    }.items():
        for ended in (None, now()):
            notice = Notice.objects.create(
                kind=kind, key=f"{kind} {ended}", text=f"{kind} " + "o" * 120, ended_at=ended,
                began_at=now() - HOUR, **fields,
            )  # fmt: skip
            if kind == "warning":
                notice.deliveries.create(
                    channel=channels["email"], event="notice", created_at=now(), wanted_at=0
                )


def _routes(channels: dict[str, Channel], made: Made) -> None:
    narrow = Route.objects.create(
        name="Nights " + "r" * 80, team=made.team, tier=1, environment_slug="production",
        kind="page", days=[0, 1, 2], from_time=time(20), to_time=time(6), zone="Europe/Oslo",
        remind_every=15, escalate_after=30,
    )  # fmt: skip
    narrow.channels.add(channels["duty"], channels["slack"])
    narrow.escalate_to.add(channels["pagerduty"])
    Route.objects.create(name="Everything").channels.add(channels["email"])


def _silences(editor: User, made: Made) -> None:
    for begins, ends, fields in [
        (now() - HOUR, now() + HOUR, {"service": made.fares, "path": made.price}),
        (now() + HOUR, now() + DAY, {"team": made.team, "environment_slug": "staging"}),
        (now() - DAY, now() - HOUR, {}),
    ]:
        Silence.objects.create(
            reason="loading new fares " + "l" * 90, starts_at=begins, ends_at=ends, by=editor,
            **fields,
        )  # fmt: skip


def _windows(editor: User, made: Made) -> None:
    for begins, fields in [
        (now() - HOUR / 2, {"service": made.berths}),
        (now() + DAY, {"team": made.team, "repeats": "weekly", "weekdays": [0, 4]}),
        (now() - 9 * DAY, {"removed_at": now() - 9 * DAY}),
    ]:
        until = (begins + 30 * DAY).date() if "repeats" in fields else None
        MaintenanceWindow.objects.create(
            name="nightly import " + "m" * 80, starts_on=begins.date(), starts_at=begins.time(),
            minutes=60, planned_at=begins - DAY, planned_by=editor, until=until, **fields,
        )  # fmt: skip
