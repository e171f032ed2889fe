"""`opsboard run`: runs a command as if nothing stood between, and sends what came of it."""

import argparse
import os
import re
import shlex
from datetime import UTC, datetime
from typing import Any

from opsboard.cli import junit, masking
from opsboard.cli.arguments import (
    Commands,
    Parser,
    add_commit,
    add_release,
    add_service,
    command,
    duration,
)
from opsboard.cli.asking import Board, Patience
from opsboard.cli.evidence import Taken, send
from opsboard.cli.leaving import NO_ANSWER, Leave, Usage
from opsboard.cli.printing import document, plain, tell
from opsboard.cli.relaying import Ran, Tail, relay
from opsboard.cli.surroundings import board_of, token_of

_CODES = """  the command's own, whatever the board says: 128 and the signal's number when a signal
     ended it, 127 when it was not found, 126 when it cannot be run
  7  with --strict: the evidence could not be sent"""
_MORE = (
    "Output is passed on untouched; the last 4 KiB are sent with secrets masked (the token, and"
    " what stands in variables whose names look like a secret's). A JUnit report gives the counts"
    " without which unit and integration are never met."
)
# Of telling that it runs, which is asked once: the command waits for it.
_ANNOUNCED_WITHIN = 5.0
_LONGEST_COMMAND = 2000
_LONGEST_TOOL = 120


def add(commands: Commands) -> None:
    parser = command(
        commands,
        "run",
        "run a command and send its result as evidence",
        run,
        codes=_CODES,
        more=_MORE,
    )
    parser.usage = "opsboard run --service S --release V --gate G [options] -- COMMAND…"
    add_service(parser)
    add_release(parser)
    add_commit(parser)
    _add_own(parser)


def _add_own(parser: Parser) -> None:
    parser.add_argument(
        "--gate", metavar="G", required=True, type=_gate, help="lint, unit, integration, …"
    )
    parser.add_argument("--environment", metavar="E", default="", help="where it is checked")
    parser.add_argument(
        "--junit", metavar="FILE", action="append", default=[], help="a report; may be repeated"
    )
    parser.add_argument("--tool", metavar="T", default="", help="what answers, as pytest 9")
    parser.add_argument("--url", metavar="URL", type=_url, help="where the run can be looked at")
    parser.add_argument("--strict", action="store_true", help="end with 7 when sending failed")
    parser.add_argument(
        "--post-timeout",
        metavar="TIME",
        type=duration,
        default=60.0,
        help="how long to try to send the result (1m)",
    )
    parser.set_defaults(takes_command=True)


def run(asked: argparse.Namespace) -> int:
    if not asked.command:
        raise Usage("Write the command to run after --, as: opsboard run … -- pytest -q")
    board = board_of(asked)
    run_of = _Run(asked, board, masking.secrets_of(os.environ, token_of(os.environ)))
    return run_of.go()


class _Run:
    def __init__(self, asked: argparse.Namespace, board: Board, secrets: tuple[str, ...]) -> None:
        self.asked, self.board, self.secrets = asked, board, secrets

    def go(self) -> int:
        asked = self.asked
        reports = junit.looked_at(asked.junit)
        self._announce()
        tail = Tail(masking.LARGEST_TAIL * 2 + masking.longest(self.secrets))
        ran = relay(asked.command, tail, to_stderr=asked.json)
        counts, trouble = junit.counts_or_reason(reports, ran.started_at.timestamp())
        result = self._result(ran, tail, counts, trouble)
        sent = self._send(result)
        if asked.json:
            document({"evidence": result, "sent": sent is not None, "board": sent and sent.json()})
        return NO_ANSWER if sent is None and asked.strict else ran.exit_code

    def _announce(self) -> None:
        """Before the command: that it runs. Its real start is told with its result."""
        now, seconds = datetime.now(UTC), min(_ANNOUNCED_WITHIN, self.asked.post_timeout)
        once = Patience(seconds=seconds, tries=1, each=seconds)
        try:
            self._post({**self._about(now), "outcome": "running"}, "running", once)
        except Leave as leave:
            tell(f"{self.asked.gate}: that it runs could not be told. {leave.sentence}")

    def _about(self, started_at: datetime) -> dict[str, Any]:
        asked = self.asked
        written = masking.mask(shlex.join(asked.command), self.secrets)
        about = {
            "gate": asked.gate,
            "commit": asked.commit,
            "environment": asked.environment,
            "started_at": started_at.isoformat(),
            "command": plain(written)[:_LONGEST_COMMAND],
            "tool": plain(asked.tool)[:_LONGEST_TOOL],
            "url": asked.url or _address_of_run(),
        }
        return {name: value for name, value in about.items() if value}

    def _result(
        self, ran: Ran, tail: Tail, counts: junit.Counts | None, trouble: str
    ) -> dict[str, Any]:
        outcome, why = junit.outcome_of(ran.exit_code, ran.is_broken, counts)
        if trouble and outcome == "passed":
            outcome = "inconclusive"
        result = {
            **self._about(ran.started_at),
            "outcome": outcome,
            "finished_at": ran.finished_at.isoformat(),
            "exit_code": ran.exit_code,
        }
        if counts is not None:
            result["counts"] = counts.json()
        if log := masking.tail_text(ran.tail, self.secrets, is_cut=tail.is_cut):
            result["log_tail"] = log
        if said := [one for one in (trouble, why) if one]:
            result["assumptions"] = [plain(one)[:300] for one in said]
            tell(f"{self.asked.gate}: {' '.join(said)}")
        return result

    def _send(self, result: dict[str, Any]) -> Taken | None:
        whole = self.asked.post_timeout
        patience = Patience(seconds=whole, tries=1000, each=min(10.0, whole))
        try:
            taken = self._post(result, "result", patience)
        except Leave as leave:
            tell(f"{self.asked.gate}: the evidence was not sent. {leave.sentence}")
            return None
        tell(f"{taken.gate}: {result['outcome']}, {taken.word}. The release is {taken.whole}.")
        return taken

    def _post(self, evidence: dict[str, Any], stage: str, patience: Patience) -> Taken:
        asked = self.asked
        return send(
            self.board, asked.service, asked.release, evidence, stage=stage, patience=patience
        )


def _gate(written: str) -> str:
    # It becomes a part of a header, too.
    if not re.fullmatch(r"[-A-Za-z0-9_]{1,40}", written):
        raise argparse.ArgumentTypeError("a gate has letters, digits, - and _ in its name")
    return written


def _url(written: str) -> str:
    if not re.fullmatch(r"https?://[!-~]{1,1900}", written):
        raise argparse.ArgumentTypeError("write an address, as https://ci.example/runs/17")
    return written


def _address_of_run() -> str:
    """Where CI shows the run, when it says so."""
    environ = os.environ
    if environ.get("CI_JOB_URL", "").startswith("http"):
        return environ["CI_JOB_URL"]
    names = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
    if all(environ.get(name) for name in names):
        server, repository, number = (environ[name] for name in names)
        return f"{server}/{repository}/actions/runs/{number}"
    return ""
