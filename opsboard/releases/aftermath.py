"""What became of releases: the first failing observation after each, and what it led to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opsboard.incidents.models import Incident
from opsboard.probes.rules import State
from opsboard.releases.models import Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    # "Failing 3 min later", "Passing", "Passing until 14:11 today", "Rolled back 12 min later".
    words: str
    state: State
    # The first incident that began after it, before the next release there. None: there was none.
    incident: Incident | None = None
    # The first failing observation after it. None: there was none.
    failing_at: datetime | None = None


def read_aftermath(releases: Sequence[Release], *, now: datetime) -> dict[int, Aftermath]:
    """By the release's id, of those released. A few queries, however many releases there are."""
    raise NotImplementedError
