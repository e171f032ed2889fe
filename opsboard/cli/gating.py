"""Whether a release may go out: for `&&` in CI."""

import argparse
import time

from opsboard.cli.answers import text, word
from opsboard.cli.arguments import (
    Commands,
    add_release,
    add_service,
    add_wait,
    command,
    commit,
)
from opsboard.cli.asking import Board, Patience
from opsboard.cli.leaving import Away, NoAnswer
from opsboard.cli.printing import document, paint, plain, say, table
from opsboard.cli.readiness import (
    EXIT_CODES,
    INCOMPLETE,
    OUT_OF_DATE,
    OVERRIDDEN,
    Gate,
    Readiness,
    read,
)
from opsboard.cli.surroundings import board_of

_GATE = """  0  ready
  1  blocked: a required gate is not met
  3  incomplete: a required gate has no evidence
  4  out of date: an answer is too old, or of another commit
  5  frozen: a freeze or a hold stands
  6  overridden: somebody accepts a risk; 0 with --allow-overridden"""
# Evidence may come yet; what is blocked, frozen or overridden waits for a person.
_MAY_COME = (INCOMPLETE, OUT_OF_DATE)


def add(commands: Commands) -> None:
    gate_parser = command(
        commands,
        "gate",
        "say whether a release is ready, and the reasons why not",
        gate,
        codes=_GATE,
        more="With --wait it asks again while evidence may still come.",
    )
    add_service(gate_parser)
    add_release(gate_parser)
    add_wait(gate_parser)
    gate_parser.add_argument("--allow-overridden", action="store_true")
    gate_parser.add_argument(
        "--commit", metavar="C", type=commit, help="end with 7 when the release is another commit"
    )


# gate ------------------------------------------------------------------------------------------


def gate(asked: argparse.Namespace) -> int:
    board, give_up = board_of(asked), time.monotonic() + asked.wait
    while True:
        found, trouble = _try(board, asked, _within(asked, give_up))
        left = give_up - time.monotonic()
        if left <= 0 or (found and found.whole not in _MAY_COME):
            break
        time.sleep(min(asked.every, left))
    if found is None:
        raise trouble or Away("The board was not asked.")
    _print(asked, found)
    if found.whole == OVERRIDDEN and asked.allow_overridden:
        return 0
    return EXIT_CODES[found.whole]


def _within(asked: argparse.Namespace, give_up: float) -> Patience:
    """For one question: while waiting, not much longer than the wait."""
    left = max(give_up - time.monotonic(), 1.0) if asked.wait else asked.timeout
    return Patience(seconds=min(asked.timeout, left))


def _try(
    board: Board, asked: argparse.Namespace, patience: Patience
) -> tuple[Readiness | None, Away | None]:
    """A board that is away for a moment does not end the wait, and never counts as an answer."""
    try:
        return _ask(board, asked, patience), None
    except Away as trouble:
        return None, trouble


def _ask(board: Board, asked: argparse.Namespace, patience: Patience) -> Readiness:
    place = ("services", asked.service, "releases", asked.release)
    said = board.get(*place, "readiness", patience=patience)
    word(said, "service", (asked.service,))
    word(said, "version", (asked.release,))
    if asked.commit and text(said, "commit") != asked.commit:
        raise NoAnswer(f"{asked.release} is {text(said, 'commit')}, not {asked.commit}.")
    return read(said)


def _print(asked: argparse.Namespace, found: Readiness) -> None:
    if asked.json:
        document(found.said)
        return
    say(f"{plain(asked.service)} {plain(asked.release)}: {paint(found.whole)}")
    for stop in found.stops:
        say(f"  {stop.kind}: {plain(stop.reason)}{f' ({plain(stop.by)})' if stop.by else ''}")
    rows = [
        [one.name, one.word, _beside(one), f"{one.reason} ({one.who})" if one.who else one.reason]
        for one in found.gates
    ]
    table(rows)


def _beside(gate: Gate) -> str:
    return f"overridden by {gate.overridden_by}" if gate.overridden_by else gate.need
