"""What a probe saw, and what an environment told, written by hand."""

from datetime import datetime
from typing import Any

from django.test import Client

from opsboard.outbound.reply import Reply
from opsboard.people.audit import Via
from opsboard.people.models import AuditEntry
from opsboard.probes.models import Probe
from opsboard.probes.recording import record
from opsboard.services.models import Environment, Running
from tests.company import claims, make_due, result_of


def observed(probe: Probe, *replies: Reply) -> Probe:
    """One observation for each reply, recorded as a worker would."""
    for reply in replies:
        make_due(probe)
        taken = next(one for one in claims() if one.probe_id == probe.pk)
        record([result_of(taken, reply)], now=taken.slot_at, react=lambda _: None)
    probe.refresh_from_db()
    return probe


def running(place: Environment, commit: str, *, at: datetime) -> None:
    Running.objects.create(environment=place, commit=commit, commit_since=at, told_at=at)


def send(ask: Client, address: str, body: object = None, **headers: str) -> Any:
    """A POST of JSON below /api/v1/; without a body when there is none to send."""
    sent: dict[str, Any] = {"content_type": "application/json"}
    if body is None:
        body = b""
    return ask.post(f"/api/v1/{address}", body, headers=headers, **sent)


def acts() -> list[tuple[str, str, str, str]]:
    """What the audit log says that programs did."""
    entries = AuditEntry.objects.filter(via=Via.API).order_by("pk")
    return list(entries.values_list("act", "kind", "subject", "via"))
