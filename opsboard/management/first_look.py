"""What must be so before the embedded board starts; each error is one sentence to act on."""

import errno
import fcntl
import os
import socket
from pathlib import Path

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


class CannotStartError(Exception):
    """Opsboard cannot start here; the message tells the person who started it what to do."""


def hold(directory: Path, *, url: str) -> None:
    """Keep other boards off `directory`. The lock dies with this process, kill -9 included."""
    lock = _opened(directory / "lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotStartError(_holder(directory)) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, f"{os.getpid()} {url}\n".encode(), 0)


def is_held(directory: Path) -> bool:
    """Whether a board runs on `directory`."""
    lock = _opened(directory / "lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        raise CannotStartError(
            f"The data directory {path.parent} cannot be written: give this user the right to "
            "write there, or choose another with --data."
        ) from None


def _holder(directory: Path) -> str:
    process, _, url = (directory / "lock").read_text().strip().partition(" ")
    return (
        f"Opsboard already runs on {directory}: process {process or 'unknown'} at "
        f"{url or 'an unknown address'}. Use that one, stop it, or choose another --data."
    )


def refuse_unreadable_or_newer_data() -> None:
    """Refuse a database that cannot be used, or that a newer Opsboard has migrated."""
    try:
        unknown = _unknown_migrations()
    except DatabaseError as error:
        reason = " ".join(str(error).split())
        raise CannotStartError(
            f"The database {connection.settings_dict['NAME']} cannot be used ({reason}): "
            "mend it, or name another with --data or DATABASE_URL."
        ) from None
    if unknown:
        raise CannotStartError(
            f"The database {connection.settings_dict['NAME']} is from a newer Opsboard (this one "
            f"does not know {unknown[-1]}): update this checkout, or choose another --data."
        )


def _unknown_migrations() -> list[str]:
    on_disk = MigrationLoader(None).disk_migrations
    known = set(on_disk).union(*(migration.replaces for migration in on_disk.values()))
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in applied if (app, name) not in known)


def refuse_unusable_address(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on: taken, not permitted, or not this machine's."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen()
    except OSError as error:
        raise CannotStartError(_unusable(error, host, port)) from None


def _unusable(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken: stop what uses it, or choose another --port."
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"This user may not listen on port {port}: choose one above 1023 with --port."
    return f"{host} is not an address of this machine: choose another --host, such as 127.0.0.1."
