"""Restoring a backup into an empty database: all of it, or nothing.

What then follows is what follows any time the board was off: the first claims write down the slots
that were missed, the first observations that nothing was known since the last ones before, and
reconciling settles what is open. Only alerts need a word of their own: none is sent for the past.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import batched
from typing import IO, Any

from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management.color import no_style
from django.db import DatabaseError, IntegrityError, connection, models, transaction
from django.db.models import Q

from opsboard.alerts.models import Channel, Delivery, Message
from opsboard.board.backup import Say, let_it_take_long
from opsboard.board.backup_file import BadBackupError, Begins, Event, Header, check, read
from opsboard.board.models import Declaration
from opsboard.board.tables import LEFT_OUT, Table, WrongValueError, kept_tables
from opsboard.board.versions import NotReadyError, applied_migrations, refuse_other_version
from opsboard.incidents.models import TimelineEntry
from opsboard.people.audit import Actor, record
from opsboard.people.models import BUILT_IN_VIEWER, AuditEntry
from opsboard.probes.history import make_partitions_of
from opsboard.probes.models import Observation, Probe, Shift
from opsboard.probes.schedule import SECOND, database_now
from opsboard.services.models import Service, Team, Variable
from opsboard.services.secrets import CannotDecrypt

ROWS_AT_ONCE = 1_000
SAY_EVERY = 100_000
# A partition a day on PostgreSQL, all made in one transaction.
MOST_DAYS = 2_000
# A worker says at least once a second that it takes work.
AT_WORK = 10 * SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    header: Header
    # Alerts that were still waiting, and are not sent.
    not_sent: int
    # Secrets whose key is not here.
    locked: int


def restore(file: IO[bytes], *, actor: Actor, now: datetime, say: Say) -> Restored:
    """Store what is in the file. Raises BadBackupError and NotReadyError, with nothing stored."""
    applied = applied_migrations()
    _refuse_unless_empty()
    header = check(file)
    refuse_other_version(header, applied)
    say("the backup is whole")
    try:
        with transaction.atomic():
            _hold_all_tables()
            _refuse_unless_empty()
            _clear()
            _load(file, say)
            _refuse_unusable_probes()
            not_sent = _hold_what_is_past(_reason(header), now=now)
            after = {"made": header.made_at, "by Opsboard": header.version}
            record(actor, "restored", "board", "a backup", now=now, after=after)
        # References are checked as the transaction ends.
    except DatabaseError as error:
        raise BadBackupError(_refused(error)) from None
    return Restored(header=header, not_sent=not_sent, locked=locked_secrets())


def _hold_what_is_past(reason: str, *, now: datetime) -> int:
    """Nothing is sent for the past: what was under way or waiting is held. Returns how many."""
    under_way = Message.objects.under_way()
    Delivery.objects.filter(message__in=under_way).update(message=None)
    under_way.delete()
    return Delivery.objects.hold(Delivery.HeldBy.PAST, reason, now=now)


def _reason(header: Header) -> str:
    made = datetime.fromisoformat(header.made_at)
    return (
        f"It was still waiting in the backup of {made:%-d %B %Y %H:%M} UTC, "
        "from which this board was restored."
    )


def _refused(error: DatabaseError) -> str:
    if isinstance(error, IntegrityError):
        return "The backup is damaged: rows in it contradict each other. Nothing was stored."
    reason = " ".join(str(error).split())
    return f"The database refused the backup, and nothing was stored: {reason}."


# Before ------------------------------------------------------------------------------------


def _refuse_unless_empty() -> None:
    """A board that only watches itself is empty; one that runs is not to be restored into."""
    for words, found in _signs_of_use():
        if found.exists():
            raise NotReadyError(
                f"The database is not empty, it has {words}: restore into a new one."
            )
    at_work = Shift.objects.filter(claimed_at__gt=database_now() - AT_WORK).first()
    if at_work is not None:
        raise NotReadyError(
            f"A board runs on this database ({at_work.instance} took work within the last "
            "10 seconds): stop its web, workers and beat, then restore."
        )


def _signs_of_use() -> Iterator[tuple[str, models.QuerySet[Any]]]:
    yield "services", Service.objects.filter(is_built_in=False)
    yield "people", User.objects.exclude(username=BUILT_IN_VIEWER)
    yield "teams", Team.objects.exclude(services__is_built_in=True)
    yield "alert channels", Channel.objects.all()
    yield "what a board file declared", Declaration.objects.all()
    yield "an audit log", AuditEntry.objects.all()


def _hold_all_tables() -> None:
    """Nobody else writes until this ends. SQLite's transaction sees to that itself."""
    if connection.vendor != "postgresql":
        return
    let_it_take_long()
    names = ", ".join(connection.ops.quote_name(table.name) for table in kept_tables())
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {names} IN EXCLUSIVE MODE")


def _clear() -> None:
    """Take out the board's watch of itself, and ways in that would now lead to other people."""
    emptied: list[type[models.Model]] = [*LEFT_OUT, Session]
    # Timelines go with their incidents, and cannot go before.
    kept = (AuditEntry, TimelineEntry)
    emptied += [table.model for table in kept_tables() if table.model not in kept]
    for model in emptied:
        model._base_manager.all()._raw_delete(using="default")


# Loading -----------------------------------------------------------------------------------


def _load(file: IO[bytes], say: Say) -> None:
    tables = {table.name: table for table in kept_tables()}
    events = read(file)
    header = next(events)
    assert isinstance(header, Header)  # noqa: S101 - what read yields first
    if missing := sorted(set(tables) - set(header.counts)):
        raise BadBackupError(f"The backup is damaged: it lacks the table {missing[0]}.")
    days: set[int] = set()
    for begins, rows in _by_table(events):
        table = _table_of(begins, tables)
        count = _store(table, rows, days, say)
        if count % SAY_EVERY:
            say(f"{table.name}: {count:,} rows")
    _set_sequences([table.model for table in tables.values()])


def _by_table(events: Iterator[Event]) -> Iterator[tuple[Begins, Iterator[list[Any]]]]:
    """Each table with its rows, which must be taken before the next table."""
    following: list[Begins] = []

    def rows() -> Iterator[list[Any]]:
        for event in events:
            if isinstance(event, Begins):
                following.append(event)
                return
            if isinstance(event, list):
                yield event

    for _ in rows():
        pass
    while following:
        yield following.pop(), rows()


def _table_of(begins: Begins, tables: dict[str, Table]) -> Table:
    table = tables.get(begins.table)
    if table is None:
        raise BadBackupError("The backup is damaged: it has a table that Opsboard does not know.")
    if begins.columns != table.column_names:
        raise BadBackupError(f"The backup is damaged: {table.name} has not the columns it must.")
    return table


def _store(table: Table, rows: Iterator[list[Any]], days: set[int], say: Say) -> int:
    count = 0
    for batch in batched(rows, ROWS_AT_ONCE):
        stored = _read(table, batch)
        if table.model is Observation:
            _make_room(table, stored, days)
        _insert(table, stored)
        count += len(stored)
        if count % SAY_EVERY == 0:
            say(f"{table.name}: {count:,} rows")
    return count


def _insert(table: Table, rows: list[list[Any]]) -> None:
    """The names in the statements are our own; values are never in their text."""
    into = connection.ops.quote_name(table.name)
    names = ", ".join(connection.ops.quote_name(name) for name in table.column_names)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Eight times as fast as inserting.
            copying = cursor.copy(f"COPY {into} ({names}) FROM STDIN")
            with connection.wrap_database_errors, copying as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            holes = ", ".join(["%s"] * len(table.columns))
            cursor.executemany(f"INSERT INTO {into} ({names}) VALUES ({holes})", rows)  # noqa: S608


def _read(table: Table, batch: tuple[list[Any], ...]) -> list[list[Any]]:
    try:
        return [table.read(row) for row in batch]
    except WrongValueError as wrong:
        raise BadBackupError(f"The backup is damaged: {wrong}.") from None


def _make_room(table: Table, rows: list[list[Any]], days: set[int]) -> None:
    """A partition for each day of observations, before the first of them."""
    at = table.column_names.index("slot_at")
    new = {row[at] // (86_400 * SECOND) for row in rows} - days
    days |= new
    if len(days) > MOST_DAYS or any(not 0 <= day < 100_000 for day in new):
        raise BadBackupError("The backup is damaged: it has observations of impossible days.")
    make_partitions_of(new)


def _set_sequences(kept: list[type[models.Model]]) -> None:
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), kept):
            cursor.execute(statement)


# After -------------------------------------------------------------------------------------


def _refuse_unusable_probes() -> None:
    """A schedule without an interval would be asked without an end."""
    unusable = Q(interval__lt=SECOND) | Q(timeout__lt=SECOND // 10)
    if Probe.objects.filter(unusable).exists():
        raise BadBackupError("The backup is damaged: a probe in it has no usable interval.")


def locked_secrets() -> int:
    """How many stored secrets cannot be decrypted with the keys that are here."""
    variables = Variable.objects.filter(is_secret=True).exclude(value="").iterator()
    locked = sum(not _opens(variable.reveal) for variable in variables)
    for channel in Channel.objects.filter(removed_at=None).iterator():
        locked += not _opens(channel.reveal_address)
        locked += not _opens(channel.reveal_secret)
    return locked


def _opens(reveal: Any) -> bool:
    try:
        reveal()
    except CannotDecrypt:
        return False
    return True
