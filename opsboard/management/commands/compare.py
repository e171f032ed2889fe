"""Judge samples of before and after a change, from a file. Nothing is read or kept elsewhere."""

import argparse
import json
import sys
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser

from opsboard.changes.models import USUAL_MARGIN, Change
from opsboard.changes.words import About
from opsboard.management.judged_text import EXIT_CODES, text_of

_METRICS = {"time": "time", "db_calls": "db calls"}


class Command(BaseCommand):
    help = (
        "Judge a CSV file of samples before and after a change, like with like. Its columns are "
        "side, i, latency_us, cache, ok and db_calls. Exit code 0 improved or no change, "
        "1 regressed, 4 invalid, 6 inconclusive, 8 confounded, 2 usage or a file that cannot "
        "be read."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE.csv")
        parser.add_argument(
            "--changed",
            metavar="VARIABLE",
            nargs="+",
            action="extend",
            required=True,
            choices=Change.Variable.values,
            help=f"what was changed: {', '.join(Change.Variable.values)}",
        )
        parser.add_argument(
            "--margin",
            metavar="SHARE",
            type=_share,
            default=USUAL_MARGIN,
            help="a smaller difference says nothing (0.10)",
        )
        parser.add_argument(
            "--equivalence",
            metavar="SHARE",
            type=_share,
            help="within how much it is no change (the margin)",
        )
        parser.add_argument("--metric", choices=_METRICS, default="time")
        parser.add_argument(
            "--control",
            metavar="FILE.csv",
            help="of a path that the change should not touch, asked in the same windows",
        )
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *, format: str, file: str, **options: Any) -> None:  # noqa: A002
        # Only here: whoever runs another command does not wait for the arrays.
        from opsboard.changes.files import UnreadableFileError
        from opsboard.changes.rules.comparing import Settings, compare
        from opsboard.management.sample_files import sides_of

        settings = Settings(
            changed=tuple(options["changed"]),
            margin=options["margin"],
            equivalence=options["equivalence"],
            metric=_METRICS[options["metric"]],
        )
        try:
            sides = sides_of(file)
            control = sides_of(options["control"]) if options["control"] else None
        except UnreadableFileError as wrong:
            self._refuse(str(wrong))
        judged = compare(*sides, settings, control=control)
        about = About(metric=settings.metric, margin=settings.margin, variables=settings.changed)
        as_json = format == "json"
        self.stdout.write(
            json.dumps(judged, allow_nan=False) if as_json else text_of(judged, about)
        )
        sys.exit(EXIT_CODES[judged["verdict"]])

    def _refuse(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(2)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0 < share <= 1:
        raise argparse.ArgumentTypeError(f'"{text}" is not a share above 0 and at most 1 (0.10)')
    return share
