"""Paths that fail and recover, and time that goes by, for tests of alerts."""

from datetime import UTC, datetime, timedelta

from django.db.models import F

from opsboard.alerts.delivering import deliver
from opsboard.alerts.models import Delivery, Message
from opsboard.alerts.planning import react
from opsboard.incidents.models import Incident
from opsboard.probes.models import Probe
from opsboard.rollbacks.models import RollbackNote
from opsboard.services.models import CriticalPath
from tests.company import SECOND, a_path, a_probe, a_service, production


def a_failing_path(slug: str = "fares-api") -> CriticalPath:
    path = a_path(a_service(slug), name="Price a crossing")
    note = RollbackNote.objects.create(service=path.service)
    note.write(
        title="Go back to the previous release",
        use_when="",
        does_not_undo="",
        minutes=4,
        steps=[{"do": "Hold new releases", "run": "fares hold", "see": "held", "call": ""}],
        reason="",
        by=None,
        now=datetime.now(UTC),
    )
    a_probe(path)
    become(path, "failing")
    return path


def become(path: CriticalPath, state: str) -> None:
    Probe.objects.filter(path=path).update(state=state, reason="status is 503, expected 200")
    react(path.pk, production(path.service).pk, now=datetime.now(UTC))


def pass_by(seconds: float) -> None:
    """As if all that was written had been written so many seconds earlier."""
    by, micros = timedelta(seconds=seconds), round(seconds * SECOND)
    Delivery.objects.update(created_at=F("created_at") - by, wanted_at=F("wanted_at") - micros)
    Message.objects.update(made_at=F("made_at") - by, next_attempt_at=F("next_attempt_at") - micros)
    Message.objects.exclude(leased_until=None).update(leased_until=F("leased_until") - micros)
    Incident.objects.update(opened_at=F("opened_at") - by)


def send(*, after: float = 2) -> int:
    """What the senders do when so many seconds have gone by."""
    pass_by(after)
    return deliver(is_stopping=lambda: False)
