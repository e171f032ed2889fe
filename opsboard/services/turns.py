"""Whose turn it is: people in order, handed over every so many days at a local time. Pure.

Turns abut: one ends at the very moment at which the next begins. A turn begins at the same local
time, so when the clocks change one is an hour shorter or longer.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from opsboard.services.zones import zone_of

# How far ahead is looked for somebody else.
MOST_LOOKED_AT = 500


@dataclass(frozen=True, slots=True)
class Cover:
    """Somebody else is on duty for a while. Of two at once, the one that began later counts."""

    person: int
    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A rota as plain values. Persons are numbers."""

    people: tuple[int, ...]
    # Who may not be on duty any more: the next in the order has their turns.
    passed_over: frozenset[int] = frozenset()
    starts_on: date
    hand_over_at: time
    days: int
    zone: str
    covers: tuple[Cover, ...] = ()

    @property
    def begins(self) -> datetime:
        """When the first turn begins. Nobody is on duty before."""
        return self.start_of(0)

    def start_of(self, number: int) -> datetime:
        day = self.starts_on + timedelta(days=number * self.days)
        return datetime.combine(day, self.hand_over_at, zone_of(self.zone)).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    person: int
    starts: datetime
    ends: datetime
    is_cover: bool = False


def turn_at(order: Order, at: datetime) -> Turn | None:
    """The turn that `at` is in; None: the rota has not begun, or nobody of it may be on duty."""
    if at < order.begins:
        return None
    covers = [one for one in order.covers if one.person not in order.passed_over]
    in_force = [one for one in covers if one.starts <= at < one.ends]
    cover = max(in_force, key=lambda one: (one.starts, one.ends, one.person), default=None)
    turn = Turn(cover.person, cover.starts, cover.ends, True) if cover else _by_order(order, at)
    if turn is None:
        return None
    marks = [mark for one in covers for mark in (one.starts, one.ends)] + [order.begins]
    starts = max([turn.starts, *(mark for mark in marks if mark <= at)])
    ends = min([turn.ends, *(mark for mark in marks if mark > at)])
    return Turn(turn.person, starts, ends, turn.is_cover)


def turns_from(order: Order, at: datetime) -> Iterator[Turn]:
    """The turn that `at` is in, and those after it, without end. Before the first, from there."""
    at = max(at, order.begins)
    while turn := turn_at(order, at):
        yield turn
        at = turn.ends


def _by_order(order: Order, at: datetime) -> Turn | None:
    number = _number_at(order, at)
    person = _person_of(order, number)
    if person is None:
        return None
    return Turn(person, order.start_of(number), order.start_of(number + 1))


def _number_at(order: Order, at: datetime) -> int:
    local = at.astimezone(zone_of(order.zone)).date()
    number = (local - order.starts_on).days // order.days
    while order.start_of(number) > at:
        number -= 1
    while order.start_of(number + 1) <= at:
        number += 1
    return number


def _person_of(order: Order, number: int) -> int | None:
    """Whose turn it is by the order: the next one who may be on duty, from whose turn it was."""
    count = len(order.people)
    in_order = (order.people[(number + step) % count] for step in range(count))
    return next((person for person in in_order if person not in order.passed_over), None)
