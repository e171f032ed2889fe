"""Print the board as a board file."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from opsboard.board.describing import keys_as_markdown, schema
from opsboard.board.exporting import export, read_at_one_moment, told_in_the_open


class Command(BaseCommand):
    help = (
        "Print the whole board as a board file that apply reads: the same board, the same text. "
        "Secrets are printed as ${NAME}, never as values."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument(
            "--schema", action="store_true", help="print the JSON Schema of board files instead"
        )
        instead.add_argument(
            "--keys", action="store_true", help="print the keys of board files instead, as Markdown"
        )

    def handle(self, *, schema: bool, keys: bool, **_: Any) -> None:
        if schema:
            self.stdout.write(_schema_text(), ending="")
        elif keys:
            self.stdout.write(keys_as_markdown(), ending="")
        else:
            self._export()

    def _export(self) -> None:
        stored = read_at_one_moment()
        for variable in told_in_the_open(stored):
            self.stderr.write(f"{variable} looks like a secret, and is printed as it is.")
        self.stdout.write(export(stored), ending="")


def _schema_text() -> str:
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
