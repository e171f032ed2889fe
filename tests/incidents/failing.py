"""Paths that fail and recover by hand, at the minute a test says, and who was told of it."""

from datetime import datetime, timedelta

from opsboard.alerts.models import Channel, Delivery, Message
from opsboard.alerts.planning import react
from opsboard.incidents.models import Incident
from opsboard.probes.models import Observation, Probe, microseconds
from opsboard.services.models import CriticalPath
from tests.company import NOON, a_path, a_probe, a_service

LETTERS = {"passing": "p", "warning": "w", "failing": "f"}


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def everybody(name: str = "Everybody") -> Channel:
    channel = Channel(name=name, kind=Channel.Kind.EMAIL)
    channel.keep(address="everybody@skerry.example")
    channel.save()
    return channel


def become(path: CriticalPath, state: str, *, minute: float, reason: str = "status is 503") -> None:
    """Confirmed at that minute, in all of its places together."""
    stand(path, state, minute=minute, reason=reason)
    for place in path.service.environments.all():
        react(path.pk, place.pk, now=at(minute))


def stand(path: CriticalPath, state: str, *, minute: float, reason: str = "status is 503") -> None:
    """As `become`, but nothing has reacted to it."""
    if not Probe.objects.filter(path=path).exists():
        a_probe(path, now=at(-120))
    Probe.objects.filter(path=path).update(
        state=state,
        state_since=microseconds(at(minute)),
        observed_at=microseconds(at(minute)),
        recent=LETTERS.get(state, "") * 2,
        reason=reason if state == "failing" else "",
    )


def observe(path: CriticalPath, verdict: int, *, minute: float, **fields: object) -> None:
    """One scheduled observation, 50 ms late."""
    values: dict[str, object] = {
        "total": 20_000, "dns": 0, "connect": 1_000, "tls": 0, "first_byte": 18_000,
        "transfer": 1_000, "lateness": 50_000, "size": 2, "status": 200, "kind": 0, "cache": 0,
        "is_wrong": False, "is_delayed": False,
    }  # fmt: skip
    probe = Probe.objects.get(path=path)
    Observation.objects.create(
        probe=probe, slot_at=microseconds(at(minute)), verdict=verdict, **(values | fields)
    )


def acts(incident: Incident) -> list[str]:
    return list(incident.timeline.order_by("pk").values_list("act", flat=True))


def two_services() -> tuple[CriticalPath, CriticalPath]:
    """A path of fares-api, and one of the booking service, which depends on it."""
    below, above = a_service("fares-api"), a_service("booking")
    above.depends_on.add(below)
    return a_path(below, name="Price a crossing"), a_path(above, name="Book a crossing")


def send_all(*, minute: float) -> list[str]:
    """Make every due delivery a message that has arrived; what they told, in order."""
    due = Delivery.objects.waiting().filter(wanted_at__lte=microseconds(at(minute)))
    told = []
    for delivery in due.order_by("wanted_at", "pk"):
        delivery.message = Message.objects.create(
            channel=delivery.channel,
            content={},
            made_at=at(minute),
            next_attempt_at=0,
            delivered_at=at(minute),
        )
        delivery.save()
        told.append(f"{delivery.event} {delivery.opening}")
    return told
