"""What board files have declared, who applied it; and the applies and exports people ask for."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q


class Declaration(models.Model):
    """One team or service as a board file last declared it. The file wins at the next apply."""

    class Kind(models.TextChoices):
        TEAM = "team"
        SERVICE = "service"

    kind = models.CharField(max_length=7, choices=Kind)
    slug = models.SlugField(max_length=60)
    # The file as it was named to apply, without the folders above it.
    file = models.CharField(max_length=200)
    # Its things as opsboard.board.things has them, by kind and names ("path/fares-api/health"),
    # secrets as references.
    declared = models.JSONField()
    applied_at = models.DateTimeField()
    # None: from the command line of the server.
    applied_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "slug"], name="one_declaration_of_a_thing")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.slug} in {self.file}"


class ErrandQuerySet(models.QuerySet["Errand"]):
    def under_way(self) -> Self:
        """Asked for, and not at an end."""
        ends = {"done_at": None, "failed_at": None, "given_up_at": None}
        return self.filter(asked_at__isnull=False, **ends)

    def light(self) -> Self:
        """Without what may be megabytes."""
        return self.defer("content", "plan")


class Errand(models.Model):
    """An apply or an export that somebody asked for on the pages. A worker does what is long.

    An apply is written down with its files and its plan before it is asked for.
    """

    class Kind(models.TextChoices):
        APPLY = "apply"
        EXPORT = "export"

    kind = models.CharField(max_length=6, choices=Kind)
    made_at = models.DateTimeField()
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # The name of `by`, which stays when the person is gone.
    by_name = models.CharField(max_length=150)
    # None: its plan was shown, and nobody has said yet that it is to be done.
    asked_at = models.DateTimeField(null=True, blank=True)
    # Of an apply: the names of its files, and whether it removes what is in none of them.
    files = models.JSONField(default=list)
    prune = models.BooleanField(default=False)
    # See opsboard.board.errands.contents; None: let go, or not made yet.
    content = models.BinaryField(null=True)
    # Of what was exported: of the file as it is downloaded, in octets.
    size = models.PositiveIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    # What was shown (opsboard.board.errands.plans), and a short word that another plan lacks.
    plan = models.JSONField(default=dict)
    plan_mark = models.CharField(max_length=64, blank=True)

    # How far it is: "paths", 500 of 5,000. "": it is not under way, or has told nothing yet.
    phase = models.CharField(max_length=60, blank=True)
    phase_since = models.BigIntegerField(null=True)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)

    # One worker at a time. Microseconds; None: nobody has it.
    leased_until = models.BigIntegerField(null=True)
    claim_id = models.BigIntegerField(null=True)
    # How many workers have taken it up.
    tries = models.PositiveSmallIntegerField(default=0)
    # The newest time.
    started_at = models.DateTimeField(null=True, blank=True)

    done_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)
    given_up_by = models.CharField(max_length=150, blank=True)
    # What came of it, in sentences.
    outcome = models.TextField(blank=True)

    objects = ErrandQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=Q(done_at=None, failed_at=None, given_up_at=None),
                name="errands_not_at_an_end",
            )
        ]

    def __str__(self) -> str:
        what = ", ".join(self.files) or "the board"
        return f"{self.kind} of {what}"

    @property
    def is_over(self) -> bool:
        return any((self.done_at, self.failed_at, self.given_up_at))

    @property
    def is_under_way(self) -> bool:
        return self.asked_at is not None and not self.is_over
