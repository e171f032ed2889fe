"""What an apply would do: what is added, changed, brought back and removed. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from opsboard.board.things import ENVIRONMENT, KINDS, NOTE, SERVICE, VARIABLE, Fields, Thing, Things


class Act(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    RESTORED = "restored"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that does not stay as it is, with the fields that differ."""

    act: Act
    thing: Thing
    before: Fields
    after: Fields


@dataclass(slots=True)
class Plan:
    changes: list[Change] = field(default_factory=list)
    # On the board, in no file, and left as it is.
    staying: list[Thing] = field(default_factory=list)
    # Values of secrets to be stored, by variable.
    secrets: dict[Thing, str] = field(default_factory=dict)

    def having(self, *acts: Act) -> list[Change]:
        return [change for change in self.changes if change.act in acts]

    @property
    def removals(self) -> list[Thing]:
        return [change.thing for change in self.having(Act.REMOVED)]


@dataclass(frozen=True, slots=True)
class Board:
    """The board as far as a plan needs it."""

    things: Things
    removed: Things
    # Never planned for, whatever the files say: what Opsboard itself needs.
    kept: frozenset[Thing]


def make_plan(wanted: Things, board: Board, fresh: Mapping[Thing, str], *, prune: bool) -> Plan:
    """`fresh`: secrets whose values differ from those that are stored."""
    plan = Plan(secrets=dict(fresh))
    plan.changes = [
        change for thing in _in_order(wanted) if (change := _change(thing, wanted, board, fresh))
    ]
    undeclared = list(_undeclared(wanted, board))
    gone = {thing for thing in undeclared if prune and thing[0] != NOTE}
    plan.staying = [thing for thing in undeclared if thing not in gone]
    # What goes with the thing it belongs to needs no line of its own.
    plan.changes += [
        Change(Act.REMOVED, thing, board.things[thing], {})
        for thing in _in_order(gone)
        if not _goes_with_another(thing, gone)
    ]
    return plan


def _in_order(things: Any) -> list[Thing]:
    order = {kind: number for number, kind in enumerate(KINDS)}
    return sorted(things, key=lambda thing: (order[thing[0]], thing))


def _change(
    thing: Thing, wanted: Things, board: Board, fresh: Mapping[Thing, str]
) -> Change | None:
    after = wanted[thing]
    before = board.things.get(thing)
    if thing[0] in (VARIABLE, NOTE):
        # They come and go with what they belong to.
        before = before or board.removed.get(thing)
    if before is None:
        act = Act.RESTORED if thing in board.removed else Act.ADDED
        return Change(act, thing, board.removed.get(thing, {}), after)
    differing = [name for name, value in after.items() if before.get(name) != value]
    if not differing and thing not in fresh:
        return None
    names = differing or ["value"]
    return Change(
        Act.CHANGED, thing, {n: before.get(n) for n in names}, {n: after[n] for n in names}
    )


def _undeclared(wanted: Things, board: Board) -> Iterator[Thing]:
    owners = {fields["owner"] for fields in wanted.values() if fields.get("owner")}
    for thing in board.things:
        is_needed = thing in board.kept or (thing[0] == "team" and thing[1] in owners)
        if thing not in wanted and not is_needed:
            yield thing


def _goes_with_another(thing: Thing, gone: set[Thing]) -> bool:
    if thing[0] != SERVICE and (SERVICE, thing[1]) in gone:
        return True
    return thing[0] == VARIABLE and (ENVIRONMENT, *thing[1:3]) in gone


def counted(things: list[Thing]) -> str:
    """ "1 team, 2 services and 5 paths"."""
    counts = Counter(thing[0] for thing in things)
    words = [_number(counts[kind], kind) for kind in KINDS if counts[kind]]
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""


def _number(count: int, kind: str) -> str:
    return f"{count:,} {kind}{'s' if count != 1 else ''}"
