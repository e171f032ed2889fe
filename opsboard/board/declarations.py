"""Which file declares what: kept to be shown, and to find what has drifted since."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from opsboard.board.declared import Declared
from opsboard.board.models import Declaration
from opsboard.board.things import SERVICE, TEAM, Fields, Thing, Things, words
from opsboard.people.audit import Actor
from opsboard.services.together import Given

type Declarations = dict[tuple[str, str], Declaration]


@dataclass(frozen=True, slots=True)
class Difference:
    """A thing that is not on the board as its file declared it. None: it is not there at all."""

    thing: Thing
    declared: Fields
    now: Fields | None

    @property
    def name(self) -> str:
        return words(self.thing)


def parts(things: Things) -> dict[tuple[str, str], dict[str, Fields]]:
    """Things by the team or the service that declares them, as they are kept."""
    grouped: dict[tuple[str, str], dict[str, Fields]] = {}
    for thing, fields in things.items():
        kind = TEAM if thing[0] == TEAM else SERVICE
        grouped.setdefault((kind, thing[1]), {})["/".join(thing)] = fields
    return grouped


def things_in(declaration: Declaration) -> Things:
    return {tuple(key.split("/")): fields for key, fields in declaration.declared.items()}


def stored_declarations() -> Declarations:
    return {(one.kind, one.slug): one for one in Declaration.objects.select_related("applied_by")}


def declaration_of(thing: Thing) -> Declaration | None:
    """None: no file declares it, though one may declare its service."""
    return declaring(kept_of(TEAM if thing[0] == TEAM else SERVICE, thing[1]), thing)


def kept_of(kind: str, slug: str | Given) -> QuerySet[Declaration]:
    """What is kept of a team or a service, and of all things of it: one row, or none."""
    return Declaration.objects.filter(kind=kind, slug=slug)


def declaring(kept: Iterable[Declaration], thing: Thing) -> Declaration | None:
    """The one that declares the thing itself, of what `kept_of` found."""
    return next((one for one in kept if "/".join(thing) in one.declared), None)


@dataclass(slots=True)
class Marks:
    """What changes of the declarations themselves."""

    new: list[Declaration]
    # No file that was applied declares them any more.
    gone: list[Declaration]


def compare_marks(declared: Declared, known: Declarations, actor: Actor, now: Any) -> Marks:
    marks = Marks([], [])
    for (kind, slug), part in parts(declared.things).items():
        file = declared.file_of(kind, slug)[:200]
        before = known.get((kind, slug))
        if before is None or before.file != file or before.declared != part:
            marks.new.append(
                Declaration(
                    kind=kind,
                    slug=slug,
                    file=file,
                    declared=part,
                    applied_at=now,
                    applied_by=actor.person,
                )
            )
    marks.gone = [
        one for key, one in known.items() if one.file in declared.files and key not in declared.keys
    ]
    return marks


def write_marks(marks: Marks) -> None:
    Declaration.objects.bulk_create(
        marks.new,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["kind", "slug"],
        update_fields=["file", "declared", "applied_at", "applied_by"],
    )
    Declaration.objects.filter(pk__in=[one.pk for one in marks.gone]).delete()


def drift(declaration: Declaration, stored: Things) -> Iterator[Difference]:
    """Where the board differs from what the file declared."""
    for thing, fields in things_in(declaration).items():
        now = stored.get(thing)
        if now is None:
            yield Difference(thing, fields, None)
            continue
        names = [name for name in fields if fields[name] != now.get(name)]
        if names:
            yield Difference(thing, {n: fields[n] for n in names}, {n: now[n] for n in names})
