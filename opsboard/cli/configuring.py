"""`opsboard config`: tells what a service's configuration is, without telling it.

The board says which keys there are; here, beside the service, their values become fingerprints and
yes or no. No value leaves this process, nor its length, and no sentence holds one.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opsboard.cli.answers import Object, maybe_text, objects, text, texts, word
from opsboard.cli.arguments import Commands, add_service, command
from opsboard.cli.leaving import NoAnswer, Usage
from opsboard.cli.printing import document, plain, say, table
from opsboard.cli.surroundings import board_of
from opsboard.cli.values import config_key, read_values
from opsboard.instrument import config as telling

_CODES = """  0  sent
  1  sent, and a rule that is judged here failed
  9  the board refused it, with the reason"""
_MORE = (
    "Values are taken from the environment, or from --env-file or --json-file. OPSBOARD_CONFIG_KEY"
    " (or OPSBOARD_CONFIG_KEY_FILE) is the key of the fingerprints, which the board never holds:"
    " the same for all environments of a service."
)
SET, ABSENT = "set", "absent"


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    presence: str
    equals: str
    matches: str

    @property
    def has_rule(self) -> bool:
        return bool(self.equals or self.matches)


def add(commands: Commands) -> None:
    parser = command(
        commands,
        "config",
        "send fingerprints of a service's configuration",
        config,
        codes=_CODES,
        more=_MORE,
    )
    add_service(parser)
    parser.add_argument("--environment", metavar="E", required=True, help="as in staging")
    parser.add_argument("--release", metavar="V", help="else the newest that waits to go out")
    parser.add_argument("--env-file", metavar="FILE", help="NAME=value a line")
    parser.add_argument("--json-file", metavar="FILE", help="one JSON object")


def config(asked: argparse.Namespace) -> int:
    secret, values = config_key(os.environ), read_values(asked.env_file, asked.json_file)
    board = board_of(asked)
    declared = board.get("services", asked.service, "config-keys")
    keys = [_key(one) for one in objects(declared, "items")]
    if not keys:
        raise NoAnswer(f"{plain(asked.service)} declares no config keys: there is nothing to send.")
    report = _report(secret, keys, values)
    if asked.release:
        report["release"] = asked.release
    failed = [one for one in (_failing(key, values, report["rules"]) for key in keys) if one]
    place = ("services", asked.service, "environments", asked.environment, "config")
    said = board.post(*place, body=report)
    word(said, "root", (report["root"],))
    _print(asked, said, failed)
    return 1 if failed else 0


def _key(one: Object) -> Key:
    presence = word(one, "is", (SET, ABSENT))
    return Key(text(one, "name"), presence, maybe_text(one, "equals"), maybe_text(one, "matches"))


def _report(secret: str, keys: Sequence[Key], values: Mapping[str, str]) -> Object:
    """What is sent: all there is of it is made by the file that services copy."""
    rules = {
        key.name: {"equals": key.equals, "matches": key.matches} for key in keys if key.has_rule
    }
    try:
        return dict(telling.report(secret, [key.name for key in keys], values, rules))
    except telling.ConfigError as wrong:
        raise Usage(str(wrong)) from None


def _failing(key: Key, values: Mapping[str, str], held: Mapping[str, bool]) -> str:
    """Which rule of the key fails here, "" when none does."""
    is_set = telling.is_set(values.get(key.name))
    if key.presence == ABSENT:
        return f"{key.name} is set, and must be absent." if is_set else ""
    if not is_set:
        return f"{key.name} is not set."
    if key.has_rule and not held[key.name]:
        return f"{key.name}: its rule failed."
    return ""


def _print(asked: argparse.Namespace, said: Object, failed: Sequence[str]) -> None:
    outcome, found = text(said, "outcome"), objects(said, "differences")
    if asked.json:
        document({**said, "failed_here": list(failed)})
        return
    say(f"{plain(asked.service)} in {plain(asked.environment)}: {plain(outcome)}")
    for sentence in failed:
        say(f"  {plain(sentence)}")
    table([[f"{value}" for value in one.values() if isinstance(value, str)] for one in found])
    for sentence in texts(said, "unknown"):
        say(f"  {plain(sentence)}")
    if note := maybe_text(said, "note"):
        say(f"  {plain(note)}")
