"""An apply from its files to the board: all or nothing, one at a time, and nothing twice."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import OperationalError, connection, transaction

from opsboard.alerts.hearing import Audience
from opsboard.alerts.planning import reconcile
from opsboard.board.applying import Progress, Writing, write
from opsboard.board.checking import Checked, check_across
from opsboard.board.declarations import Marks, compare_marks, stored_declarations, write_marks
from opsboard.board.declared import Declared
from opsboard.board.planning import Plan, make_plan
from opsboard.board.reading import read_board
from opsboard.board.sources import Wrong, read_sources
from opsboard.board.stored import Stored, read_stored
from opsboard.board.unheard import unheard_paths
from opsboard.people.audit import Actor
from opsboard.probes.models import stand_up_all
from opsboard.probes.orders import policy_of_kind
from opsboard.services.askable import why_not_askable

# Any number that no other program of this database locks.
_LOCK = 7_031_977_201
_STANDING_UP_AT_ONCE = 200


class AnotherApplyError(Exception):
    """Another apply is running. Wait until it has ended, then apply again."""


class ChangedMeanwhileError(Exception):
    """The board was changed after the plan was shown. Apply again, and look at the new plan."""


@dataclass(slots=True)
class Prepared:
    """What an apply would do, or what stands against it."""

    declared: Declared
    stored: Stored
    checked: Checked
    plan: Plan = field(default_factory=Plan)
    marks: Marks = field(default_factory=lambda: Marks([], []))

    @property
    def errors(self) -> list[Wrong]:
        return [*self.declared.errors, *self.checked.errors]

    @property
    def is_empty(self) -> bool:
        return not (self.plan.changes or self.marks.new or self.marks.gone)


def read_files(paths: list[str]) -> Declared:
    sources, errors = read_sources(paths)
    declared = read_board(sources)
    declared.errors[:0] = errors
    return declared


def _why_not_askable(url: str, kind: str) -> str:
    return why_not_askable(url, policy_of_kind(kind))


def prepare(
    declared: Declared, *, environ: Mapping[str, str], prune: bool, actor: Actor, now: datetime
) -> Prepared:
    """Hold files against the board as it is now. Writes nothing."""
    stored = read_stored()
    checked = check_across(declared, stored, environ=environ, refuse=_why_not_askable)
    prepared = Prepared(declared, stored, checked)
    if not prepared.errors:
        prepared.plan = make_plan(declared.things, stored.board, checked.fresh, prune=prune)
        checked.warnings.extend(unheard_paths(declared, stored, Audience(now)))
        prepared.marks = compare_marks(declared, stored_declarations(), actor, now)
    return prepared


def apply(
    shown: Prepared,
    *,
    environ: Mapping[str, str],
    prune: bool,
    actor: Actor,
    now: datetime,
    progress: Progress,
) -> Prepared:
    """Do what was shown, in one transaction. Raises AnotherApplyError and ChangedMeanwhileError."""
    return carry_out(
        shown.declared,
        is_as_shown=lambda found: found.plan.removals == shown.plan.removals,
        environ=environ,
        prune=prune,
        actor=actor,
        now=now,
        progress=progress,
    )


def carry_out(
    declared: Declared,
    *,
    is_as_shown: Callable[[Prepared], bool],
    environ: Mapping[str, str],
    prune: bool,
    actor: Actor,
    now: datetime,
    progress: Progress,
    at_last: Callable[[Prepared], None] = lambda _: None,
) -> Prepared:
    """As `apply`, for whoever keeps no plan. `at_last` is called last in the transaction.

    What `progress` and `at_last` raise undoes all of it, and is raised.
    """
    try:
        with transaction.atomic():
            _hold()
            progress("things held against the board", 0, len(declared.things))
            prepared = prepare(declared, environ=environ, prune=prune, actor=actor, now=now)
            if prepared.errors or not is_as_shown(prepared):
                raise ChangedMeanwhileError(ChangedMeanwhileError.__doc__)
            _write(prepared, actor=actor, now=now, progress=progress)
            at_last(prepared)
    except OperationalError as error:
        if "locked" not in str(error):
            raise
        raise AnotherApplyError(AnotherApplyError.__doc__) from error
    reconcile(now=now)
    return prepared


def _hold() -> None:
    """On SQLite the transaction itself has waited; elsewhere two could write beside each other."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            raise AnotherApplyError(AnotherApplyError.__doc__)


def _write(prepared: Prepared, *, actor: Actor, now: datetime, progress: Progress) -> None:
    writing = Writing(prepared.plan, prepared.stored, prepared.declared, actor, now, progress)
    services = sorted(write(writing))
    keys = [prepared.stored.rows["service", slug].pk for slug in services]
    for start in range(0, len(keys), _STANDING_UP_AT_ONCE):
        progress("services brought in line", start, len(keys))
        some = keys[start : start + _STANDING_UP_AT_ONCE]
        stand_up_all(some, now=now, location=settings.HOME_LOCATION)
    write_marks(prepared.marks)
