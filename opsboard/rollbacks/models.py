"""The way back, written before it is needed. Every version is kept."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from opsboard.services.models import CriticalPath, Service

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User


class RollbackNote(models.Model):
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="rollback_notes")
    # None: the note of the whole service.
    path = models.ForeignKey(
        CriticalPath, on_delete=models.CASCADE, null=True, blank=True, related_name="rollback_notes"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service"], condition=Q(path=None), name="one_note_of_a_service"
            ),
            models.UniqueConstraint(
                fields=["path"], condition=Q(path__isnull=False), name="one_note_of_a_path"
            ),
        ]

    def __str__(self) -> str:
        return str(self.current or f"rollback note of {self.service}")

    @property
    def current(self) -> "NoteVersion | None":
        return max(self.versions.all(), key=lambda version: version.number, default=None)

    def write(
        self,
        *,
        title: str,
        use_when: str,
        does_not_undo: str,
        minutes: int | None,
        steps: list[dict[str, str]],
        reason: str,
        by: "User | None",
        written_as: str = "",
        now: "datetime",
        base: int = 0,
    ) -> "NoteVersion | None":
        """Add a version on top of version number `base`, checked by who wrote it.

        Without a person it was imported or applied, and begins as not reviewed. None when somebody
        else has added one since: the caller shows both, and nothing is lost.
        """
        with transaction.atomic():
            held = RollbackNote.objects.select_for_update().get(pk=self.pk)
            newest = held.versions.aggregate(newest=models.Max("number"))["newest"] or 0
            if newest != base:
                return None
            return held.versions.create(
                number=base + 1,
                title=title,
                use_when=use_when,
                does_not_undo=does_not_undo,
                minutes=minutes,
                steps=steps,
                reason=reason,
                written_by=by,
                written_as="" if by else written_as[:150],
                written_at=now,
                checked_by=by,
                checked_at=now if by else None,
            )


class NoteVersion(models.Model):
    note = models.ForeignKey(RollbackNote, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200)
    use_when = models.TextField(blank=True)
    does_not_undo = models.TextField(blank=True)
    # None: nobody has said how long it takes.
    minutes = models.PositiveIntegerField(null=True, blank=True)
    # A list of {"do", "run", "see", "call"}: act, command, what one should see, whom to call.
    steps = models.JSONField(default=list)
    reason = models.CharField(max_length=300, blank=True)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    # Where no person did: the token or the command that wrote it; "": that is not known.
    written_as = models.CharField(max_length=150, blank=True, default="", db_default="")
    written_at = models.DateTimeField()
    # Who last said that it is still true, and when. None: nobody has reviewed it.
    checked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    checked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["note", "number"], name="one_version_of_a_number")
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def writer(self) -> str:
        """Who wrote it: a person, a token or a command, by name."""
        if self.written_by:
            return self.written_by.get_full_name() or self.written_by.get_username()
        return self.written_as or "somebody unknown"

    def still_true(self, *, by: "User", now: "datetime") -> None:
        self.checked_by, self.checked_at = by, now
        self.save(update_fields=["checked_by", "checked_at"])

    def snapshot(self) -> dict[str, Any]:
        """The note as an alert carries it, fixed at the moment the alert was written."""
        return {
            "title": self.title,
            "use_when": self.use_when,
            "does_not_undo": self.does_not_undo,
            "minutes": self.minutes,
            "steps": self.steps,
            "version": self.number,
        }


class NoteDraft(models.Model):
    """What one person has typed and not yet published, on top of version number `base`."""

    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+")
    # None: of the note of the whole service.
    path = models.ForeignKey(
        CriticalPath, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    base = models.PositiveIntegerField(default=0)
    # The fields of the form, as they were sent.
    typed = models.JSONField(default=dict)
    kept_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["service", "by"], condition=Q(path=None), name="one_draft_of_a_service"
            ),
            models.UniqueConstraint(
                fields=["path", "by"],
                condition=Q(path__isnull=False),
                name="one_draft_of_a_path",
            ),
        ]

    def __str__(self) -> str:
        return f"draft of {self.by}"


class Rehearsal(models.Model):
    """The way back was gone once to see whether it works. Never altered."""

    version = models.ForeignKey(NoteVersion, on_delete=models.CASCADE, related_name="rehearsals")
    environment_slug = models.SlugField(max_length=40)
    # The release it was rehearsed for, by its version; "": none was named.
    release = models.CharField(max_length=100, blank=True)
    # The names of that release's migrations, in order.
    migrations = models.JSONField(default=list, blank=True)
    # As opsboard.rollbacks.rules.steps_digest gives it, of the steps that were gone.
    steps_digest = models.CharField(max_length=64)
    at = models.DateTimeField()
    # How long it took, in seconds.
    seconds = models.PositiveIntegerField()
    # One a step: {"outcome": "worked" | "failed" | "left out", "remark": ""}.
    outcomes = models.JSONField(default=list)
    worked = models.BooleanField()
    remark = models.TextField(blank=True)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # Who, when no account says: the name of a token.
    by_name = models.CharField(max_length=120, blank=True)

    class Meta:
        indexes = [models.Index(fields=["version", "at"], name="rehearsal_by_time")]

    def __str__(self) -> str:
        return f"rehearsal of {self.version} in {self.environment_slug}"
