"""Which of what waits for a channel its next message tells: plain values in, plain values out.

Of one incident a message says one thing: the last that is known of it. What came before it goes
along, so that it is written down which message told of it. What is for now never stands among what
is for the day: while there are pages, notices wait for the next message.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

# What happens later in one opening of an incident says all that came before it as well.
ORDER = {"linked": 0, "reminder": 1, "escalated": 2, "failing": 3, "resolved": 4}
NOTICES = ("linked", "notice")
# What must be seen first stands first.
FIRST = ("failing", "escalated", "reminder", "resolved", "linked")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A delivery that waits for its channel."""

    pk: int
    event: str
    is_due: bool
    # None: it is of no incident.
    incident: int | None = None
    opening: int = 1
    number: int = 1
    # Its incident is resolved.
    is_over: bool = False

    @property
    def place(self) -> tuple[int, int, int]:
        return self.opening, ORDER[self.event], self.number


@dataclass(frozen=True, slots=True)
class Choice:
    """By their pk: what is said, what goes along with it, and what need not be said any more."""

    said: tuple[int, ...]
    along: tuple[int, ...]
    ended: tuple[int, ...]


def choose(waiting: Iterable[Waiting], *, told: Collection[int]) -> Choice:
    """`told`: the incidents of which the channel was sent word before."""
    told_now: list[tuple[Waiting, list[Waiting]]] = []
    ended: list[Waiting] = []
    incidents: dict[int, list[Waiting]] = defaultdict(list)
    for one in waiting:
        if one.incident is not None:
            incidents[one.incident].append(one)
        elif one.is_due:
            told_now.append((one, []))
    for incident, group in incidents.items():
        due = _due(group)
        if not due:
            continue
        last = max(due, key=lambda one: one.place)
        rest = [one for one in due if one is not last]
        if _is_of_use(last, rest, was_told=incident in told):
            told_now.append((last, rest))
        else:
            ended += due
    pages = [pair for pair in told_now if pair[0].event not in NOTICES]
    kept = pages or told_now
    along = [one for _, rest in kept for one in rest]
    return Choice(_keys(_seen_first([last for last, _ in kept])), _keys(along), _keys(ended))


def _due(group: Sequence[Waiting]) -> list[Waiting]:
    """An end is never told before its beginning, even one that was to wait longer."""
    ends = [one.place for one in group if one.is_due and one.event == "resolved"]
    newest = max(ends, default=(0, 0, 0))
    return [one for one in group if one.is_due or one.place < newest]


def _is_of_use(last: Waiting, rest: Sequence[Waiting], *, was_told: bool) -> bool:
    """That it is over is for those who know it began; that it fails, while it does."""
    if last.event == "resolved":
        return was_told or any(one.event != "resolved" for one in rest)
    return not last.is_over


def _seen_first(said: Sequence[Waiting]) -> list[Waiting]:
    return sorted(said, key=lambda one: FIRST.index(one.event) if one.event in FIRST else 9)


def _keys(those: Iterable[Waiting]) -> tuple[int, ...]:
    return tuple(one.pk for one in those)
