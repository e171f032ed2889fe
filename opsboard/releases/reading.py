"""The readiness of releases, computed when read: loaded in a few queries, then judged."""

from collections.abc import Sequence
from datetime import datetime

from opsboard.releases.models import Release
from opsboard.releases.rules import Readiness


def read_readiness(releases: Sequence[Release], *, now: datetime) -> dict[int, Readiness]:
    """By the release's id. At most 8 queries, however many releases there are."""
    raise NotImplementedError


def readiness_of(release: Release, *, now: datetime) -> Readiness:
    return read_readiness([release], now=now)[release.pk]
