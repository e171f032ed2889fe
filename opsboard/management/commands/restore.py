"""`manage.py restore FILE`: a backup into an empty database, all of it or nothing."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from opsboard.board.backup_file import BadBackupError
from opsboard.board.restore import Restored, restore
from opsboard.board.versions import NotReadyError
from opsboard.management.first_look import CannotStartError, hold
from opsboard.people.audit import Actor, Via


class Command(BaseCommand):
    help = "Store a backup in an empty database. Nothing is stored when anything is wrong with it."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *, file: Path, **_: Any) -> None:
        try:
            self._tell(_restore(file))
        except (BadBackupError, NotReadyError, CannotStartError) as refusal:
            raise CommandError(str(refusal), returncode=2) from None

    def _tell(self, restored: Restored) -> None:
        header = restored.header
        rows = sum(header.counts.values())
        self.stdout.write(
            f"Restored: {header.counts['services_service']:,} services, {rows:,} rows in all. "
            "No alert is sent for the past. Start the board."
        )
        if restored.not_sent:
            self.stdout.write(
                f"{restored.not_sent:,} alerts that were still waiting are marked as not sent: "
                "see the page Alerts."
            )
        if restored.locked:
            self.stderr.write(
                f"{restored.locked:,} secrets cannot be decrypted: their key is not in "
                f"{_keys()}. Bring it back, or enter them again."
            )


def _restore(file: Path) -> Restored:
    if settings.EMBEDDED:
        hold(Path(settings.DATA), url="a restore")
    actor = Actor(None, Via.COMMAND, who="manage.py restore")
    try:
        with file.open("rb") as backup:
            return restore(backup, actor=actor, now=timezone.now(), say=_say)
    except OSError as error:
        raise BadBackupError(f"{file} cannot be read: {error.strerror}.") from None


def _say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def _keys() -> str:
    kept = Path(settings.DATA) / "field_keys"
    return str(kept) if settings.EMBEDDED and kept.exists() else "OPSBOARD_FIELD_KEYS"
