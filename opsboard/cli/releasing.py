"""Releases: naming one, its tag, that it went out or was taken back, and holding a service."""

import argparse
import re
from typing import Any

from opsboard.cli.answers import Object, maybe_text, objects, text, word
from opsboard.cli.arguments import (
    Commands,
    add_commit,
    add_release,
    add_service,
    command,
    group,
    moment,
)
from opsboard.cli.printing import document, paint, plain, say, table
from opsboard.cli.readiness import WHOLES
from opsboard.cli.surroundings import board_of

_REFUSED = "  0  done\n  9  refused, with the reason"


def add(commands: Commands) -> None:
    releases = group(commands, "release", "name a release, show one, list those of a service")
    _add_create(releases)
    show = command(releases, "show", "show one release", show_release)
    add_service(show)
    add_release(show)
    listing = command(releases, "list", "list the newest releases of a service", list_releases)
    add_service(listing)
    listing.add_argument("--limit", metavar="N", type=int, choices=range(1, 201), default=20)
    _add_tag(commands)
    _add_decisions(commands)


def _add_create(releases: Commands) -> None:
    parser = command(
        releases,
        "create",
        "name a release: a version stands for one commit, for ever",
        create,
        codes="  0  named, or named before with this commit\n  9  it has another commit",
    )
    add_service(parser)
    add_release(parser)
    add_commit(parser)
    parser.add_argument("--tag", metavar="T")
    parser.add_argument("--environment", metavar="E", help="where it goes (production)")
    parser.add_argument("--planned-at", metavar="TIME", type=moment)
    parser.add_argument("--summary", metavar="TEXT")
    parser.add_argument(
        "--migration", metavar="NAME", action="append", dest="migrations", help="may be repeated"
    )
    parser.add_argument("--path", metavar="SLUG", action="append", dest="paths")
    for name in ("commits", "files", "lines"):
        parser.add_argument(f"--{name}", metavar="N", type=_count, help=f"how many {name} changed")


def _add_tag(commands: Commands) -> None:
    parser = command(
        commands, "tag", "report a release's tag and what it points to", tag, codes=_REFUSED
    )
    add_service(parser)
    add_release(parser)
    add_commit(parser)
    parser.add_argument("--tag", metavar="T", required=True)
    parser.add_argument(
        "--object",
        metavar="ID",
        required=True,
        type=_object,
        help="the commit that the tag points to, as `git rev-parse T^{commit}` prints it",
    )


def _add_decisions(commands: Commands) -> None:
    released = command(
        commands, "released", "report that a release went out", report_released, codes=_REFUSED
    )
    back = command(
        commands,
        "rollback",
        "report that a release was taken back; the service is held from then on",
        report_rollback,
        codes=_REFUSED,
    )
    for parser in (released, back):
        add_service(parser)
        add_release(parser)
    released.add_argument("--environment", metavar="E", help="where (else the release's own)")
    released.add_argument("--at", metavar="TIME", type=moment, help="when it began to run there")
    released.add_argument(
        "--anyway", metavar="REASON", help="why it went out although it was not ready"
    )
    back.add_argument("--reason", metavar="TEXT", required=True)


def _count(written: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", written):
        raise argparse.ArgumentTypeError("write a whole number")
    return int(written)


def _object(written: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{7,64}", written):
        raise argparse.ArgumentTypeError("write the id as hexadecimal digits")
    return written.lower()


def _given(**facts: Any) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


# What they do ----------------------------------------------------------------------------------


def create(asked: argparse.Namespace) -> int:
    body = _given(
        version=asked.release,
        commit=asked.commit,
        tag=asked.tag,
        environment=asked.environment,
        planned_at=asked.planned_at,
        summary=asked.summary,
        migrations=asked.migrations,
        commits=asked.commits,
        files=asked.files,
        lines=asked.lines,
        paths=asked.paths,
    )
    said = board_of(asked).post("services", asked.service, "releases", body=body)
    _check(said, asked.release, asked.commit)
    return done(asked, said, f"{asked.service} {asked.release} is {asked.commit[:12]}.")


def show_release(asked: argparse.Namespace) -> int:
    said = board_of(asked).get("services", asked.service, "releases", asked.release)
    _check(said, asked.release, "")
    if asked.json:
        document(said)
        return 0
    say(f"{plain(asked.service)} {plain(asked.release)}: {paint(_whole(said))}")
    for name in ("commit", "tag", "environment", "planned_at", "released_at", "summary"):
        if value := maybe_text(said, name):
            say(f"  {name.replace('_', ' ')}: {plain(value)}")
    return 0


def list_releases(asked: argparse.Namespace) -> int:
    board = board_of(asked)
    said = board.get("services", asked.service, "releases", limit=asked.limit)
    found = objects(said, "items")
    rows = [
        [text(one, "version"), text(one, "commit")[:12], _whole(one), _became(one)] for one in found
    ]
    if asked.json:
        document(said)
    elif rows:
        table(rows)
    else:
        say(f"{plain(asked.service)} has no releases yet.")
    return 0


def tag(asked: argparse.Namespace) -> int:
    board = board_of(asked)
    body = {"tag": asked.tag, "object": asked.object, "commit": asked.commit}
    said = board.post(*_place(asked), "tag", body=body)
    return done(asked, said, f"{asked.tag} was reported for {asked.service} {asked.release}.")


def report_released(asked: argparse.Namespace) -> int:
    body = _given(environment=asked.environment, at=asked.at, anyway_because=asked.anyway)
    said = board_of(asked).post(*_place(asked), "released", body=body)
    return done(asked, said, f"{asked.service} {asked.release} went out.")


def report_rollback(asked: argparse.Namespace) -> int:
    body = {"reason": asked.reason}
    said = board_of(asked).post(*_place(asked), "rollbacks", body=body)
    sentence = f"{asked.service} {asked.release} was taken back: {asked.service} is held."
    return done(asked, said, sentence)


# What came back --------------------------------------------------------------------------------


def _place(asked: argparse.Namespace) -> tuple[str, ...]:
    return "services", asked.service, "releases", asked.release


def _check(said: Object, version: str, commit: str) -> None:
    """That the board talks of the same release."""
    word(said, "version", (version,))
    if commit:
        word(said, "commit", (commit,))


def done(asked: argparse.Namespace, said: Object, sentence: str) -> int:
    if asked.json:
        document(said)
    else:
        say(plain(sentence))
    return 0


def _whole(said: Object) -> str:
    """ "" where the board does not tell the readiness along with the release."""
    readiness = said.get("readiness")
    if isinstance(readiness, dict):
        return word(readiness, "whole", WHOLES)
    return word(said, "readiness", WHOLES) if readiness is not None else ""


def _became(said: Object) -> str:
    for name, became in (("withdrawn_at", "withdrawn"), ("released_at", "released")):
        if at := maybe_text(said, name):
            return f"{became} {at[:16].replace('T', ' ')}"
    return "waiting"
