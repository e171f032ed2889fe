"""Services depend on services: an incident whose cause is another one below is linked to it.

Linked, it sends no page of its own, and offers the way back of the one below.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from opsboard.incidents.beginnings import beginning_of
from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.incidents.rules import Lower, is_seen_failing, lower_for
from opsboard.probes.models import Probe, moment
from opsboard.probes.rules import State
from opsboard.services.models import Service

Act = TimelineEntry.Act
# A chain of services that wait for one another is followed down so far.
DEEPEST = 5


def lowest_below(incident: Incident) -> Incident | None:
    """The open incident whose way back comes first; None: this one stands for itself."""
    found = None
    below = incident.below_id
    for _ in range(DEEPEST):
        if below is None:
            break
        lower = Incident.objects.open().standing().for_pages().filter(pk=below).first()
        if lower is None:
            break
        found, below = lower, lower.below_id
    return found


def link(incident: Incident, *, now: datetime) -> bool:
    """Bring what it is linked to in line with what is open now. Whether that changed.

    Call it in a transaction that holds the service's row.
    """
    below = _lower_of(incident)
    if below == incident.below_id:
        return False
    if incident.below is not None:
        _tell(incident, Act.UNLINKED, incident.below, now=now)
    incident.below = Incident.objects.get(pk=below) if below is not None else None
    incident.save(update_fields=["below"])
    if incident.below is not None:
        _tell(incident, Act.LINKED, incident.below, now=now)
    return True


def _tell(incident: Incident, act: str, lower: Incident, *, now: datetime) -> None:
    text = f"{lower} of {lower.service.name}: {lower.title}"
    incident.timeline.create(at=now, act=act, text=text, facts={"incident": lower.pk})


def _lower_of(incident: Incident) -> int | None:
    if incident.is_by_hand:
        # A person opened it though the one below may be open: it stands for itself.
        return None
    open_ones = (
        Incident.objects.open()
        .standing()
        .filter(service__called_by=incident.service_id, environment__slug=incident.environment.slug)
    )
    lowers = [Lower(one.pk, one.reopened_at or one.opened_at) for one in open_ones]
    if not lowers:
        return None
    return lower_for(beginning_of(incident), lowers, linked_to=incident.below_id)


def link_again(*, now: datetime) -> Iterator[Incident]:
    """Those whose link was out of line, brought in line one by one, each with its service held."""
    for incident in _may_be_linked():
        if _lower_of(incident) == incident.below_id:
            continue
        with transaction.atomic():
            Service.objects.select_for_update().get(pk=incident.service_id)
            held = Incident.objects.open().filter(pk=incident.pk).first()
            if held is not None and link(held, now=now):
                yield held


def _may_be_linked() -> list[Incident]:
    lower = Incident.objects.open().filter(
        service__called_by=OuterRef("service"), environment__slug=OuterRef("environment__slug")
    )
    open_ones = Incident.objects.open().filter(is_by_hand=False)
    found = open_ones.filter(Q(below__isnull=False) | Exists(lower))
    return list(found.select_related("environment", "service").order_by("pk"))


def fails_by_itself(incident: Incident, *, now: datetime) -> bool:
    """Whether it fails now that what it was linked to has ended: that may mend it a little later.

    It must be seen failing once more, or have had time enough to recover.
    """
    ended = incident.timeline.filter(act=Act.UNLINKED).order_by("-pk").first()
    if ended is None:
        return True
    return any(
        is_seen_failing(
            newest=probe.recent[-1:],
            observed_at=moment(probe.observed_at) if probe.observed_at is not None else None,
            since=ended.at,
            now=now,
            patience=_time_to_recover(probe),
        )
        for probe in _failing(incident)
    )


def _failing(incident: Incident) -> list[Probe]:
    probes = Probe.objects.active().filter(
        environment=incident.environment_id,
        path__incidents__in=incident.paths.filter(left_at=None),
        state=State.FAILING,
    )
    return list(probes.select_related("path"))


def _time_to_recover(probe: Probe) -> timedelta:
    return timedelta(microseconds=(probe.path.patience + 1) * probe.interval + probe.timeout)
