"""Backing up: one consistent file of the whole board, while it runs, from either database.

Everything is read in one transaction that only reads, so that writers go on: what they write
meanwhile is not in the file. Secrets stay as they are stored, encrypted; the keys are not in it.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection, transaction

from opsboard.board.backup_file import Header, Writer
from opsboard.board.tables import Table, kept_tables
from opsboard.board.versions import applied_migrations

ROWS_AT_ONCE = 2_000
SAY_EVERY = 100_000

Say = Callable[[str], None]


class CannotWriteError(Exception):
    """The file cannot be written; the message is one sentence."""


def back_up(path: Path, *, now: datetime, replaces: bool, say: Say) -> Header:
    """Write the backup to `path`, whole or not at all, and return what is in it.

    Raises CannotWriteError, and NotReadyError for a database of another version.
    """
    if path.exists() and not replaces:
        raise CannotWriteError(f"{path} is already there: name another file, or say --force.")
    migrations = applied_migrations()
    with _file_at(path, replaces=replaces) as file, one_moment():
        tables = kept_tables()
        header = Header(
            version=settings.VERSION,
            made_at=now.isoformat(),
            migrations=migrations,
            counts={table.name: table.count() for table in tables},
        )
        writer = Writer(file, header)
        for table in tables:
            _write(writer, table, header.counts[table.name], say)
        writer.end()
    return header


def _write(writer: Writer, table: Table, count: int, say: Say) -> None:
    writer.table(table.name, table.column_names)
    for number, row in enumerate(table.rows(ROWS_AT_ONCE), start=1):
        writer.row(row)
        if number % SAY_EVERY == 0:
            say(f"{table.name}: {number:,} of {count:,} rows")
    if count % SAY_EVERY:
        say(f"{table.name}: {count:,} rows")


# One moment --------------------------------------------------------------------------------


@contextmanager
def one_moment() -> Iterator[None]:
    """A transaction in which everything is as it was at its beginning, and that only reads."""
    with _sqlite_moment() if connection.vendor == "sqlite" else _postgres_moment():
        yield


@contextmanager
def _sqlite_moment() -> Iterator[None]:
    # Django's own transactions are IMMEDIATE here: they would keep every writer waiting.
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")


@contextmanager
def _postgres_moment() -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        let_it_take_long()
        # Before the first look: a partition that is dropped meanwhile would be missing from it.
        cursor.execute("LOCK TABLE probes_observation IN ACCESS SHARE MODE")
        yield


def let_it_take_long() -> None:
    """The limits on PostgreSQL are for pages and probes, and not for all rows there are."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


# The file ----------------------------------------------------------------------------------


@contextmanager
def _file_at(path: Path, *, replaces: bool) -> Iterator[IO[bytes]]:
    """A file that appears at `path`, for its owner's eyes only, when all of it is on the disk."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        with _opened(partial) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                _give_name(partial, path, replaces=replaces)
            except BaseException:
                partial.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise CannotWriteError(f"{path} cannot be written: {error.strerror}.") from None


def _opened(partial: Path) -> IO[bytes]:
    """One that a killed backup left is written over; one that another backup writes is not."""
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    file = os.fdopen(os.open(partial, flags, 0o600), "r+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise CannotWriteError(f"Another backup writes {partial.name[1:-8]} now.") from None
    file.truncate(0)
    return file


def _give_name(partial: Path, path: Path, *, replaces: bool) -> None:
    if replaces:
        partial.replace(path)
    else:
        # Fails where somebody else's file has appeared meanwhile.
        os.link(partial, path)
        partial.unlink()
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
