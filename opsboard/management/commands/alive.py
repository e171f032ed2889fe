"""`manage.py alive`: for cron, systemd and other monitors. An exit code and one sentence."""

import sys
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError

from opsboard.probes.schedule import SECOND, database_now
from opsboard.probes.wellness import Signs, how_long, read_signs, stopped

LONGEST = 7 * 24 * 3600
NO_DATABASE = (
    "Opsboard's database does not answer, or was never prepared: look at it, at DATABASE_URL, and "
    "run manage.py prepare."
)


def seconds(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= LONGEST:
        raise ArgumentTypeError(f"write whole seconds, from 1 to {LONGEST}, not {text[:40]!r}")
    return int(text)


class Command(BaseCommand):
    help = (
        "Say whether Opsboard claimed, recorded and delivered lately. Exit code 0 when it did, "
        "1 when one of them stopped, 2 when the database does not answer or for wrong usage."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--max-age",
            metavar="SECONDS",
            type=seconds,
            default=180,
            help="how long ago each may have worked last; 180 unless said",
        )

    def handle(self, *, max_age: int, **_: Any) -> None:
        try:
            signs, now = read_signs(), database_now()
        except (DatabaseError, InterfaceError):
            self._leave(NO_DATABASE, 2)
        if reasons := stopped(signs, now=now, max_age=max_age * SECOND):
            self._leave(" ".join(reasons), 1)
        self.stdout.write(_sentence(signs, now))

    def _leave(self, sentence: str, code: int) -> Any:
        self.stderr.write(sentence)
        sys.exit(code)


def _sentence(signs: Signs, now: int) -> str:
    recorded = (
        "nothing is being watched"
        if signs.newest_at is None
        else f"recorded {how_long(now - signs.newest_at)} ago"
    )
    claimed, delivered = signs.claimed_at or 0, signs.delivered_at or 0
    return (
        f"Opsboard works: claimed {how_long(now - claimed)} ago, {recorded}, "
        f"looked for alerts to send {how_long(now - delivered)} ago."
    )
