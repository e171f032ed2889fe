"""What the page of alerts shows: which channels deliver, and what was sent."""

from datetime import datetime
from typing import Any

from django.db.models import FETCH_RAISE, Q

from opsboard.alerts.models import Channel, Delivery
from opsboard.alerts.showing import without_keys
from opsboard.incidents.models import Incident
from opsboard.web.channel_rows import channel_rows
from opsboard.web.sentences import channels_head
from opsboard.web.who_hears import teams_unheard
from opsboard.web.words import clock

DELIVERIES_SHOWN = 50


def read_alerts(*, may_edit: bool, now: datetime) -> dict[str, Any]:
    channels = list(
        Channel.objects.filter(removed_at=None)
        .select_related("team")
        .order_by("name", "pk")
        .fetch_mode(FETCH_RAISE)
    )
    deliveries = list(
        Delivery.objects.filter(Q(incident=None) | Q(incident__in=Incident.objects.standing()))
        .select_related("channel", "incident", "notice", "message")
        .order_by("-created_at", "-pk")
        .fetch_mode(FETCH_RAISE)[:DELIVERIES_SHOWN]
    )
    failing = [clock(since, now) for one in channels if (since := one.failing_since)]
    return {
        "unheard": teams_unheard(now=now) if channels else [],
        "rows": channel_rows(channels, may_edit=may_edit),
        "head": channels_head(failing, len(channels)),
        "deliveries": deliveries,
        **_example(deliveries),
    }


def _example(deliveries: list[Delivery]) -> dict[str, Any]:
    """The newest message about an incident, without the links that acknowledge."""
    newest = next((one for one in deliveries if one.incident_id and one.message), None)
    if newest is None or newest.message is None:
        return {"example": None}
    return {"example": newest, "example_content": without_keys(newest.message.content)}
