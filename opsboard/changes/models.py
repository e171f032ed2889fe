"""A change and how it was measured: one declared variable, two windows, one verdict.

State is read from dates. Samples are whole numbers: latencies in microseconds, times in
microseconds since 1970 UTC.

Acts, sealed windows and judged attempts are never changed: triggers in the database see to it, and
to the end of all attempts with their change.
"""

import zlib

from django.conf import settings
from django.db import models
from django.db.models import Q

from opsboard.services.models import CriticalPath, Environment, Service

# Samples a side: fewer than the first say nothing for certain; 200 find an effect of 20 %.
FEWEST_SAMPLES, USUAL_SAMPLES, MOST_SAMPLES = 60, 200, 100_000
USUAL_MARGIN = 0.10


class ChangeQuerySet(models.QuerySet["Change"]):
    def standing(self) -> "ChangeQuerySet":
        """Those not withdrawn, of services and paths not removed."""
        return self.filter(withdrawn_at=None, service__removed_at=None, path__removed_at=None)

    def for_pages(self) -> "ChangeQuerySet":
        return self.select_related(
            "service__team", "path", "environment", "control", "declared_by", "withdrawn_by"
        )


class Change(models.Model):
    """What is to be changed and what is to get better. CHG-0198 in words.

    Fields from `metric` to `lasts` are its settings: set before the first baseline is opened, and
    never edited after.
    """

    class Variable(models.TextChoices):
        CODE = "code", "Code"
        QUERY = "query", "Query"
        INDEX = "index", "Index"
        CACHE = "cache", "Cache"
        CONFIG = "config", "Configuration"
        DEPENDENCY = "dependency", "Dependency"
        INFRASTRUCTURE = "infrastructure", "Infrastructure"
        OTHER = "other", "Other"

    class Metric(models.TextChoices):
        TIME = "time", "Response time"
        DB_CALLS = "db calls", "Database calls"

    class Aim(models.TextChoices):
        IMPROVE = "improve", "It is to get better"
        KEEP = "keep", "It is not to get worse"

    class Sampling(models.TextChoices):
        PROBES = "probes", "The path's own probes"
        BURST = "burst", "A burst of requests"
        SENT = "sent", "Samples sent by a program"

    class Mode(models.TextChoices):
        """How a burst asks. The last two need no luck with the cache."""

        AS_IS = "as is", "As users ask"
        HIT_AND_MISS = "hit and miss", "Hits and misses in turn"
        MISSES = "misses", "Misses only"

    title = models.CharField(max_length=200)
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="changes")
    path = models.ForeignKey(CriticalPath, on_delete=models.CASCADE, related_name="changes")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="changes")
    # "": where the path is asked from when it names no place.
    location = models.CharField(max_length=40, blank=True)
    # What is meant to get better, for whom, in a sentence.
    purpose = models.CharField(max_length=300, blank=True)
    # Of Variable. More than one can be declared, and is then confounded.
    variables = models.JSONField(default=list)
    # Hexadecimal; "": none was said.
    commit = models.CharField(max_length=64, blank=True)
    # The version of the release it goes out with; "": none.
    version = models.CharField(max_length=100, blank=True)
    # Texts, in the order written.
    assumptions = models.JSONField(default=list, blank=True)
    commands = models.JSONField(default=list, blank=True)

    metric = models.CharField(max_length=8, choices=Metric, default=Metric.TIME)
    aim = models.CharField(max_length=7, choices=Aim, default=Aim.IMPROVE)
    # By how much it is meant to fall, as a share: 0.30 is 30 % less. None: nobody said.
    goal = models.FloatField(null=True, blank=True)
    # A path of the same service and environment that the change should not touch.
    control = models.ForeignKey(
        CriticalPath, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    samples = models.PositiveIntegerField(default=USUAL_SAMPLES)
    # A difference smaller than this share says nothing.
    margin = models.FloatField(default=USUAL_MARGIN)
    # Within how much it is "no change". None: within the margin.
    equivalence = models.FloatField(null=True, blank=True)
    # What may not get worse besides errors: "db calls", "time", "p95", "path:SLUG".
    guardrails = models.JSONField(default=list, blank=True)
    sampling = models.CharField(max_length=6, choices=Sampling, default=Sampling.PROBES)
    mode = models.CharField(max_length=12, choices=Mode, default=Mode.AS_IS)
    # Requests a second of a burst.
    rate = models.FloatField(default=2.0)
    # Seconds dropped at the beginning of the after window, and samples dropped if that is more.
    warm_up_seconds = models.PositiveIntegerField(default=60)
    warm_up_samples = models.PositiveIntegerField(default=10)
    # Hours a window may take. What it has then is judged.
    lasts = models.PositiveSmallIntegerField(default=24)

    declared_at = models.DateTimeField()
    declared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # Who, when no account says: the name of a token.
    declared_as = models.CharField(max_length=120, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = ChangeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["environment", "declared_at"], name="change_by_place")]

    def __str__(self) -> str:
        return f"CHG-{self.pk:04d}"


class ComparisonQuerySet(models.QuerySet["Comparison"]):
    def open(self) -> "ComparisonQuerySet":
        """Those without a verdict that have not been given up."""
        return self.filter(judged_at=None, given_up_at=None)

    def judged(self) -> "ComparisonQuerySet":
        return self.filter(judged_at__isnull=False)


class Comparison(models.Model):
    """One attempt to measure a change: two windows and, once, a verdict. All attempts stay."""

    class Verdict(models.TextChoices):
        IMPROVED = "improved", "Improved"
        REGRESSED = "regressed", "Regressed"
        NO_CHANGE = "no_change", "No change"
        INCONCLUSIVE = "inconclusive", "Inconclusive"
        CONFOUNDED = "confounded", "Confounded"
        # Both sides are not comparable at all.
        INVALID = "invalid", "Invalid"

    # A trigger removes it with its change, and nothing else can; so it is for what hangs on it.
    change = models.ForeignKey(Change, on_delete=models.DO_NOTHING, related_name="comparisons")
    # The attempt, from 1.
    number = models.PositiveSmallIntegerField()
    began_at = models.DateTimeField()
    began_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    began_as = models.CharField(max_length=120, blank=True)
    # What is asked, when the baseline was opened: opsboard.probes.fingerprints; of the control
    # path too. "": samples are sent, and nothing is asked.
    fingerprint = models.CharField(max_length=32, blank=True)
    control_fingerprint = models.CharField(max_length=32, blank=True)
    # What was seen to run when the baseline was sealed: {"commit", "config_root"}.
    surroundings = models.JSONField(default=dict, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    # One worker judges at a time, and tries a few times. None: nobody is at it.
    leased_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    given_up_at = models.DateTimeField(null=True, blank=True)
    given_up_because = models.CharField(max_length=300, blank=True)
    judged_at = models.DateTimeField(null=True, blank=True)
    # "" until it is judged.
    verdict = models.CharField(max_length=12, choices=Verdict, blank=True)
    # A word of opsboard.changes.rules.judged; "": the figures say it all.
    reason = models.CharField(max_length=60, blank=True)
    # The whole of it: see opsboard.changes.rules.judged.Judged.
    result = models.JSONField(default=dict, blank=True)

    objects = ComparisonQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["change", "number"], name="one_attempt_of_a_number"),
            models.UniqueConstraint(
                fields=["change"],
                condition=Q(judged_at=None, given_up_at=None),
                name="one_open_attempt",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change}, attempt {self.number}"


class Window(models.Model):
    """One side of a comparison. Sealed, its samples are in `content` and never change."""

    class Side(models.TextChoices):
        BEFORE = "before"
        AFTER = "after"

    comparison = models.ForeignKey(Comparison, on_delete=models.DO_NOTHING, related_name="windows")
    side = models.CharField(max_length=6, choices=Side)
    opened_at = models.DateTimeField()
    # Samples count from here: of probes, that may lie before the opening; after, the warm-up.
    starts_at = models.DateTimeField()
    # The end of its time: then what is there is taken.
    closes_at = models.DateTimeField()
    # None: it collects.
    sealed_at = models.DateTimeField(null=True, blank=True)
    sealed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # When sealed: how many samples of the path are in it, the time of the last, what was left out
    # ({"delayed", "errors", "warm_up"}: counts), the SHA-256 of the CSV text, and that, packed by
    # zlib.
    count = models.PositiveIntegerField(default=0)
    ended_at = models.DateTimeField(null=True, blank=True)
    left_out = models.JSONField(default=dict, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)
    content = models.BinaryField(null=True, blank=True)
    # The same of the control path, and of guarded paths by their slug, packed each: see sealing.
    beside = models.BinaryField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["comparison", "side"], name="one_window_of_a_side")
        ]

    def __str__(self) -> str:
        return f"{self.side} of {self.comparison}"

    @property
    def text(self) -> str:
        """The CSV text that the hash is of; "" of one that collects."""
        return zlib.decompress(bytes(self.content)).decode() if self.content else ""


class Sample(models.Model):
    """One answer of a burst, or sent by a program, until its window is sealed.

    Samples of the path's own probes are read from observations.
    """

    window = models.ForeignKey(Window, on_delete=models.DO_NOTHING, related_name="collected")
    is_control = models.BooleanField(default=False)
    at = models.BigIntegerField()
    latency = models.IntegerField()
    # Its place in opsboard.probes.stored.CACHE.
    cache = models.PositiveSmallIntegerField(default=0)
    is_ok = models.BooleanField(default=True)
    # None: not reported.
    db_calls = models.IntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["window", "is_control", "at"], name="sample_in_order")]

    def __str__(self) -> str:
        return f"{self.latency} us in {self.window}"


class Act(models.Model):
    """Something that was done between the windows, as it was told. Append only."""

    class Kind(models.TextChoices):
        APPLIED = "applied", "Applied"
        CLEARED = "cleared", "Cache cleared"

    class What(models.TextChoices):
        KEY = "key", "One key"
        PREFIX = "prefix", "All keys of a prefix"
        EVERYTHING = "everything", "Everything"

    comparison = models.ForeignKey(Comparison, on_delete=models.DO_NOTHING, related_name="acts")
    kind = models.CharField(max_length=7, choices=Kind)
    at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    by_name = models.CharField(max_length=120, blank=True)
    command = models.TextField(blank=True)
    exit_code = models.SmallIntegerField(null=True, blank=True)
    # Of a clear.
    what = models.CharField(max_length=10, choices=What, blank=True)
    pattern = models.CharField(max_length=500, blank=True)
    # How many were cleared, as the command said. None: it did not say.
    count = models.PositiveIntegerField(null=True, blank=True)
    remark = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["comparison", "at"], name="act_by_time")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.comparison}"


class Burst(models.Model):
    """Requests that a person or a program asked for, to fill a window. Asked by a worker."""

    window = models.ForeignKey(Window, on_delete=models.DO_NOTHING, related_name="bursts")
    location = models.CharField(max_length=40)
    # How many are to be asked of the path, and as many of the control path.
    wanted = models.PositiveIntegerField()
    asked = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    started_as = models.CharField(max_length=120, blank=True)
    # One worker at a time. Microseconds; None: nobody has it.
    leased_until = models.BigIntegerField(null=True)
    claim_id = models.BigIntegerField(null=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)
    # Why it ended early; "": it did not.
    trouble = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["window"], condition=Q(finished_at=None), name="one_burst_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.asked} of {self.wanted} in {self.window}"


# Samples of windows may be large, and are read where they are shown.
WITHOUT_CONTENT = models.Prefetch("windows", Window.objects.defer("content", "beside"))


def number_of(text: str) -> int | None:
    """The number in "CHG-0198", "chg-198" or "198"; None: it is none."""
    digits = text.strip().upper().removeprefix("CHG-")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 9 else None


def latest_of(change: Change) -> Comparison | None:
    """The newest attempt, with its windows prefetched."""
    found = change.comparisons.prefetch_related(WITHOUT_CONTENT, "windows__bursts", "acts")
    return found.order_by("-number").first()
