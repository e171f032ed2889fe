"""`opsboard change send`: samples from a file, in parts. The board reads them, not this command."""

import argparse
import json
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

from opsboard.cli.answers import Object, number
from opsboard.cli.arguments import Commands, command
from opsboard.cli.change_seen import add_change
from opsboard.cli.leaving import Refused, Usage
from opsboard.cli.printing import document, say, tell
from opsboard.cli.surroundings import board_of

# Of one part: as JSON, with its quotes escaped, it stays below what a body may have.
_LINES, _BYTES = 2_000, 100 * 1024
_LONGEST_LINE = 16 * 1024

_MORE = (
    "The CSV has the columns side, i, latency_us, cache, ok, db_calls and at; rows of the other"
    " side are left out. A log is that of opsboard.instrument: only lines of the route are sent,"
    " with --every N one of N of them. Sending ends when the window is full."
)


def add_send(changes: Commands) -> None:
    parser = command(
        changes,
        "send",
        "send samples that a program measured",
        send,
        codes="  0  sent\n  9  refused, with the row and the reason",
        more=_MORE,
    )
    parser.usage = "opsboard change send CHANGE (FILE.csv | --log FILE --route R) [options]"
    add_change(parser)
    parser.add_argument("file", metavar="FILE.csv", nargs="?", help="- is standard input")
    parser.add_argument("--log", metavar="FILE", help="the log of requests of the service")
    parser.add_argument("--route", metavar="R", help="as in the log: /v1/quotes/{id}")
    parser.add_argument("--method", metavar="M", help="only of this method: GET")
    parser.add_argument(
        "--status",
        metavar="N",
        type=int,
        action="append",
        dest="statuses",
        help="which are right answers (all below 500); may be repeated",
    )
    parser.add_argument("--every", metavar="N", type=int, default=1, help="take one of N lines (1)")
    parser.add_argument("--side", choices=["before", "after"], help="else the one that collects")


def send(asked: argparse.Namespace) -> int:
    if (asked.file is None) == (asked.log is None):
        raise Usage("Give a CSV file, or a log with --log and --route.")
    if asked.log is not None and not asked.route:
        raise Usage("Say with --route which requests of the log are meant, as /v1/quotes/{id}.")
    of_a_log = (asked.route, asked.method, asked.statuses, asked.every != 1)
    if asked.file is not None and any(of_a_log):
        raise Usage("--route, --method, --status and --every are for a log.")
    if not 1 <= asked.every <= 1_000_000:
        raise Usage("--every is a whole number, 1 or more.")
    board, taken, said = board_of(asked), 0, None
    with _open(asked.file or asked.log) as file:
        for body in _csv(file) if asked.file else _log(file, asked):
            more = {"side": asked.side} if asked.side else {}
            said = board.post("changes", str(asked.change), "samples", body=body | more)
            taken += number(said, "taken")
            tell(f"{number(said, 'count')} of {number(said, 'of')}")
            if number(said, "count") >= number(said, "of"):
                break
    return _done(asked, said, taken)


def _done(asked: argparse.Namespace, said: Object | None, taken: int) -> int:
    if said is None or not taken:
        raise Refused("Nothing was sent: the file has no sample of this side, or of this route.")
    if asked.json:
        document(said | {"taken": taken})
    else:
        say(f"{taken} taken: {number(said, 'count')} of {number(said, 'of')}.")
    return 0


def _open(name: str) -> IO[bytes]:
    """Raises Usage."""
    try:
        return os.fdopen(os.dup(0), "rb") if name == "-" else Path(name).open("rb")
    except OSError as wrong:
        why = os.strerror(wrong.errno or 0)
        raise Usage(f"{Path(name).name} cannot be read: {why}.") from None


def _csv(file: IO[bytes]) -> Iterator[dict[str, Any]]:
    """Each part with the header, and the row that it begins at."""
    lines = enumerate(_lines(file), 1)
    header = next(lines, (0, ""))[1].removeprefix("\ufeff")
    if not header.strip():
        raise Usage("The file is empty: its first line names the columns.")
    for first, part in _parts(lines):
        yield {"csv": header + "".join(part), "first_row": first}


def _log(file: IO[bytes], asked: argparse.Namespace) -> Iterator[dict[str, Any]]:
    # Other routes are nobody's business there. What is of this one, the board decides.
    route = json.dumps(asked.route)
    wanted = (one for one in enumerate(_lines(file), 1) if route in one[1])
    more = {"route": asked.route, "method": asked.method, "statuses": asked.statuses}
    given = {name: value for name, value in more.items() if value}
    for _, part in _parts(islice(wanted, 0, None, asked.every)):
        yield {"log": "".join(part), **given}


def _lines(file: IO[bytes]) -> Iterator[str]:
    """Raises Usage."""
    at = 0
    while line := file.readline(_LONGEST_LINE + 1):
        at += 1
        if len(line) > _LONGEST_LINE:
            raise Usage(f"Line {at} is longer than {_LONGEST_LINE // 1024} KiB.")
        try:
            yield line.decode()
        except UnicodeDecodeError:
            raise Usage(f"Line {at} is not UTF-8.") from None


def _parts(lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, list[str]]]:
    """Lines together, with the number of the first; as many as one body holds."""
    first, size = 0, 0
    part: list[str] = []
    for at, line in lines:
        if part and (len(part) >= _LINES or size + len(line.encode()) > _BYTES):
            yield first, part
            part, size = [], 0
        first = first if part else at
        part.append(line)
        size += len(line.encode())
    if part:
        yield first, part
