"""What happened on the clock of a chart: versions that began to run, rollbacks and their steps."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from opsboard.incidents.models import TimelineEntry
from opsboard.probes.models import microseconds, moment
from opsboard.services.models import CriticalPath, Deploy, Environment

Act = TimelineEntry.Act
# The newest of each kind: more are no marks but a carpet.
MOST = 40
# In words, the newest.
MOST_SAID = 8
COMMIT = 7
LONGEST_NAME = 24


class Kind(StrEnum):
    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class Mark:
    # Microseconds since 1970.
    at: int
    kind: Kind
    # "Rollback started", "Step 2 done", "2026.11.3".
    words: str


def read_marks(
    path: CriticalPath, environment: Environment, *, since: int, until: int
) -> tuple[Mark, ...]:
    """The oldest first, of [since, until). Two queries."""
    between = (moment(since), moment(until))
    entries = TimelineEntry.objects.filter(
        act__in=[Act.ROLLBACK_STARTED, Act.STEP_DONE, Act.STEP_UNDONE],
        incident__paths__path=path,
        incident__environment=environment,
        at__gte=between[0],
        at__lt=between[1],
    )
    told = Deploy.objects.filter(environment=environment, at__gte=between[0], at__lt=between[1])
    newest = entries.order_by("-pk").values_list("at", "act", "incident", "facts")[:MOST]
    gone = _gone(list(newest)[::-1])
    deploys = [_deploy(row) for row in told.order_by("-at")[:MOST]]
    return tuple(sorted([*gone, *deploys], key=lambda mark: mark.at))


def _gone(entries: Iterable[tuple[datetime, str, int, dict[str, int]]]) -> list[Mark]:
    """A step that was taken back was not done."""
    marks: dict[tuple[int, int], Mark] = {}
    started: list[Mark] = []
    for at, act, incident, facts in entries:
        key = (incident, facts.get("step", 0))
        if act == Act.ROLLBACK_STARTED:
            started.append(Mark(microseconds(at), Kind.ROLLBACK, "Rollback started"))
        elif act == Act.STEP_DONE:
            marks[key] = Mark(microseconds(at), Kind.STEP, f"Step {key[1]} done")
        else:
            marks.pop(key, None)
    return [*started, *marks.values()]


def _deploy(row: Deploy) -> Mark:
    name = row.name[:COMMIT] if row.kind == Deploy.Kind.SEEN else row.name[:LONGEST_NAME]
    return Mark(microseconds(row.at), Kind.DEPLOY, name)


def marks_words(marks: Iterable[Mark]) -> str:
    """ "Marks: 2026.11.3 at 14:06, Rollback started at 14:22." for those who do not see them."""
    said = [f"{mark.words} at {moment(mark.at):%H:%M}" for mark in marks]
    if len(said) > MOST_SAID:
        said = [f"{len(said) - MOST_SAID} earlier", *said[-MOST_SAID:]]
    return f"Marked: {', '.join(said)}." if said else ""
