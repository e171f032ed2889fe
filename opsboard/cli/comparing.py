"""`opsboard compare`: whether a change did what was expected, for `&&` in CI."""

import argparse
import time
from collections.abc import Callable

from opsboard.cli.arguments import Commands, add_wait, command
from opsboard.cli.asking import Board, Patience
from opsboard.cli.change_seen import (
    COLLECTING,
    CONFOUNDED,
    IMPROVED,
    INCONCLUSIVE,
    INVALID,
    NO_CHANGE,
    REGRESSED,
    Seen,
    add_change,
    ask,
    print_verdict,
)
from opsboard.cli.leaving import Away
from opsboard.cli.printing import document, plain, tell
from opsboard.cli.surroundings import board_of

_CODES = """  0  as expected (without --expect, and for not_regressed: improved, or no change)
  1  regressed
  3  collecting still
  4  invalid: both sides are not comparable; or given up or withdrawn, without a verdict
  5  no change, where an improvement was expected, or the other way round
  6  inconclusive
  8  confounded"""
_EXIT_CODES = {
    IMPROVED: 0,
    NO_CHANGE: 0,
    REGRESSED: 1,
    COLLECTING: 3,
    INVALID: 4,
    INCONCLUSIVE: 6,
    CONFOUNDED: 8,
}
_NO_VERDICT, _NOT_AS_EXPECTED = 4, 5


def add(commands: Commands) -> None:
    parser = command(
        commands,
        "compare",
        "print the verdict of a change",
        compare,
        codes=_CODES,
        more="With --wait it asks again until there is one. It needs a board that knows changes;"
        " one that does not is no answer (7).",
    )
    add_change(parser)
    parser.add_argument("--expect", choices=[IMPROVED, NO_CHANGE, "not_regressed"])
    add_wait(parser)


def compare(asked: argparse.Namespace) -> int:
    board = board_of(asked)
    seen = wait_for(board, asked, lambda seen: seen.verdict != COLLECTING)
    if asked.json:
        document(seen.said)
    else:
        print_verdict(seen)
    return _NO_VERDICT if seen.is_ended else code_of(seen.verdict, asked.expect)


def code_of(verdict: str, expected: str | None) -> int:
    if (expected, verdict) in ((IMPROVED, NO_CHANGE), (NO_CHANGE, IMPROVED)):
        return _NOT_AS_EXPECTED
    return _EXIT_CODES[verdict]


# Waiting ---------------------------------------------------------------------------------------


def wait_for(board: Board, asked: argparse.Namespace, is_there: Callable[[Seen], bool]) -> Seen:
    """Ask until it is there, or the wait is over; how far it is goes to standard error.

    A board that is away for a moment does not end the wait. Raises NoAnswer.
    """
    give_up, told = time.monotonic() + asked.wait, ""
    while True:
        seen, trouble = _try(board, asked, give_up)
        left = give_up - time.monotonic()
        is_over = seen is not None and (is_there(seen) or seen.is_ended)
        if is_over or left <= 0:
            break
        if seen is not None and seen.collects != told:
            told = seen.collects
            tell(f"{plain(seen.name)}: {plain(told)}")
        time.sleep(min(asked.every, left))
    if seen is None:
        raise trouble or Away("The board was not asked.")
    return seen


def _try(
    board: Board, asked: argparse.Namespace, give_up: float
) -> tuple[Seen | None, Away | None]:
    left = max(give_up - time.monotonic(), 1.0) if asked.wait else asked.timeout
    try:
        return ask(board, asked.change, Patience(seconds=min(asked.timeout, left))), None
    except Away as trouble:
        return None, trouble
