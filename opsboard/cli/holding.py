"""Holding a service, so that nothing of it goes out, and ending its hold."""

import argparse

from opsboard.cli.arguments import Commands, command
from opsboard.cli.leaving import Usage
from opsboard.cli.releasing import done
from opsboard.cli.surroundings import board_of


def add(commands: Commands) -> None:
    parser = command(
        commands,
        "hold",
        "hold a service, so that nothing of it goes out, or end its hold",
        hold,
        codes="  0  done\n  9  refused, with the reason",
        more="`opsboard hold end SERVICE --because TEXT` ends it.",
    )
    parser.usage = "opsboard hold SERVICE --reason TEXT | opsboard hold end SERVICE --because TEXT"
    parser.add_argument("words", metavar="[end] SERVICE", nargs="+")
    parser.add_argument("--reason", metavar="TEXT")
    parser.add_argument("--because", metavar="TEXT")


def hold(asked: argparse.Namespace) -> int:
    ends = len(asked.words) == 2 and asked.words[0] == "end"
    if len(asked.words) != 1 and not ends:
        raise Usage("Write `opsboard hold SERVICE …` or `opsboard hold end SERVICE …`.")
    service = asked.words[-1]
    if ends:
        return _end_hold(asked, service)
    if not asked.reason or asked.because:
        raise Usage("Say why with --reason TEXT.")
    said = board_of(asked).post("services", service, "holds", body={"reason": asked.reason})
    return done(asked, said, f"{service} is held.")


def _end_hold(asked: argparse.Namespace, service: str) -> int:
    if not asked.because or asked.reason:
        raise Usage("Say why it ends with --because TEXT.")
    body = {"because": asked.because}
    said = board_of(asked).post("services", service, "holds", "end", body=body)
    return done(asked, said, f"{service} is not held any more.")
