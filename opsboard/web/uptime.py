"""How a path stood over a range: when it was failing, and its uptime."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from operator import attrgetter

from django.conf import settings
from django.db.models import QuerySet

from opsboard.probes.models import Probe, StateChange, microseconds, moment
from opsboard.probes.rules import State, path_state, seconds_in_states, state_at
from opsboard.probes.timelines import Timeline, timeline
from opsboard.services import windows
from opsboard.services.models import Environment, MaintenanceWindow
from opsboard.services.together import Number, one_of
from opsboard.web import words

# A path that flaps for weeks changes more often than a page can show.
MOST_CHANGES = 1000


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a path from each moment on, until `end`. Times in microseconds since 1970."""

    line: Timeline
    end: int

    @property
    def failing(self) -> list[tuple[int, int]]:
        stretches: list[tuple[int, int]] = []
        for (begin, state), (finish, _) in pairwise([*self.line, (self.end, State.NO_DATA)]):
            if state is State.FAILING and begin < finish:
                follows = bool(stretches) and stretches[-1][1] == begin
                stretches.append((stretches.pop()[0] if follows else begin, finish))
        return stretches


def changes_since(probes: Sequence[Number], since: Number) -> QuerySet[StateChange]:
    """What `standing_of` is made of; `since` as `known_since` gives it."""
    within = StateChange.objects.filter(one_of("probe", probes), at__gte=since)
    newest = within.order_by("-at", "-pk").values("pk")[:MOST_CHANGES]
    return StateChange.objects.filter(pk__in=newest)


def standing_of(
    probes: Sequence[Probe], changes: Iterable[StateChange], *, since: int, now: datetime
) -> Standing:
    """What was before changes that are let go of, or too many, is not known."""
    begin = known_since(since, now=now)
    ordered = sorted(changes, key=attrgetter("at", "pk"))
    if len(ordered) == MOST_CHANGES:
        begin = ordered[0].at
    by_probe: Mapping[int, list[StateChange]] = defaultdict(list)
    for change in ordered:
        by_probe[change.probe_id].append(change)
    lines = [timeline(probe, by_probe[probe.pk], since=begin, now=now) for probe in probes]
    return Standing(line=together(lines), end=microseconds(now))


def known_since(since: int, *, now: datetime) -> int:
    """What was before is let go of. In microseconds since 1970."""
    return max(since, microseconds(now - timedelta(days=settings.KEEP_ROLLUPS_DAYS)))


def together(lines: Sequence[Timeline]) -> Timeline:
    """The line of a path, from those of its locations."""
    if len(lines) == 1:
        return lines[0]
    moments = sorted({at for line in lines for at, _ in line})
    return [
        (at, path_state([state for line in lines if (state := state_at(line, at)) is not None]))
        for at in moments
    ]


@dataclass(frozen=True, slots=True)
class Uptime:
    """Seconds of a range in each state; those in maintenance are in none of them."""

    spent: Mapping[State, int]
    maintenance: int

    @property
    def words(self) -> str:
        """ "Uptime 99.82% of the 23 h 40 min that are known; left out: 20 min in maintenance."

        The percentage is rounded down.
        """
        up = self.spent[State.PASSING] + self.spent[State.WARNING]
        known = up + self.spent[State.FAILING]
        left_out = f"; left out: {self._left_out}" if self._left_out else ""
        if not known:
            return f"Uptime is not known{left_out}."
        part = words.availability(up, known)
        return f"Uptime {part} of the {_span(known)} that are known{left_out}."

    @property
    def _left_out(self) -> str:
        """ "20 min in maintenance, 2 h without data"; "" for nothing."""
        seconds = {
            "in maintenance": self.maintenance,
            "without data": self.spent[State.NO_DATA],
            "paused": self.spent[State.PAUSED],
        }
        return ", ".join(f"{_span(count)} {what}" for what, count in seconds.items() if count)


def _span(seconds: int) -> str:
    return words.span(seconds * words.SECOND)


def uptime_of(
    standing: Standing, environment: Environment, maintenance: Iterable[MaintenanceWindow]
) -> Uptime:
    """`maintenance`: the windows that touch that time. `environment` comes with its service."""
    if not standing.line:
        return Uptime(dict.fromkeys(State, 0), 0)
    start = standing.line[0][0]
    found = windows.spans_of(maintenance, [environment], moment(start), moment(standing.end))
    without = [
        (microseconds(begin), microseconds(finish))
        for begin, finish in found.get(environment.pk, [])
    ]
    whole = seconds_in_states([standing.line], start, standing.end)
    spent = whole
    if without:
        spent = seconds_in_states([standing.line], start, standing.end, without=without)
    return Uptime(spent, max(0, sum(whole.values()) - sum(spent.values())))
