"""What the words of a note stand for in an environment: read from the releases told there."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from opsboard.rollbacks.words import NOTHING, Known
from opsboard.services.models import Deploy

# Of each environment: further back nobody goes.
MOST_READ = 50


class Released:
    """The releases of some environments, in one query."""

    def __init__(self, environment_ids: Iterable[int]) -> None:
        nth = Window(RowNumber(), partition_by=F("environment"), order_by=F("at").desc())
        told = Deploy.objects.filter(
            environment__in=set(environment_ids), kind=Deploy.Kind.RELEASE
        ).annotate(nth=nth)
        self._of: dict[int, list[Deploy]] = defaultdict(list)
        for row in told.filter(nth__lte=MOST_READ).order_by("at", "pk"):
            self._of[row.environment_id].append(row)

    def known(self, environment_id: int, *, until: datetime) -> Known:
        """The newest version released there before `until`, and the one it would go back to."""
        return known_of([row for row in self._of[environment_id] if row.at <= until])

    def before(self, environment_id: int, version: str, *, until: datetime) -> str:
        """The version that runs there before `version` goes out; "": not known."""
        stack = _stack([row for row in self._of[environment_id] if row.at <= until])
        names = [row.name for row in stack]
        if version in names:
            names = names[: names.index(version)]
        return names[-1] if names else ""


def known_of(deploys: Sequence[Deploy]) -> Known:
    """`deploys` of one environment, the oldest first."""
    stack = _stack(deploys)
    if not stack:
        return NOTHING
    previous = stack[-2].name if len(stack) > 1 else ""
    return Known(previous_version=previous, version=stack[-1].name, tag=stack[-1].tag)


def _stack(deploys: Sequence[Deploy]) -> list[Deploy]:
    """The versions, each on top of the one it would go back to.

    A version that is released again takes away those above it: they were gone back from.
    """
    stack: list[Deploy] = []
    for row in deploys:
        names = [one.name for one in stack]
        stack = stack[: names.index(row.name)] if row.name in names else stack
        stack.append(row)
    return stack
