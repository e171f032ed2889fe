"""Decisions: released, released anyway, rolled back. Each keeps the readiness it was taken on."""

from datetime import datetime

from opsboard.people.audit import Actor
from opsboard.releases.models import Decision, Release


def record_release(
    release: Release,
    *,
    environment_slug: str,
    by: Actor,
    now: datetime,
    at: datetime | None = None,
    anyway_because: str = "",
) -> Decision:
    """It went out. Raises Refused when it is not ready and nobody said why it went all the same.

    `at` is when it began to run there, when that was before `now`.
    """
    raise NotImplementedError


def record_rollback(release: Release, *, reason: str, by: Actor, now: datetime) -> Decision:
    """Always allowed, also in a freeze; the service is held until somebody writes why not."""
    raise NotImplementedError
