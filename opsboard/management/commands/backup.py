"""`manage.py backup FILE`: the whole board in one file, while it runs."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from opsboard.board.backup import CannotWriteError, back_up
from opsboard.board.versions import NotReadyError

COUNTED = {
    "services_service": "services",
    "services_criticalpath": "critical paths",
    "probes_observation": "observations",
    "incidents_incident": "incidents",
}


class Command(BaseCommand):
    help = "Write the whole board into one file, while it runs. `restore` reads it."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="replace a file that is there")

    def handle(self, *, file: Path, force: bool, **_: Any) -> None:
        try:
            header = back_up(file, now=timezone.now(), replaces=force, say=self._say)
        except (CannotWriteError, NotReadyError) as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        counts = ", ".join(f"{header.counts[table]:,} {words}" for table, words in COUNTED.items())
        self.stdout.write(f"{file}: {counts}, {file.stat().st_size / 1e6:.1f} MB.")
        self.stdout.write(
            f"Secrets in it are encrypted, and their keys are not in it: keep {_keys()} at another "
            "place. Without them every secret must be entered again."
        )

    def _say(self, words: str) -> None:
        sys.stderr.write(f"{words}\n")


def _keys() -> str:
    kept = Path(settings.DATA) / "field_keys"
    return str(kept) if settings.EMBEDDED and kept.exists() else "OPSBOARD_FIELD_KEYS"
