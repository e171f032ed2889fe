"""Which Opsboard a database and a backup are of: told by the migrations they have."""

from collections.abc import Collection

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from opsboard.board.backup_file import BadBackupError, Header


class NotReadyError(Exception):
    """The database is not one that can be backed up or restored into; one sentence."""


def applied_migrations() -> list[str]:
    """Those of this version, sorted. Raises NotReadyError when the database is of another one."""
    wanted = _names(MigrationLoader(None).disk_migrations)
    try:
        applied = _names(MigrationRecorder(connection).applied_migrations())
    except DatabaseError as error:
        reason = " ".join(str(error).split())
        raise NotReadyError(f"The database cannot be used ({reason}).") from None
    if unknown := sorted(set(applied) - set(wanted)):
        raise NotReadyError(
            f"The database is from a newer Opsboard (this one does not know {unknown[-1]}): "
            "update this checkout."
        )
    if set(wanted) - set(applied):
        raise NotReadyError(
            "The database is not that of this version: run `manage.py prepare`, then this again."
        )
    return applied


def _names(migrations: Collection[tuple[str, str]]) -> list[str]:
    ours = {app.split(".")[1] for app in settings.INSTALLED_APPS if app.startswith("opsboard.")}
    return sorted(f"{app}.{name}" for app, name in migrations if app in ours | {"auth"})


def refuse_other_version(header: Header, applied: list[str]) -> None:
    """A backup goes into the tables it came from, and is updated there."""
    if header.migrations == applied:
        return
    version = header.version[:20]
    is_newer = set(header.migrations) - set(applied)
    then = "" if is_newer else ", and update it afterwards"
    raise BadBackupError(
        f"The backup is of {'a newer' if is_newer else 'an older'} Opsboard, {version}, and this "
        f"is {settings.VERSION}: restore it with Opsboard {version}{then}."
    )
