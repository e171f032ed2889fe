"""Asking now: one critical path, or all of a service, as evidence for a release where one is named.

The board asks, by the code of its workers; here it is told, written as JUnit, and sent.
"""

import argparse
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any

from opsboard.cli.answers import Object, objects, text, word, yes
from opsboard.cli.arguments import Commands, add_commit, command
from opsboard.cli.asking import Board
from opsboard.cli.evidence import Taken, send
from opsboard.cli.leaving import NoAnswer, Usage
from opsboard.cli.printing import document, paint, plain, say, table
from opsboard.cli.surroundings import board_of

PASSING, WARNING, FAILING, ERROR, PAUSED = "passing", "warning", "failing", "error", "paused"
EXIT_CODES = {PASSING: 0, WARNING: 3, FAILING: 1, ERROR: 4}
_CODES = """  0  passing
  3  warning (check: or a path is paused)
  1  failing
  4  an error of the board's own: it could not ask"""
# The worst first.
_ORDER = (FAILING, ERROR, WARNING, PAUSED, PASSING)


def add(commands: Commands) -> None:
    probe_parser = command(
        commands, "probe", "ask one critical path now; nothing is recorded", probe, codes=_CODES
    )
    probe_parser.add_argument("path", metavar="SERVICE/PATH")
    probe_parser.add_argument("--environment", metavar="E", help="production, unless said")
    parser = command(
        commands,
        "check",
        "ask all critical paths of a service now, in one table",
        check,
        codes=_CODES,
        more="With --release its result is evidence for the gate integration (7 if not sent).",
    )
    parser.add_argument("service", metavar="SERVICE")
    parser.add_argument("--environment", metavar="E", required=True, help="as in staging")
    parser.add_argument("--junit", metavar="FILE", help="also write the result there, as JUnit")
    parser.add_argument("--release", metavar="V", help="send the result as its evidence")
    add_commit(parser, required=False)


def probe(asked: argparse.Namespace) -> int:
    service, _, path = asked.path.partition("/")
    if not service or not path or "/" in path:
        raise Usage("Write SERVICE/PATH, as fares-api/price-a-crossing.")
    place = ("services", service, "paths", path, "probes")
    said = board_of(asked).post(*place, body={}, query={"environment": asked.environment})
    verdict = word(said, "verdict", EXIT_CODES)
    clauses = [[_held(one), text(one, "clause"), _got(one)] for one in objects(said, "clauses")]
    if asked.json:
        document(said)
    else:
        where = f"{asked.path} in {text(said, 'environment')}"
        say(f"{plain(where)}: {paint(verdict)}, {plain(text(said, 'reason'))}")
        table(clauses)
    return EXIT_CODES[verdict]


def _held(clause: Object) -> str:
    held = clause.get("held")
    # None: it was not judged.
    return "not judged" if held is None else "holds" if yes(clause, "held") else "fails"


def _got(clause: Object) -> str:
    got = clause.get("got")
    return "" if got in (None, "") else f"got {got}"


# check -----------------------------------------------------------------------------------------


def check(asked: argparse.Namespace) -> int:
    if asked.release and not asked.commit:
        raise Usage("Say with --commit of which commit this is evidence.")
    board, began = board_of(asked), datetime.now(UTC)
    place = ("services", asked.service, "check")
    said = board.post(*place, body={}, query={"environment": asked.environment})
    verdict, rows = _read(said, asked)
    if asked.junit:
        _write(asked.junit, asked.service, rows)
    taken = _send(board, asked, began, verdict, rows) if asked.release else None
    if asked.json:
        document({**said, "evidence": taken and taken.json()})
        return EXIT_CODES[verdict]
    table([[text(one, "path"), text(one, "verdict"), text(one, "reason")] for one in rows])
    say(f"{plain(asked.service)} in {plain(asked.environment)}: {paint(verdict)}")
    if taken:
        say(f"integration: {taken.word}. The release is {taken.whole}.")
    return EXIT_CODES[verdict]


def _read(said: Object, asked: argparse.Namespace) -> tuple[str, list[Object]]:
    """The whole and each path, once they agree. Raises NoAnswer."""
    word(said, "service", (asked.service,))
    word(said, "environment", (asked.environment,))
    verdict, rows = word(said, "verdict", EXIT_CODES), objects(said, "paths")
    found = [word(one, "verdict", _ORDER) for one in rows]
    worst = next((one for one in _ORDER if one in found), "")
    if verdict != (WARNING if worst == PAUSED else worst):
        raise NoAnswer(f'The board says "{verdict}", and its paths say otherwise.')
    return verdict, rows


def _send(
    board: Board, asked: argparse.Namespace, began: datetime, verdict: str, rows: Sequence[Object]
) -> Taken:
    counts = _counts(rows)
    outcome = {FAILING: "failed", ERROR: "error"}.get(verdict, "passed")
    # A warning does not block, and a service whose paths are all paused was not asked at all.
    outcome = "skipped" if outcome == "passed" and not counts["passed"] else outcome
    code = EXIT_CODES[verdict] if outcome in ("failed", "error") else 0
    evidence: dict[str, Any] = {
        "gate": "integration",
        "outcome": outcome,
        "commit": asked.commit,
        "environment": asked.environment,
        "started_at": began.isoformat(),
        "finished_at": datetime.now(UTC).isoformat(),
        "command": f"opsboard check {asked.service} --environment {asked.environment}",
        "exit_code": code,
        "counts": counts,
        "tool": "opsboard check",
        "assumptions": [_remark(one) for one in rows if one["verdict"] != PASSING][:50],
    }
    return send(board, asked.service, asked.release, evidence, stage="check")


def _counts(rows: Sequence[Object]) -> dict[str, int]:
    found = [one["verdict"] for one in rows]
    return {
        "collected": len(found),
        "passed": sum(one in (PASSING, WARNING) for one in found),
        "failed": sum(one in (FAILING, ERROR) for one in found),
        "skipped": sum(one == PAUSED for one in found),
    }


def _remark(row: Object) -> str:
    return plain(f"{text(row, 'path')}: {row['verdict']}, {text(row, 'reason')}")[:300]


def _write(name: str, service: str, rows: Sequence[Object]) -> None:
    counts = _counts(rows)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuite name="{escape(service)}" tests="{counts["collected"]}"'
        f' failures="{counts["failed"]}" errors="0" skipped="{counts["skipped"]}">',
        *(_case(service, row) for row in rows),
        "</testsuite>",
    ]
    try:
        Path(name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as wrong:
        why = os.strerror(wrong.errno or 0)
        raise Usage(f"The report cannot be written: {why}.") from None


def _case(service: str, row: Object) -> str:
    path, reason = escape(plain(text(row, "path"))), escape(plain(text(row, "reason")))
    head = f'<testcase classname="{escape(service)}" name="{path}"'
    part = {FAILING: "failure", ERROR: "failure", PAUSED: "skipped"}.get(row["verdict"])
    return f'  {head}><{part} message="{reason}"/></testcase>' if part else f"  {head}/>"
