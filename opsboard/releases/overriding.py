"""Overriding: named people accept a named risk until a named time. It paints no gate green."""

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User

from opsboard.people.audit import Actor
from opsboard.releases.models import Override, Release


def ask(
    release: Release,
    gates: Sequence[str],
    *,
    reason: str,
    ends_at: datetime,
    by: Actor,
    now: datetime,
) -> Override:
    """Raises Refused. A gate that is not met waits for a second person."""
    raise NotImplementedError


def accept(override: Override, *, by: Actor, now: datetime) -> None:
    """By somebody other than who asked. Raises Refused."""
    raise NotImplementedError


def take_back(override: Override, *, by: Actor, now: datetime) -> None:
    raise NotImplementedError


def may_accept(override: Override, person: User) -> bool:
    raise NotImplementedError
