"""What silences and maintenance windows hold back of what a page is about."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import template

from opsboard.alerts.holding import Hold, Overlays, failing_paths
from opsboard.alerts.models import Delivery
from opsboard.incidents.models import Incident
from opsboard.services.models import CriticalPath, Environment, Service

register = template.Library()


@register.inclusion_tag("_overlays.html")
def overlays(
    service: Service, environment: Environment | None, path: CriticalPath | None, now: datetime
) -> dict[str, Any]:
    """The overlays of a path, or with `path` None of the whole service, in an environment."""
    if environment is None:
        return _context([])
    found = Overlays.load(now=now).of_place(service, path, environment.slug)
    return _context(found)


@register.inclusion_tag("_overlays.html")
def overlays_of_incident(incident: Incident, now: datetime) -> dict[str, Any]:
    """What holds an open incident back; one that is over is told or it is not."""
    return _context(_of_incident(incident, now) if incident.is_open else [])


def _of_incident(incident: Incident, now: datetime) -> Sequence[Hold]:
    known = Overlays.load(now=now)
    if not known:
        return []
    hold = known.of_incident(incident, failing_paths([incident.pk]).get(incident.pk, []))
    return [hold] if hold else []


def _context(holds: Sequence[Hold]) -> dict[str, Any]:
    """The first words of each apart: they stand beside its mark."""
    return {"holds": [_parted(hold) for hold in holds]}


def _parted(hold: Hold) -> dict[str, Any]:
    is_window = hold.by == Delivery.HeldBy.WINDOW
    label = "In maintenance" if is_window else "Silenced"
    return {"label": label, "rest": hold.reason.removeprefix(label), "is_window": is_window}
