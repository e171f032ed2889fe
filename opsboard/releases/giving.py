"""Giving evidence: an answer to a gate, checked against itself before it is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from opsboard.people.audit import Actor
from opsboard.releases.models import Evidence, Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    gate: str
    outcome: str
    commit: str
    started_at: datetime
    finished_at: datetime | None = None
    environment_slug: str = ""
    command: str = ""
    exit_code: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    tool: str = ""
    url: str = ""
    log_tail: str = ""
    assumptions: Sequence[str] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def contradictions(given: Given) -> dict[str, str]:
    """What contradicts what, by field: an outcome "passed" with exit code 1. Pure."""
    raise NotImplementedError


def give(release: Release, given: Given, *, by: Actor, now: datetime) -> Evidence:
    """Keep it. Raises Refused when its commit is not this release's."""
    raise NotImplementedError
