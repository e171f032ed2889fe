"""Ask one critical path, or one address, once and now. Nothing is recorded."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from opsboard.management.one_answer import EXIT_CODES, json_of, text_of
from opsboard.management.one_ask import Line, UnreadableBoardError, UsageError, order_of
from opsboard.probes.asking import ask_order
from opsboard.probes.orders import Order
from opsboard.probes.rules import Verdict


class Command(BaseCommand):
    help = (
        "Ask a critical path or an address once, now, as a worker would, and print facts, phases "
        "and each clause with what it got. Exit code 0 passing, 1 failing, 3 warning, 4 an error "
        "of our own, 2 usage."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", metavar="SERVICE/PATH|URL")
        parser.add_argument("--environment", metavar="E", help="production, unless said")
        parser.add_argument("--method", metavar="M")
        parser.add_argument("--header", metavar="H", action="append", default=[], dest="headers")
        parser.add_argument("--body", metavar="B")
        parser.add_argument("--timeout", metavar='"10 s"')
        parser.add_argument("--no-follow", action="store_false", dest="follows")
        parser.add_argument("--expect", metavar="CLAUSE", action="append", default=[])
        parser.add_argument("--format", choices=["text", "json"], default="text")

    def handle(self, *, format: str, **options: Any) -> None:  # noqa: A002  (the option's name)
        line = Line(**{name: options[name] for name in Line.__dataclass_fields__})
        try:
            order = order_of(line)
        except UsageError as wrong:
            self._leave(str(wrong), 2)
        except UnreadableBoardError as wrong:
            self._leave(str(wrong), EXIT_CODES[Verdict.ERROR])
        else:
            self._ask(order, as_json=format == "json")

    def _leave(self, sentence: str, code: int) -> None:
        self.stderr.write(sentence)
        sys.exit(code)

    def _ask(self, order: Order, *, as_json: bool) -> None:
        reply, judgement = ask_order(order, now=timezone.now())
        write = json_of if as_json else text_of
        self.stdout.write(write(order, reply, judgement))
        sys.exit(EXIT_CODES[judgement.verdict])
