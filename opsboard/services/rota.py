"""Who of a team is on duty, read from its rota as it is stored."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from operator import itemgetter

from django.contrib.auth.models import User
from django.db.models import FETCH_RAISE, Q

from opsboard.services.models import RotaCover, RotaTurn, Team
from opsboard.services.together import Found, Given, Moment, Part, read_together
from opsboard.services.turns import MOST_LOOKED_AT, Cover, Order, Turn, turns_from

_SHOWN = ("id", "username", "first_name", "last_name", "email", "is_active")
_PERSON = ("person_id", *(f"person__{name}" for name in _SHOWN))
_TURN = (
    *("rota_id", "rota__team_id", "rota__starts_on", "rota__hand_over_at", "rota__days"),
    *("rota__team__zone", "position", *_PERSON),
)
_COVER = ("id", "rota_id", "starts_at", "ends_at", *_PERSON)


@dataclass(frozen=True, slots=True)
class OnDuty:
    person: User
    # When it is somebody else's turn; None: nobody else is in the rota.
    until: datetime | None
    next_person: User | None
    next_from: datetime | None
    is_cover: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A rota as plain values, with the people behind the numbers."""

    order: Order
    people: dict[int, User]

    def on_duty(self, at: datetime) -> OnDuty | None:
        """None: the rota has not begun, or nobody of it may sign in any more."""
        if at < self.order.begins:
            return None
        turns = list(islice(turns_from(self.order, at), 1))
        if not turns:
            return None
        now = turns[0]
        other = self._next(now, at)
        return OnDuty(
            self.people[now.person],
            other.starts if other else None,
            self.people[other.person] if other else None,
            other.starts if other else None,
            now.is_cover,
        )

    def _next(self, now: Turn, at: datetime) -> Turn | None:
        ahead = islice(turns_from(self.order, at), MOST_LOOKED_AT)
        return next((turn for turn in ahead if turn.person != now.person), None)


class Duties:
    """Who is on duty at a moment, of rotas that were read: for many teams."""

    def __init__(self, rotas: Mapping[int, Reading], *, now: datetime) -> None:
        self._rotas, self._now = rotas, now
        self._known: dict[int, OnDuty | None] = {}

    def of(self, team_id: int) -> OnDuty | None:
        """None: the team has no rota, or nobody is on duty now."""
        if team_id not in self._known:
            rota = self._rotas.get(team_id)
            self._known[team_id] = rota.on_duty(self._now) if rota else None
        return self._known[team_id]


def on_duty(team: Team, at: datetime) -> OnDuty | None:
    """Who is on duty, and the next one. None: the team has no rota, or nobody is on duty now."""
    reading = read_rotas([team.pk]).get(team.pk)
    return reading.on_duty(at) if reading else None


def read_rotas(team_ids: Iterable[int] | None = None) -> dict[int, Reading]:
    """The rotas of teams, or of all, by the team's id. One query, however many."""
    return rotas_of(read_together(**parts_of_rotas(team_ids)))


def parts_of_rotas(
    team_ids: Iterable[int] | Given | None = None, *, since: Moment | None = None
) -> dict[str, Part]:
    """What `rotas_of` needs, for those that read more in the same query.

    `team_ids`: Given stands for one. `since`: covers that were over by then are left out.
    """
    turns, covers = RotaTurn.objects.all(), RotaCover.objects.all()
    if team_ids is not None:
        if isinstance(team_ids, Given):
            chosen = Q(rota__team=team_ids)
        else:
            chosen = Q(rota__team__in=list(team_ids))
        turns, covers = turns.filter(chosen), covers.filter(chosen)
    if since is not None:
        covers = covers.filter(ends_at__gt=since)
    return {"turns": (turns, _TURN), "covers": (covers, _COVER)}


def rotas_of(found: Mapping[str, Sequence[Found]]) -> dict[int, Reading]:
    """By the team's id."""
    turns: dict[int, list[Found]] = defaultdict(list)
    covers: dict[int, list[Found]] = defaultdict(list)
    for row in sorted(found["turns"], key=itemgetter("position")):
        turns[row["rota_id"]].append(row)
    for row in sorted(found["covers"], key=itemgetter("starts_at", "id")):
        covers[row["rota_id"]].append(row)
    return {
        some[0]["rota__team_id"]: _reading(some, covers[rota_id]) for rota_id, some in turns.items()
    }


def _reading(turns: Sequence[Found], covers: Sequence[Found]) -> Reading:
    people = {row["person_id"]: _person(row) for row in (*turns, *covers)}
    rota = turns[0]
    order = Order(
        people=tuple(row["person_id"] for row in turns),
        passed_over=frozenset(pk for pk, person in people.items() if not person.is_active),
        starts_on=rota["rota__starts_on"],
        hand_over_at=rota["rota__hand_over_at"],
        days=rota["rota__days"],
        zone=rota["rota__team__zone"],
        covers=tuple(Cover(row["person_id"], row["starts_at"], row["ends_at"]) for row in covers),
    )
    return Reading(order, people)


def _person(row: Found) -> User:
    """With what is shown of somebody, and where mail goes; what else is read of them raises."""
    values = [row[f"person__{name}"] for name in _SHOWN]
    return User.from_db("default", _SHOWN, values, fetch_mode=FETCH_RAISE)
