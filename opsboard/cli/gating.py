"""Whether a release may go out, and whether a change did what was expected: for `&&` in CI."""

import argparse
import time

from opsboard.cli.answers import Object, objects, text, word
from opsboard.cli.arguments import (
    Commands,
    Parser,
    add_release,
    add_service,
    command,
    commit,
    duration,
)
from opsboard.cli.asking import Board, Patience
from opsboard.cli.leaving import Away, NoAnswer, NotThere
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
_COMPARE = """  0  as expected (without --expect: improved, or no change)
  1  regressed
  3  collecting still
  4  invalid
  5  no change, where an improvement was expected, or the other way round
  6  inconclusive
  8  confounded"""

IMPROVED, REGRESSED, NO_CHANGE = "improved", "regressed", "no change"
COLLECTING = "collecting"
_VERDICTS = {
    IMPROVED: 0,
    NO_CHANGE: 0,
    REGRESSED: 1,
    COLLECTING: 3,
    "invalid": 4,
    "inconclusive": 6,
    "confounded": 8,
}
_NOT_AS_EXPECTED = 5
# Evidence may come yet; what is blocked, frozen or overridden waits for a person.
_MAY_COME = (INCOMPLETE, OUT_OF_DATE)
_EVERY = 5.0


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
    _add_wait(gate_parser)
    gate_parser.add_argument("--allow-overridden", action="store_true")
    gate_parser.add_argument(
        "--commit", metavar="C", type=commit, help="end with 7 when the release is another commit"
    )
    _add_compare(commands)


def _add_compare(commands: Commands) -> None:
    parser = command(
        commands,
        "compare",
        "print the verdict of a change",
        compare,
        codes=_COMPARE,
        more="It needs a board that knows changes; one that does not is no answer (7).",
    )
    parser.add_argument("change", metavar="CHANGE")
    parser.add_argument("--expect", choices=["improved", "no_change", "not_regressed"])
    _add_wait(parser)


def _add_wait(parser: Parser) -> None:
    for name, otherwise, what in (
        ("wait", 0.0, "how long to wait for an answer that may still come"),
        ("every", _EVERY, "how long between two questions while waiting (5s)"),
    ):
        parser.add_argument(
            f"--{name}", metavar="TIME", type=duration, default=otherwise, help=what
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


# compare ---------------------------------------------------------------------------------------


def compare(asked: argparse.Namespace) -> int:
    board, give_up = board_of(asked), time.monotonic() + asked.wait
    while True:
        said = _change(board, asked.change)
        verdict = word(said, "verdict", (*_VERDICTS, "no_change")).replace("_", " ")
        left = give_up - time.monotonic()
        if verdict != COLLECTING or left <= 0:
            break
        time.sleep(min(asked.every, left))
    reasons = [plain(one) for one in _reasons(said)]
    if asked.json:
        document(said)
    else:
        say(f"{plain(asked.change)}: {paint(verdict)}")
        for one in reasons:
            say(f"  {one}")
    return code_of(verdict, asked.expect)


def code_of(verdict: str, expected: str | None) -> int:
    if (expected, verdict) in (("improved", NO_CHANGE), ("no_change", IMPROVED)):
        return _NOT_AS_EXPECTED
    return _VERDICTS[verdict]


def _change(board: Board, change: str) -> Object:
    try:
        return board.get("changes", change)
    except NotThere as none:
        raise NotThere(
            f"{none.sentence} Either there is no such change, or this board does not know changes."
        ) from None


def _reasons(said: Object) -> list[str]:
    reasons = said.get("reasons")
    if isinstance(reasons, list) and all(isinstance(one, str) for one in reasons):
        return reasons
    return [text(one, "reason") for one in objects(said, "reasons")]
