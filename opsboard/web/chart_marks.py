"""What happened on the clock of a chart: versions that began to run, rollbacks and their steps."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Any

from django.db.models import QuerySet

from opsboard.incidents.models import TimelineEntry
from opsboard.probes.models import microseconds, moment
from opsboard.services.models import Deploy
from opsboard.services.together import Moment, Number

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


def parts(
    path: Number, environment: Number, *, since: Moment, until: Moment
) -> dict[str, QuerySet[Any]]:
    """What `marks_of` is made of, of [since, until): for opsboard.services.together."""
    entries = TimelineEntry.objects.filter(
        act__in=[Act.ROLLBACK_STARTED, Act.STEP_DONE, Act.STEP_UNDONE],
        incident__paths__path=path,
        incident__environment=environment,
        at__gte=since,
        at__lt=until,
    )
    told = Deploy.objects.filter(environment=environment, at__gte=since, at__lt=until)
    newest = entries.order_by("-pk").values("pk")[:MOST]
    latest = told.order_by("-at", "-pk").values("pk")[:MOST]
    return {
        "acts": TimelineEntry.objects.filter(pk__in=newest),
        "told": Deploy.objects.filter(pk__in=latest),
    }


def marks_of(found: Mapping[str, list[Any]]) -> tuple[Mark, ...]:
    """The oldest first, from what `parts` names."""
    gone = _gone(sorted(found["acts"], key=attrgetter("pk")))
    deploys = [_deploy(row) for row in sorted(found["told"], key=attrgetter("at", "pk"))[::-1]]
    return tuple(sorted([*gone, *deploys], key=lambda mark: mark.at))


def _gone(entries: Iterable[TimelineEntry]) -> list[Mark]:
    """A step that was taken back was not done."""
    marks: dict[tuple[int, int], Mark] = {}
    started: list[Mark] = []
    for entry in entries:
        at, key = microseconds(entry.at), (entry.incident_id, entry.facts.get("step", 0))
        if entry.act == Act.ROLLBACK_STARTED:
            started.append(Mark(at, Kind.ROLLBACK, "Rollback started"))
        elif entry.act == Act.STEP_DONE:
            marks[key] = Mark(at, Kind.STEP, f"Step {key[1]} done")
        else:
            marks.pop(key, None)
    return [*started, *marks.values()]


def _deploy(row: Deploy) -> Mark:
    name = row.name[:COMMIT] if row.kind == Deploy.Kind.SEEN else _cut(row.name)
    return Mark(microseconds(row.at), Kind.DEPLOY, name)


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def marks_words(marks: Iterable[Mark]) -> str:
    """ "Marks: 2026.11.3 at 14:06, Rollback started at 14:22." for those who do not see them."""
    said = [f"{mark.words} at {moment(mark.at):%H:%M}" for mark in marks]
    if len(said) > MOST_SAID:
        said = [f"{len(said) - MOST_SAID} earlier", *said[-MOST_SAID:]]
    return f"Marked: {', '.join(said)}." if said else ""
