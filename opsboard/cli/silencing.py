"""Silences: nobody is told for a while; observing goes on."""

import argparse
import math
from typing import Any

from opsboard.cli.answers import Object, number, objects, text
from opsboard.cli.arguments import Commands, command, duration, group
from opsboard.cli.leaving import Usage
from opsboard.cli.printing import document, plain, say, table
from opsboard.cli.surroundings import board_of

_PARTS = ("team", "service", "path", "environment")


def add(commands: Commands) -> None:
    silences = group(commands, "silence", "silence alerts, list silences, end one")
    create = command(
        silences, "create", "silence alerts for a while", begin, codes="  0  done\n  9  refused"
    )
    create.add_argument("--reason", metavar="TEXT", required=True)
    create.add_argument("--for", metavar="TIME", type=duration, required=True, dest="seconds")
    for name in _PARTS:
        create.add_argument(f"--{name}", metavar="SLUG")
    create.add_argument("--everything", action="store_true", help="in place of all of these")
    listing = command(silences, "list", "list the silences in force", list_silences)
    listing.add_argument("--service", metavar="S")
    listing.add_argument("--all", action="store_true", help="those that ended too")
    ending = command(silences, "end", "end a silence now", end)
    ending.add_argument("number", metavar="NUMBER", type=_number)


def _number(written: str) -> str:
    if not (written.isascii() and written.isdigit() and len(written) < 19):
        raise argparse.ArgumentTypeError("write the number of the silence, as 12")
    return written


def begin(asked: argparse.Namespace) -> int:
    parts = {name: getattr(asked, name) for name in _PARTS if getattr(asked, name)}
    if bool(parts) == asked.everything:
        # Left out by mistake, it would silence the whole board.
        raise Usage("Say what to silence with --team, --service, --path or --environment.")
    minutes = max(math.ceil(asked.seconds / 60), 1)
    body: dict[str, Any] = {"reason": asked.reason, "minutes": minutes, **parts}
    return _print(asked, board_of(asked).post("silences", body=body))


def end(asked: argparse.Namespace) -> int:
    return _print(asked, board_of(asked).post("silences", asked.number, "end", body={}))


def list_silences(asked: argparse.Namespace) -> int:
    in_force = None if asked.all else "true"
    said = board_of(asked).get("silences", service=asked.service, in_force=in_force)
    rows = [_row(one) for one in objects(said, "items")]
    if asked.json:
        document(said)
    elif rows:
        table(rows)
    else:
        say("No silences." if asked.all else "No silence is in force.")
    return 0


def _print(asked: argparse.Namespace, said: Object) -> int:
    row = _row(said)
    if asked.json:
        document(said)
    else:
        say(plain("  ".join(row)))
    return 0


def _row(one: Object) -> list[str]:
    until = text(one, "ends_at")[:16].replace("T", " ")
    return [
        str(number(one, "number")),
        text(one, "about"),
        f"until {until} UTC",
        text(one, "reason"),
    ]
