"""The `opsboard` command: reads the arguments, does one thing, and ends with its exit code."""

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import NoReturn

from opsboard.cli import (
    applying,
    changing,
    comparing,
    configuring,
    gating,
    holding,
    incidents,
    probing,
    releasing,
    running,
    silencing,
)
from opsboard.cli.leaving import FOR_ALL, NO_ANSWER, USAGE, Leave
from opsboard.cli.printing import document, tell
from opsboard.cli.surroundings import TOKEN

_ABOUT = """What CI and terminals tell the board and ask it.

OPSBOARD_URL is the address of the board, OPSBOARD_TOKEN (or OPSBOARD_TOKEN_FILE, a
file) the token. A token is never an argument: other users of the machine see those."""


# In the order of --help.
_PARTS = (
    releasing,
    running,
    probing,
    configuring,
    gating,
    changing,
    comparing,
    holding,
    applying,
    incidents,
    silencing,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Never raises for what a person, the board or the network did."""
    written = list(sys.argv[1:] if argv is None else argv)
    _settle()
    code = _act(written)
    return code if _flushed() else max(code, NO_ANSWER)


def _act(written: list[str]) -> int:
    options, command = _split(written)
    wants_json = "--json" in options
    try:
        if any(TOKEN.search(one) for one in options):
            raise _token_in_sight()
        asked = _parser().parse_args(options)
        if command and not getattr(asked, "takes_command", False):
            _parser().error(
                "only `run`, `change applied` and `change cleared` take a command after --"
            )
        asked.command = command
        result: int = asked.act(asked)
        return result
    except Leave as leave:
        return _leave(leave, as_json=wants_json)
    except SystemExit as over:
        # Of argparse: after --help, or a mistake in the arguments.
        return over.code if isinstance(over.code, int) else USAGE
    except BrokenPipeError:
        return NO_ANSWER


def _leave(leave: Leave, *, as_json: bool) -> int:
    tell(leave.sentence)
    if as_json:
        with contextlib.suppress(OSError):
            document({"error": leave.sentence, "exit": leave.code})
    return leave.code


def _split(written: list[str]) -> tuple[list[str], list[str]]:
    """What is ours, and the command after the first "--"."""
    if "--" not in written:
        return written, []
    at = written.index("--")
    return written[:at], written[at + 1 :]


def _token_in_sight() -> Leave:
    leave = Leave(
        "A token stands in the arguments, where others can read it: revoke it, and put the new one"
        " into OPSBOARD_TOKEN."
    )
    leave.code = USAGE
    return leave


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="opsboard",
        description=_ABOUT,
        epilog=FOR_ALL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="and nothing else")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for part in _PARTS:
        part.add(commands)
    return parser


class _ShowVersion(argparse.Action):
    """Looks the version up only when it is asked for: that is slow to import."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            found = version("opsboard")
        except PackageNotFoundError:
            found = "(of a checkout)"
        print(f"opsboard {found}")
        parser.exit()


def _settle() -> None:
    # Ctrl-C ends us as it ends any command; `run` hands signals on while its command runs.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="backslashreplace")


def _flushed() -> bool:
    """False: what was printed has reached nobody."""
    try:
        sys.stdout.flush()
    except OSError:
        # Else Python complains once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return False
    return True


def entry() -> NoReturn:
    sys.exit(main())
