"""`manage.py up`: the whole board in one process on one data directory, as script/up starts it."""

import logging
import os
import select
import signal
import sys
import warnings
from pathlib import Path
from typing import Any

from celery.platforms import SecurityWarning
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from opsboard.management.demo_beside import Beside, demo_beside
from opsboard.management.first_look import (
    CannotStartError,
    hold,
    refuse_unreadable_or_newer_data,
    refuse_unusable_address,
)
from opsboard.people.links import first_administrator_link

log = logging.getLogger(__name__)
LOOK_AFTER_SECONDS = 1.0


class Command(BaseCommand):
    help = "Run web, worker and beat in one process, as script/up does."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--demo",
            action="store_true",
            help="start the sample services too, and put the example company on the board",
        )

    def handle(self, *, demo: bool, **_: Any) -> None:
        _on_stop_signals(lambda *_: sys.exit(0))
        try:
            self._up(demo=demo)
        except CannotStartError as refusal:
            self.stderr.write(str(refusal))
            sys.exit(2)

    def _up(self, *, demo: bool) -> None:
        if not settings.EMBEDDED:
            raise CannotStartError("Start the board with script/up: OPSBOARD_DATA is not set.")
        hold(Path(settings.DATA), url=settings.URL)
        refuse_unusable_address(settings.HOST, settings.PORT)
        refuse_unreadable_or_newer_data()
        with demo_beside(Path(settings.DATA), wanted=demo) as beside:
            call_command("prepare")
            beside.put_on_board(now=timezone.now())
            self._serve(beside)

    def _serve(self, beside: Beside) -> None:
        # Imported late: a refusal should not wait for Celery and the pages.
        from opsboard.management.one_process import OneProcess

        # Celery's warning to root is for workers that take pickled messages; this one takes JSON.
        warnings.filterwarnings("ignore", category=SecurityWarning)
        # A handler may interrupt another one, so it must not wait for a lock: it rings a pipe.
        heard, bell = os.pipe()
        os.set_blocking(bell, False)
        _on_stop_signals(lambda *_: os.write(bell, b"!"))
        with OneProcess(host=settings.HOST, port=settings.PORT) as board:
            self._announce(beside)
            while not select.select([heard], [], [], LOOK_AFTER_SECONDS)[0]:
                if part := board.dead_part():
                    log.critical("The %s ended by itself; Opsboard stops. Start it again.", part)
                    sys.exit(1)
                beside.look()

    def _announce(self, beside: Beside) -> None:
        self.stdout.write(f"Opsboard: {settings.URL}/")
        if link := first_administrator_link(now=timezone.now()):
            self.stdout.write(f"First administrator: {settings.URL}{link}")
        for line in beside.lines:
            self.stdout.write(line)
        self.stdout.flush()


def _on_stop_signals(act: Any) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, act)
