"""What a team operates, where it runs, and the sheets of its critical paths.

Durations are whole microseconds. Nothing here knows how a path is probed.
"""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from opsboard.services.saying import asked_words
from opsboard.services.secrets import decrypt, encrypt

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.contrib.auth.models import User

SECOND = 1_000_000
# How long what was removed can be brought back.
KEPT_AFTER_REMOVAL = timedelta(days=30)
# A tier 1 service is one the company cannot work without.
TIERS = [(1, "Tier 1"), (2, "Tier 2"), (3, "Tier 3")]


class Removable(models.Model):
    """Removed is a dated fact: the row stays, and can be brought back, for KEPT_AFTER_REMOVAL."""

    removed_at = models.DateTimeField(null=True, blank=True)
    removed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        abstract = True

    @property
    def goes_at(self) -> "datetime | None":
        """When it can no longer be brought back; None: it stands."""
        return self.removed_at + KEPT_AFTER_REMOVAL if self.removed_at else None

    def remove(self, *, by: "User | None", now: "datetime") -> None:
        self.removed_at, self.removed_by = now, by
        self.save(update_fields=["removed_at", "removed_by"])

    def restore(self) -> None:
        self.removed_at = self.removed_by = None
        self.save(update_fields=["removed_at", "removed_by"])


class TeamQuerySet(models.QuerySet["Team"]):
    def standing(self) -> "TeamQuerySet":
        """Those not removed."""
        return self.filter(removed_at=None)


class Team(Removable):
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    contact = models.CharField(max_length=200, blank=True)
    zone = models.CharField(max_length=60, default="UTC")
    # People may belong to several teams.
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="teams")

    objects = TeamQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class ServiceQuerySet(models.QuerySet["Service"]):
    def standing(self) -> "ServiceQuerySet":
        """Those not removed."""
        return self.filter(removed_at=None)

    def with_sheets(self) -> "ServiceQuerySet":
        """Everything the board and the service page read of a service, without a query a row."""
        standing = models.Prefetch("environments", Environment.objects.standing())
        return self.select_related("team").prefetch_related(standing)


class Service(Removable):
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, blank=True)
    tier = models.PositiveSmallIntegerField(choices=TIERS, default=2)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="services")
    # Where to look further, in the order written: a list of {"name", "url"}. "Repository",
    # "Runbook" and "Chat" are the names that pages look for.
    links = models.JSONField(default=list, blank=True)
    tags = models.JSONField(default=list, blank=True)
    # Whatever else is worth knowing, by name: a text, a list of texts, or texts by key.
    facts = models.JSONField(default=dict, blank=True)
    # The services this one calls. Never a circle: opsboard.services.about.circle_in tells.
    depends_on = models.ManyToManyField(
        "self", symmetrical=False, blank=True, related_name="called_by"
    )
    # Opsboard watching itself: the one service that may reach the board's own address.
    is_built_in = models.BooleanField(default=False)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_built_in"], condition=Q(is_built_in=True), name="one_built_in_service"
            )
        ]

    def __str__(self) -> str:
        return self.name


class EnvironmentQuerySet(models.QuerySet["Environment"]):
    def standing(self) -> "EnvironmentQuerySet":
        """Those not removed, of services not removed."""
        return self.filter(removed_at=None, service__removed_at=None)


class Environment(Removable):
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="environments")
    slug = models.SlugField(max_length=40, default="production")
    base_url = models.CharField(max_length=500)
    # Where the running version is told: "GET /version", and the JSON path of its commit.
    # Empty: the running commit is unknown, and is said to be.
    version_route = models.CharField(max_length=500, blank=True)
    version_commit = models.CharField(max_length=200, blank=True)
    # The JSON path of its config root, as opsboard.instrument.config computes it. Empty: not told.
    version_config_root = models.CharField(max_length=200, blank=True)

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "slug"], name="one_environment_of_a_name")
        ]

    def __str__(self) -> str:
        return f"{self.service.slug} in {self.slug}"

    def values(self) -> dict[str, str]:
        """The variables that are set by name, secrets decrypted. Raises CannotDecrypt."""
        variables = [one for one in self.variables.all() if not one.is_unset]
        return {variable.name: variable.reveal() for variable in variables}


class Variable(models.Model):
    """A value for {{ NAME }} in a sheet. A secret is encrypted and never shown again."""

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="variables")
    name = models.CharField(max_length=60)
    value = models.TextField(blank=True)
    is_secret = models.BooleanField(default=False)
    # The NAME of a board file's ${NAME} that gave the value; the whole text when ${NAME} stands
    # inside it, as in "Bearer ${TOKEN}"; "": it was typed.
    reference = models.CharField(max_length=8_000, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["environment", "name"], name="one_variable_of_a_name")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def _place(self) -> str:
        return f"variable:{self.environment_id}:{self.name}"

    @property
    def written(self) -> str:
        """The value as a board file wrote it, with its ${NAME}; "": it was typed."""
        is_name = self.reference and "${" not in self.reference
        return f"${{{self.reference}}}" if is_name else self.reference

    @property
    def is_unset(self) -> bool:
        """A secret that a board file names, and that nobody has given a value yet."""
        return self.is_secret and not self.value

    def keep(self, value: str) -> None:
        """Set the value, encrypted when this is a secret. Does not save."""
        self.value = encrypt(value, place=self._place) if self.is_secret else value

    def reveal(self) -> str:
        return decrypt(self.value, place=self._place) if self.is_secret else self.value


class CriticalPathQuerySet(models.QuerySet["CriticalPath"]):
    def standing(self) -> "CriticalPathQuerySet":
        """Those not removed, of services not removed."""
        return self.filter(removed_at=None, service__removed_at=None)


class CriticalPath(Removable):
    """One thing users need that must work. Its sheet is this row and its rollback note."""

    class Kind(models.TextChoices):
        HTTP = "http", "HTTP"
        TCP = "tcp", "TCP connection"
        TLS = "tls", "TLS certificate"
        DNS = "dns", "DNS answer"
        HEARTBEAT = "heartbeat", "Heartbeat"

    class CacheMode(models.TextChoices):
        AS_IS = "as is", "As users ask"
        WARM = "warm", "Warm: asked twice, the second is judged"
        COLD_QUERY = "cold query", "Cold: a query key nobody asked before"
        COLD_HEADER = "cold header", "Cold: Cache-Control: no-cache"

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="paths")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    # None: the team that owns the service owns the path.
    owner = models.ForeignKey(
        Team, on_delete=models.PROTECT, null=True, blank=True, related_name="paths"
    )
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.HTTP)
    method = models.CharField(max_length=20, default="GET")
    # HTTP: path and query below the environment's base URL, or a whole address. TCP and TLS:
    # "host:port", or ":port" of the base URL's host. DNS: as dig takes it, "fares.example AAAA" or
    # "fares.example AAAA @10.0.0.53". A path of several steps and a heartbeat have none.
    route = models.CharField(max_length=2000, blank=True)
    # Pairs of name and value, in the order written.
    headers = models.JSONField(default=list, blank=True)
    query = models.JSONField(default=list, blank=True)
    # What is sent: the body over HTTP, the first bytes over TCP.
    body = models.TextField(blank=True)
    follows_redirects = models.BooleanField(default=True)
    # How the connection is made, where not as usual: see opsboard.services.connection.
    connection = models.JSONField(default=dict, blank=True)
    cache_mode = models.CharField(max_length=12, choices=CacheMode, default=CacheMode.AS_IS)
    # Clauses, one a line, as opsboard.expectations reads them.
    expected_result = models.TextField(blank=True)
    # Of a path of several: see opsboard.services.steps. Empty: the fields above are its one step.
    steps = models.JSONField(default=list, blank=True)
    # When a heartbeat is due, and how long it may be late: see opsboard.services.heartbeats.
    heartbeat = models.JSONField(default=dict, blank=True)
    user_notices = models.TextField(blank=True)
    slow_query_or_command = models.TextField(blank=True)
    interval = models.BigIntegerField(
        default=30 * SECOND,
        validators=[MinValueValidator(SECOND), MaxValueValidator(86400 * SECOND)],
    )
    timeout = models.BigIntegerField(
        default=10 * SECOND, validators=[MinValueValidator(100_000), MaxValueValidator(60 * SECOND)]
    )
    patience = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    # Results in a row that make it better again. None: as many as make it worse.
    patience_to_recover = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10)]
    )
    # Names of the places it is asked from. Empty: the one place a board has without setting any.
    locations = models.JSONField(default=list, blank=True)
    # None: in every environment of the service.
    environments = models.ManyToManyField(Environment, blank=True, related_name="paths")
    # None: not reviewed by anyone yet.
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    checked_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = CriticalPathQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "slug"], name="one_path_of_a_name")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def asks(self) -> str:
        """What it asks, on one line."""
        return asked_words(self.kind, self.method, self.route, len(self.steps), self.heartbeat)

    @property
    def owning_team(self) -> Team:
        return self.owner or self.service.team

    def asked_in(self, places: "Iterable[Environment]") -> list[Environment]:
        """Those of the service's `places` that it is asked in: the chosen ones, or all of them."""
        chosen = {place.pk for place in self.environments.all()}
        return [place for place in places if not chosen or place.pk in chosen]

    def still_true(self, *, by: "User", now: "datetime") -> None:
        self.checked_by, self.checked_at = by, now
        self.save(update_fields=["checked_by", "checked_at"])

    def pause(self, *, by: "User", now: "datetime") -> None:
        self.paused_by, self.paused_at = by, now
        self.save(update_fields=["paused_by", "paused_at"])

    def resume(self) -> None:
        self.paused_by = self.paused_at = None
        self.save(update_fields=["paused_by", "paused_at"])

    @property
    def missing(self) -> list[str]:
        """What the sheet still lacks, in the words of its fields."""
        fields = {
            "where the user notices": self.user_notices,
            "the expected result": self.expected_result,
            "a known slow query or failing command": self.slow_query_or_command,
        }
        return [words for words, value in fields.items() if not value.strip()]


class Deploy(models.Model):
    """A version that began to run in an environment: seen there, or told by a release or a change.

    What a failure is held against: the newest before it is its likely cause.
    """

    class Kind(models.TextChoices):
        SEEN = "seen", "Deploy"
        RELEASE = "release", "Release"
        CHANGE = "change", "Change"

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="deploys")
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.SEEN)
    # What people call it: a commit, a version, CHG-0204.
    name = models.CharField(max_length=200)
    # Of a release; "": none was named.
    tag = models.CharField(max_length=200, blank=True)
    url = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["environment", "at"], name="deploy_by_time")]

    def __str__(self) -> str:
        return f"{self.name} in {self.environment}"


class Running(models.Model):
    """What an environment said of itself, and when it last said so: see opsboard.probes.versions.

    No row, or one that is old: what runs there is unknown. What was announced does not grow old.
    """

    environment = models.OneToOneField(
        Environment, on_delete=models.CASCADE, primary_key=True, related_name="running"
    )
    commit = models.CharField(max_length=200)
    # Since when it says this commit without another between.
    commit_since = models.DateTimeField()
    # "": it does not tell.
    config_root = models.CharField(max_length=200, blank=True)
    root_since = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField()
    # It was told with a release, where no version address tells: known until another is told.
    is_announced = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.commit} in {self.environment}"


class ConfigKey(models.Model):
    """A key that a service's configuration is to have, with its rules. Never a value."""

    class Presence(models.TextChoices):
        SET = "set", "must be set"
        ABSENT = "absent", "must be absent"

    class Across(models.TextChoices):
        EQUAL = "equal", "equal across environments"
        DIFFER = "differ", "differs across environments"

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="config_keys")
    name = models.CharField(max_length=120)
    presence = models.CharField(max_length=6, choices=Presence, default=Presence.SET)
    # "": it may be either.
    across = models.CharField(max_length=6, choices=Across, blank=True)
    # What its value must be, judged beside the service: a text, or a pattern of RE2. "": anything.
    equals = models.CharField(max_length=500, blank=True)
    matches = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["service", "name"], name="one_config_key_of_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class Rota(models.Model):
    """Who of a team is on duty: people in order, handed over every `days` at a local time.

    Read by opsboard.services.rota, in the team's zone.
    """

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="rota")
    # The local day on which the first person's first turn begins.
    starts_on = models.DateField()
    hand_over_at = models.TimeField()
    days = models.PositiveSmallIntegerField(
        default=7, validators=[MinValueValidator(1), MaxValueValidator(28)]
    )

    def __str__(self) -> str:
        return f"Rota of {self.team}"


class RotaTurn(models.Model):
    """One person's place in the order of a rota."""

    rota = models.ForeignKey(Rota, on_delete=models.CASCADE, related_name="turns")
    position = models.PositiveSmallIntegerField()
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rota_turns"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rota", "position"], name="one_person_at_a_position")
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.rota}"


class RotaCover(models.Model):
    """Somebody else is on duty for a while, whatever the order says."""

    rota = models.ForeignKey(Rota, on_delete=models.CASCADE, related_name="covers")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="rota_covers"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")), name="a_cover_ends"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} covers {self.rota}"


class MaintenanceWindowQuerySet(models.QuerySet["MaintenanceWindow"]):
    def standing(self) -> "MaintenanceWindowQuerySet":
        """Those not called off."""
        return self.filter(removed_at=None)


class MaintenanceWindow(models.Model):
    """A planned time in which nobody is told and nothing counts for availability.

    Observing goes on. It always ends: one that repeats has a last day. Times are local to `zone`;
    opsboard.services.windows reads when it is open.
    """

    class Repeats(models.TextChoices):
        ONCE = "once", "Once"
        DAILY = "daily", "Every day"
        WEEKLY = "weekly", "Every week"

    name = models.CharField(max_length=120)
    # Each None or "" stands for all.
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, blank=True, related_name="windows"
    )
    service = models.ForeignKey(
        Service, on_delete=models.CASCADE, null=True, blank=True, related_name="windows"
    )
    environment_slug = models.SlugField(max_length=40, blank=True)
    zone = models.CharField(max_length=60, default="UTC")
    # The local day and time it begins, the first time.
    starts_on = models.DateField()
    starts_at = models.TimeField()
    minutes = models.PositiveIntegerField()
    repeats = models.CharField(max_length=6, choices=Repeats, default=Repeats.ONCE)
    # For every week: the days it begins on, Monday 0 to Sunday 6.
    weekdays = models.JSONField(default=list, blank=True)
    # The last local day on which it begins. None: once.
    until = models.DateField(null=True, blank=True)
    planned_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    planned_at = models.DateTimeField()
    # Called off, or ended early: it was open until then, and is not from then on.
    removed_at = models.DateTimeField(null=True, blank=True)

    objects = MaintenanceWindowQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(repeats="once", until=None)
                | ~Q(repeats="once") & Q(until__isnull=False),
                name="a_window_always_ends",
            )
        ]

    def __str__(self) -> str:
        return self.name
