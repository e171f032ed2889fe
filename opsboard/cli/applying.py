"""Board files: what an apply would do, and doing it.

The values that ${NAME} stands for are taken from the environment of this command, and only those
that the files name are sent.
"""

import argparse
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from opsboard.cli.answers import Object, objects, text, yes
from opsboard.cli.arguments import Commands, Parser, command, group
from opsboard.cli.leaving import Usage
from opsboard.cli.printing import document, plain, say
from opsboard.cli.surroundings import board_of

_LARGEST = 256 * 1024
_MOST_FILES = 200
_REFERENCE = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
# They open the board, and its fingerprints: no board file is to carry them there.
_NEVER_SENT = ("OPSBOARD_TOKEN", "OPSBOARD_CONFIG_KEY")
_CODES = """  0  done, or nothing to do
  2  also: --prune would remove something, and --yes is missing
  9  the files have mistakes: nothing was changed"""
_ACTS = (("added", "+"), ("changed", "~"), ("brought_back", "^"), ("removed", "-"))


def add(commands: Commands) -> None:
    apply_parser = command(
        commands, "apply", "bring the board in line with board files", apply, codes=_CODES
    )
    _add_files(apply_parser)
    apply_parser.add_argument("--dry-run", action="store_true", help="say what would change only")
    apply_parser.add_argument("--yes", action="store_true", help="remove without further ado")
    board = group(commands, "board", "look at board files")
    _add_files(command(board, "plan", "say what an apply would do", plan, codes=_CODES))


def _add_files(parser: Parser) -> None:
    parser.add_argument("files", metavar="FILE|DIR", nargs="+")
    parser.add_argument(
        "--prune", action="store_true", help="also remove what is on the board and in no file"
    )


def plan(asked: argparse.Namespace) -> int:
    said = board_of(asked).post("board", "plan", body=_body(asked, os.environ))
    return _print(asked, said, "Nothing was changed: this is a plan.")


def apply(asked: argparse.Namespace) -> int:
    if asked.dry_run:
        return plan(asked)
    board, body = board_of(asked), _body(asked, os.environ)
    if asked.prune and not asked.yes:
        removed = objects(board.post("board", "plan", body=body), "removed")
        if removed:
            raise Usage(
                f"--prune would remove {len(removed)}: look with --dry-run, then add --yes."
                " Nothing was changed."
            )
    return _print(asked, board.post("board", "apply", body=body), "Done.")


# The files -------------------------------------------------------------------------------------


def _body(asked: argparse.Namespace, environ: Mapping[str, str]) -> dict[str, Any]:
    files = [{"name": path.name, "text": _text(path)} for path in _paths(asked.files)]
    if len({one["name"] for one in files}) != len(files):
        raise Usage("Two of the files have the same name.")
    names = {name for one in files for name in _REFERENCE.findall(one["text"]) if name}
    if held := sorted(names.intersection(_NEVER_SENT)):
        raise Usage(f"A board file refers to {held[0]}, which is never sent to the board.")
    references = {name: environ[name] for name in sorted(names) if environ.get(name)}
    return {"files": files, "prune": asked.prune, "references": references}


def _paths(given: list[str]) -> list[Path]:
    found = [path for one in given for path in _below(Path(one))]
    if not found or len(found) > _MOST_FILES:
        raise Usage(f"Give 1 to {_MOST_FILES} board files; these are {len(found)}.")
    return found


def _below(path: Path) -> Iterator[Path]:
    """A directory stands for its *.yaml and *.yml in order of name."""
    if not path.is_dir():
        yield path
        return
    yield from sorted(one for one in path.iterdir() if one.suffix in (".yaml", ".yml"))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            body = file.read(_LARGEST + 1)
    except OSError as wrong:
        raise Usage(f"{path} cannot be read: {os.strerror(wrong.errno or 0)}.") from None
    if len(body) > _LARGEST:
        raise Usage(f"{path} is larger than {_LARGEST >> 10} KiB.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Usage(f"{path} is not UTF-8.") from None


# The plan --------------------------------------------------------------------------------------


def _print(asked: argparse.Namespace, said: Object, end: str) -> int:
    lines = [
        line for name, sign in _ACTS for one in objects(said, name) for line in _lines(one, sign)
    ]
    is_empty = yes(said, "is_empty")
    if asked.json:
        document(said)
        return 0
    warnings = said.get("warnings")
    for warning in warnings if isinstance(warnings, list) else ():
        say(f"warning: {plain(str(warning))}")
    for line in lines:
        say(line)
    say("Nothing changes." if is_empty else end)
    return 0


def _lines(change: Object, sign: str) -> list[str]:
    lines = [plain(f"{sign} {text(change, 'kind')} {text(change, 'name')}")]
    if sign == "~":
        lines += [
            plain(f"    {text(one, 'field')}: {one.get('old')} → {one.get('new')}")[:300]
            for one in objects(change, "fields")
        ]
    return lines
