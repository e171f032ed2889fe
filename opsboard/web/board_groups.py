"""Many services as a table that can be read: by team, each folded to its head until it is opened.

What does not pass comes first, whosever it is, and is always open. Pure.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from opsboard.probes.path_states import WORST_FIRST
from opsboard.probes.rules import State
from opsboard.web.overview import ServiceLine, ServiceNow
from opsboard.web.words import counted

# Fewer are read at a glance, worst first.
GROUPED_FROM = 50
# In the address: every team is open, or the named ones are.
ALL = "all"


@dataclass(frozen=True, slots=True)
class Head:
    """The row above the services of a team, or, of no team, above all that does not pass."""

    slug: str
    name: str
    # "24 services"
    count: str
    # How many are in each state but passing, worst first.
    states: tuple[tuple[State, int], ...]
    is_open: bool
    # Which teams are open once this one is turned: for the address.
    turned: str
    # Its services began on the page before.
    is_continued: bool = False

    @property
    def key(self) -> str:
        return f"team-{self.slug}" if self.slug else "not-passing"


type Entry = Head | ServiceNow


def opened(asked: str | None, services: Sequence[ServiceNow | ServiceLine]) -> set[str]:
    """The open teams. Nothing asked: the person's own."""
    if asked is None:
        return {one.team_slug for one in services if one.is_mine}
    if asked == ALL:
        return {one.team_slug for one in services}
    return set(asked.split(","))


def entries_of(services: Sequence[ServiceNow], open_teams: Collection[str]) -> list[Entry]:
    """`services` worst first, as heads and rows in the order of the table."""
    return [*_broken(services), *_teams(services, open_teams)]


def _broken(services: Sequence[ServiceNow]) -> Iterator[Entry]:
    broken = [one for one in services if _needs_somebody(one)]
    if broken:
        count = counted(len(broken), "service")
        yield Head("", "Not passing, of every team", count, _states(broken), True, "")
        yield from broken


def _needs_somebody(service: ServiceNow) -> bool:
    return service.state in (State.FAILING, State.WARNING, State.NO_DATA)


def _teams(services: Sequence[ServiceNow], open_teams: Collection[str]) -> Iterator[Entry]:
    teams: dict[tuple[str, str], list[ServiceNow]] = defaultdict(list)
    for one in services:
        teams[one.team_name, one.team_slug].append(one)
    for (name, slug), own in sorted(teams.items(), key=lambda item: item[0][0].lower()):
        is_open = slug in open_teams
        yield Head(
            slug=slug,
            name=name,
            count=counted(len(own), "service"),
            states=_states(own),
            is_open=is_open,
            turned=",".join(sorted({*open_teams} ^ {slug})),
        )
        if is_open:
            yield from (one for one in own if not _needs_somebody(one))


def _states(services: Sequence[ServiceNow]) -> tuple[tuple[State, int], ...]:
    counts = Counter(one.state for one in services)
    worst = (state for state in WORST_FIRST if state is not State.PASSING)
    return tuple((state, counts[state]) for state in worst if counts[state])


def page_of(entries: Sequence[Entry], start: int, size: int) -> list[Entry]:
    """`size` entries from `start` on; a team that began before has its head again."""
    shown = list(entries[start : start + size])
    if not shown or isinstance(shown[0], Head):
        return shown
    before = (one for one in reversed(entries[:start]) if isinstance(one, Head))
    head = next(before, None)
    return [_continued(head), *shown] if head else shown


def _continued(head: Head) -> Head:
    return replace(head, is_continued=True)
