"""An incident that a person opens: something hurts that no path shows."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from opsboard.incidents.models import Incident, TimelineEntry
from opsboard.incidents.suspecting import suspect
from opsboard.services.models import Environment, Service


class AlreadyOpen(Exception):
    """The service has an open incident in this environment; the message says which."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(
            f"{incident} of {incident.service.name} is open in {incident.environment.slug}: "
            "write an update there."
        )
        self.incident = incident


@transaction.atomic
def open_by_hand(
    service: Service, environment: Environment, *, title: str, by: User, now: datetime
) -> Incident:
    """Open it, without a path. Who hears is planned by opsboard.alerts.planning.open_by_hand.

    Raises AlreadyOpen: two people who open one at the same time share it.
    """
    Service.objects.select_for_update().get(pk=service.pk)
    incident = Incident.objects.open().filter(service=service, environment=environment).first()
    if incident is not None:
        raise AlreadyOpen(incident)
    incident = Incident.objects.create(
        service=service,
        environment=environment,
        title=title,
        opened_at=now,
        is_by_hand=True,
        opened_by=by,
    )
    incident.timeline.create(at=now, act=TimelineEntry.Act.OPENED, by=by, text=title)
    suspect(incident, now=now)
    return incident
