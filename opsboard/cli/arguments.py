"""What the commands' arguments have in common, and what stands in for those that are not given."""

import argparse
import os
import re
import textwrap
from collections.abc import Callable
from datetime import datetime

from opsboard.cli.leaving import FOR_ALL

type Parser = argparse.ArgumentParser
type Commands = "argparse._SubParsersAction[argparse.ArgumentParser]"
type Command = Callable[[argparse.Namespace], int]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST = 30 * 86400.0
# Seconds between two questions while something is waited for.
_EVERY = 5.0


def command(
    commands: Commands, name: str, does: str, act: Command, *, codes: str = "", more: str = ""
) -> Parser:
    """A command with its help: what it does, what its exit codes mean, and what all have."""
    own = f"exit codes:\n{codes}\n\n" if codes else ""
    parser = commands.add_parser(
        name,
        help=does,
        description=textwrap.fill(f"{does[0].upper()}{does[1:]}. {more}", 80),
        epilog=own + FOR_ALL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(act=act)
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument(
        "--timeout",
        metavar="TIME",
        type=duration,
        default=30.0,
        help="how long one question may take, all tries together (30s)",
    )
    return parser


def group(commands: Commands, name: str, about: str) -> Commands:
    parser = commands.add_parser(
        name,
        help=about,
        description=f"{about[0].upper()}{about[1:]}.",
        epilog=FOR_ALL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return parser.add_subparsers(metavar="COMMAND", required=True)


def add_service(parser: Parser) -> None:
    held = os.environ.get("OPSBOARD_SERVICE", "")
    parser.add_argument(
        "--service",
        metavar="S",
        default=held or None,
        required=not held,
        help="the service's name in addresses (else OPSBOARD_SERVICE)",
    )


def add_release(parser: Parser, *, required: bool = True) -> None:
    held = os.environ.get("OPSBOARD_RELEASE", "") if required else ""
    parser.add_argument(
        "--release",
        metavar="V",
        default=held or None,
        required=required and not held,
        help="the release's version" + (" (else OPSBOARD_RELEASE)" if required else ""),
    )


def add_commit(parser: Parser, *, required: bool = True) -> None:
    names = ("OPSBOARD_COMMIT", "GITHUB_SHA", "CI_COMMIT_SHA")
    held = next((os.environ[name] for name in names if os.environ.get(name)), "")
    parser.add_argument(
        "--commit",
        metavar="C",
        type=commit,
        default=held or None,
        required=required and not held,
        help=f"the whole id of the commit (else {', '.join(names)})",
    )


def add_wait(parser: Parser) -> None:
    for name, otherwise, what in (
        ("wait", 0.0, "how long to wait for an answer that may still come"),
        ("every", _EVERY, "how long between two questions while waiting (5s)"),
    ):
        parser.add_argument(
            f"--{name}", metavar="TIME", type=duration, default=otherwise, help=what
        )


def commit(written: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{40}|[0-9a-fA-F]{64}", written.strip()):
        raise argparse.ArgumentTypeError(
            "write the whole id of the commit, as `git rev-parse HEAD` prints it"
        )
    return written.strip().lower()


def duration(written: str) -> float:
    """Seconds: "90", "90s", "10m", "1h 30m"."""
    rest = written.strip().lower()
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", rest)
    if not re.fullmatch(r"(?:\d+(?:\.\d+)?\s*(?:ms|s|m|h|d)?\s*)+", rest):
        raise argparse.ArgumentTypeError("write a time as 30s, 10m or 2h")
    seconds = sum(float(number) * _UNITS[unit or "s"] for number, unit in parts)
    if seconds > _LONGEST:
        raise argparse.ArgumentTypeError("at most 30 days")
    return seconds


def moment(written: str) -> str:
    """A time with its zone, as ISO 8601."""
    try:
        read = datetime.fromisoformat(written)
    except ValueError:
        read = None
    if read is None or read.tzinfo is None:
        raise argparse.ArgumentTypeError("write a time with its zone, as 2026-11-28T12:00:00Z")
    return read.isoformat()
