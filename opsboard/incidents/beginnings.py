"""When a failure began: before it was confirmed, at the first failing observation of its streak."""

from datetime import datetime

from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.probes import narrow
from opsboard.probes.models import Observation, Probe, microseconds, moment
from opsboard.probes.rules import State, Verdict

# Errors of our own in between neither extend nor end a streak.
SPARE = 5


def began_at(probes: list[Probe], *, now: datetime) -> datetime:
    """When the first of the failing ones among `probes` of one path began to fail."""
    failing = [probe for probe in probes if probe.state == State.FAILING]
    first = min((_first_failing(probe) for probe in failing), default=microseconds(now))
    return min(moment(first), now)


def _first_failing(probe: Probe) -> int:
    """Where a window is broken, single answers may be good: then when that was confirmed."""
    seen = Observation.objects.filter(probe=probe, slot_at__lte=probe.state_since)
    newest = seen.order_by("-slot_at").values_list("slot_at", "lateness", narrow.VERDICT.value)
    first = probe.state_since
    for slot_at, lateness, verdict in newest[: probe.path.patience + SPARE]:
        if verdict == Verdict.FAILING:
            first = min(first, slot_at + lateness)
        elif verdict != Verdict.ERROR:
            break
    return first


def beginning_of(incident: Incident) -> datetime:
    """When what it tells of began, the last time."""
    began = incident.timeline.filter(act__in=[TimelineEntry.Act.OPENED, TimelineEntry.Act.REOPENED])
    facts = began.order_by("-pk").values_list("facts", flat=True).first() or {}
    if "began" in facts:
        return datetime.fromisoformat(facts["began"])
    return incident.reopened_at or incident.opened_at


def failed_at(incident: Incident) -> datetime:
    """What was released until then can be what failed; what came after was a try to mend it."""
    return incident.reopened_at or incident.opened_at
