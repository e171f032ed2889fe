"""A release on its way: what it is, what is known of it, and what was decided.

Evidence, overrides and decisions are append only: triggers in the database see to it, and to their
end with the release.
"""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from opsboard.releases.rules import NEEDS, OUTCOMES
from opsboard.services.models import CriticalPath, Environment, Service, Team
from opsboard.services.together import Moment


class ReleaseQuerySet(models.QuerySet["Release"]):
    def standing(self) -> "ReleaseQuerySet":
        """Those of services not removed."""
        return self.filter(service__removed_at=None)

    def waiting(self) -> "ReleaseQuerySet":
        """Not released yet, and not withdrawn."""
        return self.standing().filter(released_at=None, withdrawn_at=None)

    def released(self) -> "ReleaseQuerySet":
        return self.standing().filter(released_at__isnull=False)


class Release(models.Model):
    """One commit of one service on its way to an environment."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="releases")
    version = models.CharField(max_length=100)
    # In hexadecimal, lower case.
    commit = models.CharField(max_length=64)
    # "": none was named yet.
    tag = models.CharField(max_length=200, blank=True)
    # Where it goes, by its name in addresses.
    environment_slug = models.SlugField(max_length=40, default="production")
    planned_at = models.DateTimeField(null=True, blank=True)
    summary = models.CharField(max_length=300, blank=True)
    # The names of its migrations, in order.
    migrations = models.JSONField(default=list, blank=True)
    # None: nobody has said.
    commits = models.PositiveIntegerField(null=True, blank=True)
    files = models.PositiveIntegerField(null=True, blank=True)
    lines = models.PositiveIntegerField(null=True, blank=True)
    paths = models.ManyToManyField(CriticalPath, blank=True, related_name="releases")
    named_at = models.DateTimeField()
    named_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # Who, when no account says: the name of a token.
    named_as = models.CharField(max_length=120, blank=True)
    # When it first went out to where it goes: the time of the first such decision, for lists.
    released_at = models.DateTimeField(null=True, blank=True, db_index=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = ReleaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "version"], name="one_release_of_a_version")
        ]

    def __str__(self) -> str:
        return f"{self.service.slug} {self.version}"


class Evidence(models.Model):
    """A dated, sourced answer to a gate. Append only; the newest `started_at` of a gate wins."""

    # A trigger removes it with its release, and nothing else can.
    release = models.ForeignKey(Release, on_delete=models.DO_NOTHING, related_name="evidence")
    # "lint", "unit", "integration", "config", "tag", "paths", or a team's own.
    gate = models.SlugField(max_length=40)
    outcome = models.CharField(max_length=12, choices=[(word, word) for word in OUTCOMES])
    commit = models.CharField(max_length=64)
    # "": it is of no environment.
    environment_slug = models.SlugField(max_length=40, blank=True)
    started_at = models.DateTimeField()
    # None: it runs still.
    finished_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField()
    command = models.TextField(blank=True)
    exit_code = models.SmallIntegerField(null=True, blank=True)
    # {"collected", "passed", "failed", "skipped"}, whole numbers; {}: none were reported.
    counts = models.JSONField(default=dict, blank=True)
    tool = models.CharField(max_length=120, blank=True)
    url = models.CharField(max_length=2000, blank=True)
    log_tail = models.TextField(blank=True)
    assumptions = models.JSONField(default=list, blank=True)
    metrics = models.JSONField(default=dict, blank=True)
    # What only one gate has: {"tag", "object"} of a tag, {"root", "report"} of a config check.
    facts = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    by_name = models.CharField(max_length=120, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["release", "gate", "started_at"], name="evidence_newest_of_gate")
        ]

    def __str__(self) -> str:
        return f"{self.gate} {self.outcome} of {self.release}"


class Override(models.Model):
    """A named person asks to accept a named risk until a named time. Append only.

    It never paints a gate green. What became of it stands in its acts.
    """

    release = models.ForeignKey(Release, on_delete=models.DO_NOTHING, related_name="overrides")
    gates = models.JSONField(default=list)
    reason = models.TextField()
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    # A gate that is not met takes a second person, unless there is only one editor.
    needs_second = models.BooleanField()
    is_alone = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("asked_at")), name="an_override_ends")
        ]

    def __str__(self) -> str:
        return f"override of {', '.join(self.gates)} of {self.release}"


class OverrideAct(models.Model):
    """What became of an override: a second person accepted it, or it was taken back."""

    class Act(models.TextChoices):
        ACCEPTED = "accepted"
        TAKEN_BACK = "taken back"

    override = models.ForeignKey(Override, on_delete=models.DO_NOTHING, related_name="acts")
    act = models.CharField(max_length=10, choices=Act)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.override} {self.act}"


class Decision(models.Model):
    """What somebody decided of a release, with the readiness it was decided on. Append only."""

    class Kind(models.TextChoices):
        RELEASED = "released", "Released"
        RELEASED_ANYWAY = "anyway", "Released anyway"
        ROLLED_BACK = "rolled back", "Rolled back"

    release = models.ForeignKey(Release, on_delete=models.DO_NOTHING, related_name="decisions")
    kind = models.CharField(max_length=11, choices=Kind)
    environment_slug = models.SlugField(max_length=40)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    by_name = models.CharField(max_length=120, blank=True)
    reason = models.TextField(blank=True)
    # The readiness then, as opsboard.releases.rules.readiness_json writes it.
    snapshot = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["release", "at"], name="decision_by_time")]

    def __str__(self) -> str:
        return f"{self.release} {self.kind}"


class FreezeQuerySet(models.QuerySet["Freeze"]):
    def standing(self) -> "FreezeQuerySet":
        """Those not called off."""
        return self.filter(removed_at=None)

    def open(self, now: Moment) -> "FreezeQuerySet":
        return self.standing().filter(starts_at__lte=now, ends_at__gt=now)


class Freeze(models.Model):
    """A time in which nothing is to go out: a state of the service, not a gate. It always ends."""

    # Each None or "" stands for all.
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="freezes"
    )
    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, null=True, blank=True, related_name="freezes"
    )
    environment_slug = models.SlugField(max_length=40, blank=True)
    reason = models.CharField(max_length=300)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    planned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    planned_at = models.DateTimeField()
    # Called off, or ended early: it stood until then.
    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = FreezeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="a_freeze_ends")
        ]

    def __str__(self) -> str:
        return self.reason


class HoldQuerySet(models.QuerySet["Hold"]):
    def open(self) -> "HoldQuerySet":
        return self.filter(ended_at=None)


class Hold(models.Model):
    """Nothing of this service goes out until somebody writes why it may again."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="holds")
    reason = models.CharField(max_length=300)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    by_name = models.CharField(max_length=120, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # Why it may go out again.
    ended_because = models.CharField(max_length=300, blank=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service"], condition=Q(ended_at=None), name="one_open_hold"
            )
        ]

    def __str__(self) -> str:
        return self.reason


class GateChoice(models.Model):
    """What a team, or one of its services, wants of a gate. A service's choice beats its team's."""

    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="gate_choices"
    )
    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, null=True, blank=True, related_name="gate_choices"
    )
    gate = models.SlugField(max_length=40)
    # The words of a gate of their own; "": one that Opsboard knows.
    words = models.CharField(max_length=120, blank=True)
    need = models.CharField(max_length=8, choices=[(word, word) for word in NEEDS])
    # Seconds until evidence is out of date. None: as the gate has it.
    lasts = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(team=None, service__isnull=False) | Q(team__isnull=False, service=None),
                name="a_gate_choice_is_of_one",
            ),
            models.UniqueConstraint(
                fields=["team", "gate"],
                condition=Q(team__isnull=False),
                name="one_choice_of_a_team",
            ),
            models.UniqueConstraint(
                fields=["service", "gate"],
                condition=Q(service__isnull=False),
                name="one_choice_of_a_service",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gate}: {self.need}"


class ConfigReport(models.Model):
    """Fingerprints of a service's configuration in an environment, never a value."""

    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="config_reports"
    )
    # As opsboard.instrument.config computes it from the fingerprints.
    root = models.CharField(max_length=64)
    at = models.DateTimeField()
    # By name: 16 hexadecimal digits; null: the key is not set there.
    fingerprints = models.JSONField(default=dict)
    # By name: whether the rule that is judged beside the service holds.
    rules = models.JSONField(default=dict)
    # Which key the fingerprints were made with, as opsboard.instrument.config marks it: those of
    # another say nothing beside these.
    made_with = models.CharField(max_length=16)
    by_name = models.CharField(max_length=120, blank=True)

    class Meta:
        indexes = [models.Index(fields=["environment", "at"], name="config_report_by_time")]

    def __str__(self) -> str:
        return f"configuration of {self.environment}"
