"""`opsboard change`: declaring a change, measuring before, applying it, measuring after."""

import argparse
import re
from typing import Any

from opsboard.cli.arguments import (
    Commands,
    Parser,
    add_commit,
    add_service,
    add_wait,
    command,
    group,
)
from opsboard.cli.asking import Board
from opsboard.cli.change_acts import add_applied, add_cleared
from opsboard.cli.change_seen import (
    BEFORE,
    DECLARED,
    Seen,
    add_change,
    ask,
    print_change,
    read,
)
from opsboard.cli.comparing import wait_for
from opsboard.cli.printing import document, plain, say, tell
from opsboard.cli.sending import add_send
from opsboard.cli.surroundings import board_of

VARIABLES = (
    "code", "query", "index", "cache", "config", "dependency", "infrastructure", "other",
)  # fmt: skip
COLLECTING_STILL, ENDED_EARLY = 3, 4
_REFUSED = "  0  done\n  9  refused, with the reason"


def add(commands: Commands) -> None:
    changes = group(commands, "change", "declare a change, measure it, say what was done")
    _add_declare(changes)
    _add_baseline(changes)
    add_applied(changes)
    add_cleared(changes)
    _add_burst(changes)
    add_send(changes)
    for name, does, act, codes in (
        ("repeat", "measure it again: a new attempt with the same settings", repeat, _REFUSED),
        ("show", "show a change, its attempts and its verdict", show, ""),
        ("stop", "stop the burst that is under way", stop, _REFUSED),
        ("withdraw", "it is not measured any more; what was measured stays", withdraw, _REFUSED),
    ):
        add_change(command(changes, name, does, act, codes=codes))
    parser = command(
        changes, "give-up", "end the newest attempt without a verdict", give_up, codes=_REFUSED
    )
    add_change(parser)
    parser.add_argument("--because", metavar="TEXT", required=True, help="kept with the attempt")


def _add_declare(changes: Commands) -> None:
    parser = command(
        changes,
        "declare",
        "declare what is to be changed, and what is to get better",
        declare,
        codes=_REFUSED,
        more="Its settings cannot be edited once the baseline was opened.",
    )
    add_service(parser)
    parser.add_argument("--path", metavar="P", required=True, help="the path that is compared")
    parser.add_argument("--environment", metavar="E", required=True)
    parser.add_argument("--title", metavar="T", required=True)
    parser.add_argument(
        "--changed",
        metavar="VARIABLE",
        required=True,
        action="append",
        choices=VARIABLES,
        help=f"what is changed, one of {', '.join(VARIABLES)}; more than one is confounded",
    )
    add_commit(parser, required=False)
    parser.add_argument("--version", metavar="V", help="of the release that it goes out with")
    parser.add_argument("--purpose", metavar="TEXT", help="what gets better, for whom")
    _add_settings(parser)
    for name, what in (("assume", "what is taken for granted"), ("command", "how it is done")):
        parser.add_argument(
            f"--{name}",
            metavar="TEXT",
            action="append",
            dest={"assume": "assumptions", "command": "commands"}[name],
            help=f"{what}; may be repeated",
        )


def _add_settings(parser: Parser) -> None:
    for name, kind, what in (
        ("samples", int, "how many a side (200)"),
        ("margin", _share, "a smaller difference says nothing, as 10%% or 0.1 (10%%)"),
        ("equivalence", _share, "within which share nothing changed (as the margin)"),
        ("goal", _share, "by how much it is meant to fall, as 30%% or 0.3"),
        ("rate", float, "requests a second of a burst (2)"),
        ("lasts", int, "hours that a window may take (24)"),
        ("warm-up-seconds", int, "dropped at the beginning of the after window (60)"),
        ("warm-up-samples", int, "dropped, if that is more (10)"),
    ):
        parser.add_argument(f"--{name}", metavar="N", type=kind, help=what)
    parser.add_argument("--control", metavar="PATH", help="a path that it should not touch")
    parser.add_argument("--location", metavar="L", help="where it is asked from")
    for name, choices in (
        ("metric", ("time", "db-calls")),
        ("aim", ("improve", "keep")),
        ("sampling", ("probes", "burst", "sent")),
        ("mode", ("as-is", "hit-and-miss", "misses")),
    ):
        parser.add_argument(f"--{name}", choices=choices)
    parser.add_argument(
        "--guard",
        metavar="WHAT",
        action="append",
        dest="guardrails",
        help="what may not get worse: time, p95, db-calls or path:SLUG; may be repeated",
    )


def _share(written: str) -> float:
    read = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,6})?|\.[0-9]{1,6})(%?)", written.strip())
    if read is None:
        raise argparse.ArgumentTypeError("write a share as 10% or 0.1")
    return round(float(read[1]) / (100 if read[2] else 1), 9)


def _add_baseline(changes: Commands) -> None:
    parser = command(
        changes,
        "baseline",
        "open the baseline, wait for it, seal it",
        baseline,
        codes="  0  open; with --wait or --seal: sealed\n  3  collecting still\n"
        "  9  refused, with the reason",
        more="A window that is full seals itself. The change can be applied once it is sealed.",
    )
    add_change(parser)
    add_wait(parser)
    parser.add_argument("--seal", action="store_true", help="seal it with what is there then")


def _add_burst(changes: Commands) -> None:
    parser = command(
        changes,
        "burst",
        "let the board ask the path until the window is full",
        burst,
        codes="  0  begun; with --wait: finished\n  3  with --wait: it asks still\n"
        "  4  with --wait: it ended early\n  9  refused, with the reason",
    )
    add_change(parser)
    add_wait(parser)
    parser.add_argument("--count", metavar="N", type=int, help="what lacks, unless said")


# What they do ----------------------------------------------------------------------------------


def declare(asked: argparse.Namespace) -> int:
    names = (
        "service", "path", "environment", "title", "commit", "version", "purpose", "samples",
        "margin", "equivalence", "goal", "rate", "lasts", "warm_up_seconds", "warm_up_samples",
        "control", "location", "aim", "sampling", "assumptions", "commands",
    )  # fmt: skip
    body: dict[str, Any] = {name: getattr(asked, name) for name in names}
    body["variables"] = list(dict.fromkeys(asked.changed))
    for name in ("metric", "mode"):
        body[name] = (getattr(asked, name) or "").replace("-", " ") or None
    if asked.guardrails:
        body["guardrails"] = [
            "db calls" if one == "db-calls" else one for one in dict.fromkeys(asked.guardrails)
        ]
    given = {name: value for name, value in body.items() if value is not None}
    seen = read(board_of(asked).post("changes", body=given))
    return _done(asked, seen, f"{seen.name} is declared.")


def baseline(asked: argparse.Namespace) -> int:
    board = board_of(asked)
    seen = ask(board, asked.change)
    if seen.stage == DECLARED:
        seen = _act(board, asked, "baseline")
        tell(f"{seen.name}: the baseline is open.")
    if asked.wait and seen.stage == BEFORE:
        seen = wait_for(board, asked, lambda seen: seen.stage != BEFORE)
    if asked.seal and seen.stage == BEFORE:
        seen = _act(board, asked, "baseline", "seal")
    _done(asked, seen, f"{seen.name}: {seen.collects}.")
    return COLLECTING_STILL if (asked.wait or asked.seal) and seen.stage == BEFORE else 0


def burst(asked: argparse.Namespace) -> int:
    board = board_of(asked)
    body = {} if asked.count is None else {"count": asked.count}
    seen = read(board.post("changes", str(asked.change), "burst", body=body), asked.change)
    begun_in = seen.stage
    if asked.wait:
        seen = wait_for(board, asked, lambda seen: seen.stage != begun_in or _is_over(seen))
    _done(asked, seen, f"{seen.name}: {seen.collects}.")
    if not asked.wait or seen.stage != begun_in:
        return 0
    if not _is_over(seen):
        return COLLECTING_STILL
    if seen.burst and seen.burst.trouble:
        tell(f"{plain(seen.name)}: the burst ended early. {plain(seen.burst.trouble)}")
        return ENDED_EARLY
    return 0


def _is_over(seen: Seen) -> bool:
    return seen.burst is None or seen.burst.is_over


def repeat(asked: argparse.Namespace) -> int:
    seen = _act(board_of(asked), asked, "attempts")
    return _done(asked, seen, f"{seen.name}: attempt {seen.attempt} is open.")


def stop(asked: argparse.Namespace) -> int:
    seen = _act(board_of(asked), asked, "burst", "stop")
    return _done(asked, seen, f"{seen.name}: {seen.collects}. The burst stops.")


def withdraw(asked: argparse.Namespace) -> int:
    seen = _act(board_of(asked), asked, "withdrawal")
    return _done(asked, seen, f"{seen.name} is withdrawn.")


def give_up(asked: argparse.Namespace) -> int:
    seen = _act(board_of(asked), asked, "given-up", because=asked.because)
    return _done(asked, seen, f"{seen.name}: attempt {seen.attempt} is given up.")


def show(asked: argparse.Namespace) -> int:
    seen = ask(board_of(asked), asked.change)
    if asked.json:
        document(seen.said)
    else:
        print_change(seen)
    return 0


def _act(board: Board, asked: argparse.Namespace, *place: str, **told: str) -> Seen:
    return read(board.post("changes", str(asked.change), *place, body=told), asked.change)


def _done(asked: argparse.Namespace, seen: Seen, sentence: str) -> int:
    if asked.json:
        document(seen.said)
    else:
        say(plain(sentence))
    return 0
