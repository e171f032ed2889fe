"""What silences and maintenance windows hold back of what a page is about."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django import template

from opsboard.alerts.holding import Hold, Overlays
from opsboard.alerts.models import Delivery
from opsboard.incidents.models import Incident, IncidentPath
from opsboard.services.models import CriticalPath, Environment, Service

register = template.Library()


@register.inclusion_tag("_overlays.html")
def overlays(
    service: Service,
    environment: Environment | None,
    path: CriticalPath | None,
    now: datetime,
    known: Overlays | None = None,
) -> dict[str, Any]:
    """The overlays of a path, or with `path` None of the whole service, in an environment.

    `known`: what the page read already.
    """
    if environment is None:
        return _context([])
    found = Overlays.load(now=now) if known is None else known
    return _context(found.of_place(service, path, environment.slug))


@register.inclusion_tag("_overlays.html")
def overlays_of_incident(
    incident: Incident, places: Iterable[IncidentPath], now: datetime
) -> dict[str, Any]:
    """What holds an open incident back; one that is over is told or it is not.

    `places`: its paths.
    """
    if not incident.is_open:
        return _context([])
    failing = [place.path for place in places if place.left_at is None]
    hold = Overlays.load(now=now).of_incident(incident, failing)
    return _context([hold] if hold else [])


def _context(holds: Sequence[Hold]) -> dict[str, Any]:
    """The first words of each apart: they stand beside its mark."""
    return {"holds": [_parted(hold) for hold in holds]}


def _parted(hold: Hold) -> dict[str, Any]:
    is_window = hold.by == Delivery.HeldBy.WINDOW
    label = "In maintenance" if is_window else "Silenced"
    return {"label": label, "rest": hold.reason.removeprefix(label), "is_window": is_window}
