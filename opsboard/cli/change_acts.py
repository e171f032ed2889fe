"""`opsboard change applied` and `cleared`: telling what was done, or doing it and telling that."""

import argparse
import os
import shlex
from typing import Any

from opsboard.cli import masking
from opsboard.cli.arguments import Commands, Parser, command, moment
from opsboard.cli.asking import Board
from opsboard.cli.change_seen import AFTER, SEALED, Seen, add_change, ask, read
from opsboard.cli.leaving import Leave, Refused, Usage
from opsboard.cli.printing import document, plain, say, tell
from opsboard.cli.relaying import Tail, relay
from opsboard.cli.surroundings import board_of, token_of

_CODES = """  0  told
  9  refused, with the reason; a command is then not run
with a command: its own; 7 or 9 when it ended with 0 and that could not be told"""
_MORE = (
    "A command after -- is run first, and told with its exit code. It is not run when the board"
    " says that it is too early for it."
)
_LONGEST_COMMAND = 4_000


def add_applied(changes: Commands) -> None:
    parser = command(
        changes,
        "applied",
        "say that the change is applied: the after window begins",
        applied,
        codes=_CODES,
        more=f"{_MORE} When it fails the change is not applied, and nothing is told.",
    )
    parser.usage = "opsboard change applied CHANGE [options] [-- COMMAND…]"
    _add_own(parser)


def add_cleared(changes: Commands) -> None:
    parser = command(
        changes,
        "cleared",
        "say which cache was cleared: the first answer after it has to be a miss",
        cleared,
        codes=_CODES,
        more=_MORE,
    )
    parser.usage = (
        "opsboard change cleared CHANGE (--key K | --prefix P | --everything --sure) [options]"
        " [-- COMMAND…]"
    )
    _add_own(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--key", metavar="K")
    what.add_argument("--prefix", metavar="P")
    what.add_argument("--everything", action="store_true", help="needs --sure, too")
    parser.add_argument("--sure", action="store_true", help="every user waits for a while")
    parser.add_argument("--count", metavar="N", type=int, help="how many were cleared")


def _add_own(parser: Parser) -> None:
    add_change(parser)
    parser.add_argument("--at", metavar="TIME", type=moment, help="when it was done (now)")
    parser.add_argument("--remark", metavar="TEXT")
    parser.set_defaults(takes_command=True)


def applied(asked: argparse.Namespace) -> int:
    return _do(asked, "applied", (SEALED,), {})


def cleared(asked: argparse.Namespace) -> int:
    if asked.everything and not asked.sure:
        raise Usage(
            "Everything slows every user down for a while: clear a key or a prefix, or say --sure."
        )
    what = "everything" if asked.everything else "key" if asked.key is not None else "prefix"
    more: dict[str, Any] = {"what": what}
    if asked.everything:
        more["sure"] = True
    else:
        more["pattern"] = asked.key if asked.key is not None else asked.prefix
    if asked.count is not None:
        more["count"] = asked.count
    return _do(asked, "cleared", (SEALED, AFTER), more)


def _do(asked: argparse.Namespace, act: str, stages: tuple[str, ...], more: dict[str, Any]) -> int:
    board = board_of(asked)
    if not asked.command:
        return _done(asked, _tell(board, asked, act, more))
    if asked.at:
        raise Usage("--at is for what was done before: a command after -- is run now.")
    seen = ask(board, asked.change)
    if seen.stage not in stages:
        raise Refused(f"{plain(seen.name)} is {plain(seen.collects)}: the command was not run.")
    ran = relay(asked.command, Tail(0), to_stderr=asked.json)
    if ran.exit_code and act == "applied":
        # The after window would be of what was before.
        tell(
            f"{plain(seen.name)} is not marked as applied: the command ended with {ran.exit_code}."
        )
        return ran.exit_code
    secrets = masking.secrets_of(os.environ, token_of(os.environ))
    written = plain(masking.mask(shlex.join(asked.command), secrets))
    said = {
        "command": written[:_LONGEST_COMMAND],
        "exit_code": ran.exit_code,
        "at": ran.finished_at.isoformat(),
    }
    try:
        _done(asked, _tell(board, asked, act, more | said))
    except Leave as leave:
        if ran.exit_code == 0:
            raise
        tell(f"{plain(seen.name)}: that it failed could not be told. {leave.sentence}")
    return ran.exit_code


def _tell(board: Board, asked: argparse.Namespace, act: str, more: dict[str, Any]) -> Seen:
    own = {"at": asked.at, "remark": asked.remark}
    body = {name: value for name, value in own.items() if value is not None} | more
    return read(board.post("changes", str(asked.change), act, body=body), asked.change)


def _done(asked: argparse.Namespace, seen: Seen) -> int:
    if asked.json:
        document(seen.said)
    elif asked.command:
        tell(f"{plain(seen.name)}: {plain(seen.collects)}.")
    else:
        say(plain(f"{seen.name}: {seen.collects}."))
    return 0
