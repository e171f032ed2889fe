"""The ferry company on the board: put there, left to rest, and taken off again."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path

from django.db import transaction
from django.db.models import QuerySet

from opsboard.board.changing import apply, prepare, read_files
from opsboard.board.models import Declaration
from opsboard.demo.company import NAME, board_file
from opsboard.demo.history import fill_examples
from opsboard.demo.probe_token import NAME as NAME_OF_TOKEN
from opsboard.demo.probe_token import probe_token
from opsboard.demo.releases import name_examples
from opsboard.people.audit import Actor, Via
from opsboard.probes.models import Probe, microseconds, stand_up
from opsboard.services.models import SECOND, CriticalPath, Service, Team

ACTOR = Actor(None, Via.APPLY, who="script/up --demo")


class CannotLoad(Exception):
    """The message says what is in the way, and what to do."""


def names(kind: str) -> list[str]:
    """The slugs of the demo's teams or services that are on the board."""
    declared = Declaration.objects.filter(kind=kind, file=NAME)
    return sorted(declared.values_list("slug", flat=True))


def load(directory: Path, sites: Mapping[str, str], *, location: str, now: datetime) -> None:
    """Apply the board file with these addresses, and fill the days before. Raises CannotLoad.

    A second time it changes only what differs: the file wins over what was edited meanwhile.
    """
    file = directory / NAME
    file.write_text(board_file(sites))
    declared = read_files([str(file)])
    _refuse_others(Team, "team", declared.keys)
    _refuse_others(Service, "service", declared.keys)
    environ = {NAME_OF_TOKEN: probe_token(directory)}
    prepared = prepare(declared, environ=environ, prune=False, actor=ACTOR, now=now)
    if prepared.errors:
        raise CannotLoad("\n".join(str(error) for error in prepared.errors))
    if not prepared.is_empty:
        apply(prepared, environ=environ, prune=False, actor=ACTOR, now=now, progress=_quiet)
    wake(location=location, now=now)
    fill_examples(names("service"), now=now)
    name_examples(by=ACTOR, now=now)


def begin(*, now: datetime) -> None:
    """Ask what was never asked one after another: half a hundred at once would all look slow."""
    new = Probe.objects.active().filter(observed_at=None, path__service__slug__in=names("service"))
    first = microseconds(now) + SECOND
    for number, probe in enumerate(new.order_by("path__service__tier", "pk")):
        Probe.objects.filter(pk=probe.pk).update(slot_at=first + number * SECOND // 5)


def _quiet(*_: object) -> None:
    pass


def _refuse_others(
    model: type[Team] | type[Service], kind: str, keys: Iterable[tuple[str, str]]
) -> None:
    meant = [slug for of_kind, slug in keys if of_kind == kind]
    found = model._default_manager.filter(slug__in=meant).values_list("slug", flat=True)
    if others := sorted(set(found) - set(names(kind))):
        raise CannotLoad(
            f"The demo was not loaded: it would write over what this board already has "
            f"({kind} {', '.join(others)}). Choose another data directory for it: "
            "script/up --demo --data ./demo"
        )


def rest(*, location: str, now: datetime) -> int:
    """Pause the demo's paths: the sample services are not running, and nobody is to be alarmed.

    Returns how many paths rest. Those that a person has paused stay as they are.
    """
    asked = CriticalPath.objects.standing().filter(paused_at=None)
    return _turn(asked, location, now, paused_at=now)


def wake(*, location: str, now: datetime) -> int:
    """Ask the paths again that `rest` has paused: nobody stands behind that pause."""
    resting = CriticalPath.objects.standing().filter(paused_at__isnull=False, paused_by=None)
    return _turn(resting, location, now, paused_at=None)


@transaction.atomic
def _turn(
    paths: QuerySet[CriticalPath], location: str, now: datetime, *, paused_at: datetime | None
) -> int:
    ours = paths.filter(service__slug__in=names("service"), service__removed_at=None)
    services = list(Service.objects.filter(paths__in=ours).distinct())
    count = ours.update(paused_at=paused_at)
    for service in services:
        stand_up(service, now=now, location=location)
    return count
