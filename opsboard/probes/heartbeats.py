"""The secret addresses that jobs report in to, and the reports that came: what is kept of them."""

import secrets
import string
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import models

from opsboard.people.models import digest
from opsboard.probes.beat_rules import BeatKind
from opsboard.services.models import CriticalPath, Environment
from opsboard.services.secrets import decrypt, encrypt

_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
SECRET_LETTERS = 32
_BEATS = [(kind.value, kind.value) for kind in BeatKind]


class Heartbeat(models.Model):
    """Where the job of one path reports in from one environment, and all that it is judged by.

    The secret is kept encrypted, to be shown again, and as a digest, to be found by.
    """

    path = models.ForeignKey(CriticalPath, on_delete=models.CASCADE, related_name="heartbeats")
    environment = models.ForeignKey(
        Environment, on_delete=models.CASCADE, related_name="heartbeats"
    )
    secret = models.TextField()
    digest = models.CharField(max_length=64, unique=True)
    # Nothing is due for what lies before this moment: it was made then, or its schedule edited, or
    # it was asked again after a pause.
    counts_from = models.BigIntegerField()
    # The sheet's, as it was then: it tells when that is edited.
    schedule = models.JSONField(default=dict)
    # What it is judged by, as opsboard.probes.beat_rules.Heard has it: no report is read again.
    heard = models.JSONField(default=dict)
    # Of the newest report of an end: the beginning of its body, and whether there was more.
    body = models.TextField(blank=True)
    is_cut = models.BooleanField(default=False)
    # Raised by each report: of two at once, the second is put on top of the first.
    version = models.PositiveIntegerField(default=0)
    # How many came in the newest minute in which any did; minutes are counted from 1970.
    minute = models.IntegerField(default=0)
    in_minute = models.PositiveSmallIntegerField(default=0)
    # Reports that were too many a minute, and when the last of them came.
    refused = models.PositiveIntegerField(default=0)
    refused_at = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["path", "environment"], name="one_heartbeat_of_a_place")
        ]

    def __str__(self) -> str:
        return f"heartbeat of {self.path_id} in {self.environment_id}"

    @property
    def _place(self) -> str:
        return f"heartbeat:{self.path_id}:{self.environment_id}"

    def renew(self) -> None:
        """Give it a new secret; the old one is worth nothing once this is saved. Does not save."""
        written = "".join(secrets.choice(_LETTERS) for _ in range(SECRET_LETTERS))
        self.secret, self.digest = encrypt(written, place=self._place), digest(written)

    @property
    def address(self) -> str:
        """The whole address to report to. Raises CannotDecrypt; the address works nevertheless."""
        return f"{settings.URL}/beat/{decrypt(self.secret, place=self._place)}"


class Beat(models.Model):
    """One report of a job. Never altered."""

    heartbeat = models.ForeignKey(
        Heartbeat, on_delete=models.CASCADE, related_name="beats", db_index=False
    )
    at = models.BigIntegerField()
    kind = models.CharField(max_length=7, choices=_BEATS)
    exit_code = models.BigIntegerField(null=True)
    run_id = models.UUIDField(null=True)
    # Of an end whose start was heard.
    duration = models.BigIntegerField(null=True)
    # The beginning of what was sent, masked and printable, and whether there was more.
    body = models.TextField(blank=True)
    is_cut = models.BooleanField(default=False)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        indexes = [models.Index(fields=["heartbeat", "id"], name="beat_by_time")]

    def __str__(self) -> str:
        return f"{self.kind} of heartbeat {self.heartbeat_id}"


def bring_in_line(
    places: Iterable[tuple[CriticalPath, Environment]],
    resumed: Sequence[tuple[int, int]],
    *,
    at: int,
) -> None:
    """Give every heartbeat an address, and let its schedule count from when that was edited.

    `resumed` are path and environment of those that were not asked until now: what they reported
    before is too old to be believed.
    """
    wanted = {
        (path.pk, place.pk): path.heartbeat
        for path, place in places
        if path.kind == CriticalPath.Kind.HEARTBEAT
    }
    if not wanted:
        return
    standing = Heartbeat.objects.filter(path__in={path for path, _ in wanted})
    known = {(one.path_id, one.environment_id): one for one in standing.select_for_update()}
    made = [_new(*key, wanted[key], at) for key in wanted if key not in known]
    Heartbeat.objects.bulk_create(made, batch_size=500)
    for key in wanted.keys() & known.keys():
        heartbeat, changed = known[key], dict[str, Any]()
        if key in resumed:
            changed |= {"heard": {}, "body": "", "is_cut": False}
        if key in resumed or heartbeat.schedule != wanted[key]:
            changed |= {"counts_from": at, "schedule": wanted[key]}
            version = models.F("version") + 1
            Heartbeat.objects.filter(pk=heartbeat.pk).update(version=version, **changed)


def _new(path_id: int, environment_id: int, schedule: dict[str, Any], at: int) -> Heartbeat:
    heartbeat = Heartbeat(
        path_id=path_id, environment_id=environment_id, counts_from=at, schedule=schedule
    )
    heartbeat.renew()
    return heartbeat
