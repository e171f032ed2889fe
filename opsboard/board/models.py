"""What board files have declared: who wrote what, to show it and to find what has drifted since."""

from django.conf import settings
from django.db import models


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
