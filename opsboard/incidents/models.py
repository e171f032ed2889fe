"""A period in which a service hurts: open, acknowledged, resolved; read from its dates."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from opsboard.services.models import CriticalPath, Environment, Service

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User


class IncidentQuerySet(models.QuerySet["Incident"]):
    def open(self) -> "IncidentQuerySet":
        return self.filter(resolved_at=None)

    def standing(self) -> "IncidentQuerySet":
        """Those of services and environments not removed."""
        return self.filter(service__removed_at=None, environment__removed_at=None)

    def for_pages(self) -> "IncidentQuerySet":
        return self.select_related("service__team", "environment", "acknowledged_by")


class Incident(models.Model):
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="incidents")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="incidents")
    title = models.CharField(max_length=300)
    opened_at = models.DateTimeField()
    # Opened by a person: it is resolved by a person too, even when no path fails any more.
    is_by_hand = models.BooleanField(default=False)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # How often it began: failing again soon after it was resolved continues the same incident.
    openings = models.PositiveSmallIntegerField(default=1)
    # None: it began once. Its opened_at stays the first beginning.
    reopened_at = models.DateTimeField(null=True, blank=True)
    # The incident of a service this one depends on, that was open before this one began: its way
    # back comes first, and this one sends no page of its own. None: it stands for itself.
    below = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="above"
    )
    # As computed when it began: opsboard.incidents.cause says what it holds. {}: not computed.
    cause = models.JSONField(default=dict, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # Who acknowledged, when that was by the link in a message and no account is known: the name of
    # the channel that was told, or what the person wrote. "": acknowledged_by says.
    acknowledged_as = models.CharField(max_length=120, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    # None with a resolved_at: it resolved itself, because every path recovered.
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    # What was learned, written once it is over.
    afterword = models.TextField(blank=True)
    afterword_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    afterword_at = models.DateTimeField(null=True, blank=True)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "environment"],
                condition=Q(resolved_at=None),
                name="one_open_incident",
            )
        ]

    def __str__(self) -> str:
        return f"INC-{self.pk:04d}"

    @property
    def is_open(self) -> bool:
        return self.resolved_at is None

    def acknowledge(self, *, by: "User | None", now: "datetime", by_name: str = "") -> bool:
        """Say a person has taken this. The first person wins; a resolved one is left alone.

        Without an account, `by_name` says who it was.
        """
        with transaction.atomic():
            taken = (
                Incident.objects.open()
                .filter(pk=self.pk, acknowledged_at=None)
                .update(
                    acknowledged_at=now,
                    acknowledged_by=by,
                    acknowledged_as="" if by else by_name,
                )
            )
            if taken:
                name = "" if by else by_name
                self.timeline.create(
                    at=now, act=TimelineEntry.Act.ACKNOWLEDGED, by=by, by_name=name
                )
        self.refresh_from_db()
        return bool(taken)

    def note(self, text: str, *, by: "User", now: "datetime") -> "TimelineEntry":
        """What a person has to tell, kept in the timeline."""
        return self.timeline.create(at=now, act=TimelineEntry.Act.NOTED, by=by, text=text)

    def resolve(self, *, by: "User", now: "datetime", text: str = "") -> bool:
        """Say it is over. The first to say so wins.

        Paths that fail still keep their places: see opsboard.incidents.reacting. Who is told of it
        is planned by opsboard.alerts.planning.resolve.
        """
        with transaction.atomic():
            # As recording does, so that no path joins while it ends.
            Service.objects.select_for_update().get(pk=self.service_id)
            ended = (
                Incident.objects.open().filter(pk=self.pk).update(resolved_at=now, resolved_by=by)
            )
            if ended:
                self.timeline.create(at=now, act=TimelineEntry.Act.RESOLVED, by=by, text=text)
        self.refresh_from_db()
        return bool(ended)

    def write_afterword(self, text: str, *, by: "User", now: "datetime") -> None:
        """What was learned. Each writing is kept in the timeline; the newest is shown."""
        with transaction.atomic():
            Incident.objects.filter(pk=self.pk).update(
                afterword=text, afterword_by=by, afterword_at=now
            )
            self.timeline.create(at=now, act=TimelineEntry.Act.AFTERWORD, by=by, text=text)
        self.refresh_from_db()


class IncidentPath(models.Model):
    """A failing path in an incident. `left_at` is None while it still fails."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="paths")
    path = models.ForeignKey(CriticalPath, on_delete=models.CASCADE, related_name="incidents")
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "path"], name="a_path_joins_once")
        ]

    def __str__(self) -> str:
        return f"{self.path} in {self.incident}"


class TimelineEntry(models.Model):
    """What happened, in order. Append only: the database sees to it, and to its end."""

    class Act(models.TextChoices):
        OPENED = "opened"
        JOINED = "joined"
        LEFT = "left"
        ALERTED = "alerted"
        ACKNOWLEDGED = "acknowledged"
        REMINDED = "reminded"
        ESCALATED = "escalated"
        NOTED = "noted"
        LINKED = "linked"
        UNLINKED = "unlinked"
        ROLLBACK_STARTED = "started"
        STEP_DONE = "done"
        STEP_UNDONE = "undone"
        RESOLVED = "resolved"
        REOPENED = "reopened"
        AFTERWORD = "afterword"

    # A trigger removes the entries of an incident that has gone, and nothing else can.
    incident = models.ForeignKey(Incident, on_delete=models.DO_NOTHING, related_name="timeline")
    at = models.DateTimeField()
    act = models.CharField(max_length=12, choices=Act)
    path = models.ForeignKey(
        CriticalPath, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # None: Opsboard itself.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # Who, when no account says: see Incident.acknowledged_as.
    by_name = models.CharField(max_length=120, blank=True)
    text = models.TextField(blank=True)
    # What the act is about, for pages: {"note": 3, "version": 6, "step": 2}, {"incident": 411}.
    facts = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return f"{self.incident} {self.act}"
