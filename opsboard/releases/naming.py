"""Naming a release: one version of a service stands for one commit, for ever."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opsboard.people.audit import Actor
from opsboard.releases.models import Release
from opsboard.services.models import CriticalPath, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What may be said of a release when it is named; None and "" leave what is known as it is."""

    version: str
    commit: str
    tag: str = ""
    environment_slug: str = ""
    planned_at: datetime | None = None
    summary: str = ""
    migrations: Sequence[str] | None = None
    commits: int | None = None
    files: int | None = None
    lines: int | None = None
    paths: Sequence[CriticalPath] | None = None


def name_release(
    service: Service, named: Named, *, by: Actor, now: datetime
) -> tuple[Release, bool]:
    """The release, and whether it is new. Raises Refused when its version has another commit."""
    raise NotImplementedError


def withdraw(release: Release, *, by: Actor, now: datetime) -> None:
    """It will not go out. Raises Refused when it has."""
    raise NotImplementedError
