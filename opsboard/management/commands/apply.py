"""Bring the board in line with board files."""

import getpass
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError
from django.utils import timezone

from opsboard.board.changing import (
    AnotherApplyError,
    ChangedMeanwhileError,
    Prepared,
    apply,
    prepare,
    read_files,
)
from opsboard.management.board_plan import plan_text
from opsboard.management.progress_lines import Lines
from opsboard.people import joining
from opsboard.people.audit import Actor, Via

MOST_ERRORS = 200


class Command(BaseCommand):
    help = (
        "Bring the board in line with board files: print the plan, then do all of it or nothing. "
        "Directories stand for their *.yaml and *.yml. ${NAME} in variables is taken from the "
        "environment of this command. Exit code 0 done or nothing to do, 1 not done, 2 errors in "
        "the files or usage."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", metavar="FILE|DIR", nargs="+")
        parser.add_argument("--dry-run", action="store_true", help="print the plan only")
        parser.add_argument(
            "--prune",
            action="store_true",
            help="also remove what is on the board and in no file; it can be brought back for 30 "
            "days",
        )
        parser.add_argument("--yes", action="store_true", help="remove without asking")
        parser.add_argument("--as", metavar="NAME", dest="who", help="who the audit log names")

    def handle(self, **options: Any) -> None:
        try:
            self._handle(**options)
        except DatabaseError as error:
            said = " ".join(str(error).split())
            self._leave(f"The board's database refused: {said}. Nothing was changed.", 1)

    def _handle(
        self, *, files: list[str], dry_run: bool, prune: bool, yes: bool, who: str, **_: Any
    ) -> None:
        actor, now = _actor(who), timezone.now()
        declared = read_files(files)
        prepared = prepare(declared, environ=os.environ, prune=prune, actor=actor, now=now)
        if prepared.errors:
            self._refuse(prepared)
        self.stdout.write(plan_text(prepared))
        if prepared.is_empty:
            return
        if dry_run:
            self.stdout.write("Nothing was changed: this was a dry run.")
            return
        if prepared.plan.removals and not yes:
            self._ask(len(prepared.plan.removals))
        self._apply(prepared, prune=prune, actor=actor)

    def _refuse(self, prepared: Prepared) -> None:
        errors = sorted(prepared.errors, key=lambda one: (one.path, one.line, one.column))
        for error in errors[:MOST_ERRORS]:
            self.stderr.write(str(error))
        if len(errors) > MOST_ERRORS:
            self.stderr.write(f"… and {len(errors) - MOST_ERRORS:,} more.")
        count = "1 error" if len(errors) == 1 else f"{len(errors):,} errors"
        self._leave(f"{count}: nothing was changed.", 2)

    def _leave(self, sentence: str, code: int) -> None:
        self.stderr.write(sentence)
        sys.exit(code)

    def _ask(self, count: int) -> None:
        """The number has to be typed: a habit of answering yes removes nothing."""
        if not sys.stdin.isatty():
            self._leave("Nothing was changed: to remove without being asked, add --yes.", 2)
        try:
            typed = input(f"Type {count} to remove as many: ")
        except (EOFError, KeyboardInterrupt):
            typed = ""
        if typed.strip() != str(count):
            self._leave("Nothing was changed.", 1)

    def _apply(self, prepared: Prepared, *, prune: bool, actor: Actor) -> None:
        try:
            apply(
                prepared,
                environ=os.environ,
                prune=prune,
                actor=actor,
                now=timezone.now(),
                progress=Lines(self.stderr.write, is_terminal=self.stderr.isatty()).tell,
            )
        except (AnotherApplyError, ChangedMeanwhileError) as refusal:
            self._leave(f"{refusal} Nothing was changed.", 1)
        self.stdout.write("Applied.")


def _actor(who: str | None) -> Actor:
    """Whom the audit log names: a person of the board by that name, or the account here."""
    name = who or _account()
    return Actor(joining.find(name), Via.APPLY, who=name)


def _account() -> str:
    try:
        return getpass.getuser()
    except OSError:
        # A container may run as a number that has no name.
        return "manage.py apply"
