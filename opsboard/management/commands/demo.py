"""`manage.py demo --remove`: everything of the example company leaves the board."""

import shutil
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from opsboard.demo.loading import names
from opsboard.demo.removing import Removed, remove_demo
from opsboard.management.demo_beside import DIRECTORY
from opsboard.management.first_look import is_held
from opsboard.people.audit import Actor, Via


class Command(BaseCommand):
    help = (
        "Take the demo off the board: its teams and services with their paths, history, incidents "
        "and notes. Nothing else changes."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--remove", action="store_true", required=True)
        parser.add_argument("--yes", action="store_true", help="remove without asking")

    def handle(self, *, yes: bool, **_: Any) -> None:
        services = names("service")
        if not services:
            self.stdout.write("There is no demo on this board: nothing to remove.")
            return
        if not yes and not self._is_sure(len(services)):
            self.stderr.write("Nothing was removed.")
            sys.exit(1)
        removed = remove_demo(Actor(None, Via.COMMAND, who="manage.py demo"), now=timezone.now())
        self._say(removed)

    def _is_sure(self, count: int) -> bool:
        if not sys.stdin.isatty():
            self.stderr.write("To remove without being asked, add --yes.")
            return False
        try:
            said = input(
                f"Remove the demo's {count} services with all that was kept of them? It cannot "
                "be undone. Type yes: "
            )
        except (EOFError, KeyboardInterrupt):
            return False
        return said.strip().lower() == "yes"

    def _say(self, removed: Removed) -> None:
        self.stdout.write(f"Removed the demo: {removed.words}.")
        if removed.kept_teams:
            self.stdout.write(
                f"Kept the teams {', '.join(removed.kept_teams)}: something that is not the "
                "demo's is theirs."
            )
        if not settings.EMBEDDED:
            return
        if is_held(Path(settings.DATA)):
            self.stdout.write("Its sample services end when the board does.")
        shutil.rmtree(Path(settings.DATA) / DIRECTORY, ignore_errors=True)
