"""Who of a team is on duty, read from its rota as it is stored."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from django.contrib.auth.models import User

from opsboard.services.models import Rota, RotaCover, RotaTurn, Team
from opsboard.services.turns import MOST_LOOKED_AT, Cover, Order, Turn, turns_from


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


def on_duty(team: Team, at: datetime) -> OnDuty | None:
    """Who is on duty, and the next one. None: the team has no rota, or nobody is on duty now."""
    reading = read_rotas([team.pk]).get(team.pk)
    return reading.on_duty(at) if reading else None


def read_rotas(team_ids: Iterable[int] | None = None) -> dict[int, Reading]:
    """The rotas of teams, or of all, by the team's id. Two queries, however many."""
    turns = RotaTurn.objects.select_related("rota__team", "person").order_by("position")
    covers = RotaCover.objects.select_related("person").order_by("starts_at", "pk")
    if team_ids is not None:
        chosen = list(team_ids)
        turns = turns.filter(rota__team__in=chosen)
        covers = covers.filter(rota__team__in=chosen)
    turns_of: dict[Rota, list[RotaTurn]] = defaultdict(list)
    covers_of: dict[int, list[RotaCover]] = defaultdict(list)
    for turn in turns:
        turns_of[turn.rota].append(turn)
    for cover in covers if turns_of else ():
        covers_of[cover.rota_id].append(cover)
    return {
        rota.team_id: _reading(rota, some, covers_of[rota.pk]) for rota, some in turns_of.items()
    }


def _reading(rota: Rota, turns: Sequence[RotaTurn], covers: Sequence[RotaCover]) -> Reading:
    people = {turn.person_id: turn.person for turn in turns}
    people |= {cover.person_id: cover.person for cover in covers}
    order = Order(
        people=tuple(turn.person_id for turn in turns),
        passed_over=frozenset(pk for pk, person in people.items() if not person.is_active),
        starts_on=rota.starts_on,
        hand_over_at=rota.hand_over_at,
        days=rota.days,
        zone=rota.team.zone,
        covers=tuple(Cover(one.person_id, one.starts_at, one.ends_at) for one in covers),
    )
    return Reading(order, people)
