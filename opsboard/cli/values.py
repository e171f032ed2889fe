"""The values of a service's configuration, from the environment, a dotenv or a JSON file.

They never leave this process, and no sentence holds one.
"""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

from opsboard.cli.leaving import Usage

_LARGEST = 1 << 20
_LINE = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def read_values(env_file: str | None, json_file: str | None) -> Mapping[str, str]:
    """Raises Usage."""
    if env_file and json_file:
        raise Usage("Give --env-file or --json-file, not both.")
    if env_file:
        return dotenv(_read(env_file), Path(env_file).name)
    if json_file:
        return json_values(_read(json_file), Path(json_file).name)
    return os.environ


def dotenv(written: str, shown: str = "the file") -> dict[str, str]:
    """NAME=value a line; quoted values may go over lines, in double quotes with \\n and \\".

    Nothing is put in for $NAME: loaders differ in that, and a wrong value would look right. A
    quoted value that does not end is a mistake.
    """
    found: dict[str, str] = {}
    rest, at = written.removeprefix("\ufeff").replace("\r\n", "\n"), 0
    lines = rest.split("\n")
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise Usage(f"{shown}, line {at}: this is not NAME=value.")
        value, at = _value(match[2], lines, at, shown)
        found[match[1]] = value
    return found


def _value(first: str, lines: list[str], at: int, shown: str) -> tuple[str, int]:
    """The value that begins with `first`, and the line after it."""
    quote = first[:1]
    if quote not in ("'", '"'):
        return re.split(r"\s+#", first, maxsplit=1)[0].strip(), at
    began, body = at, first[1:]
    while (end := _end(body, quote)) < 0:
        if at >= len(lines):
            raise Usage(f"{shown}, line {began}: the quoted value does not end.")
        body, at = f"{body}\n{lines[at]}", at + 1
    after = body[end + 1 :].strip()
    if after and not after.startswith("#"):
        raise Usage(f"{shown}, line {at}: something stands after the quoted value.")
    return (_unescaped(body[:end]) if quote == '"' else body[:end]), at


def _end(body: str, quote: str) -> int:
    at = 0
    while at < len(body):
        if quote == '"' and body[at] == "\\":
            at += 2
        elif body[at] == quote:
            return at
        else:
            at += 1
    return -1


def _unescaped(body: str) -> str:
    return re.sub(r"\\(.)", lambda sign: _ESCAPED.get(sign[1], sign[0]), body, flags=re.DOTALL)


def json_values(written: str, shown: str = "the file") -> dict[str, str]:
    """One object; numbers and yes or no as JSON writes them, null is not set."""
    try:
        said = json.loads(written)
    except (ValueError, RecursionError):
        raise Usage(f"{shown} is not JSON.") from None
    if not isinstance(said, dict):
        raise Usage(f"{shown} is not a JSON object.")
    return {name: _text(name, value, shown) for name, value in said.items() if value is not None}


def _text(name: str, value: object, shown: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    raise Usage(
        f"{shown}: {name} is an object or a list; a value is a text, a number, true or false."
    )


def _read(name: str) -> str:
    """Raises Usage, without what stands in the file."""
    try:
        with Path(name).open("rb") as file:
            body = file.read(_LARGEST + 1)
    except OSError as wrong:
        raise Usage(f"{Path(name).name} cannot be read: {os.strerror(wrong.errno or 0)}.") from None
    if len(body) > _LARGEST:
        raise Usage(f"{Path(name).name} is larger than {_LARGEST >> 20} MiB.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Usage(f"{Path(name).name} is not UTF-8.") from None


def config_key(environ: Mapping[str, str]) -> str:
    """The key of the fingerprints, which Opsboard never holds. Raises Usage."""
    held = environ.get("OPSBOARD_CONFIG_KEY", "").strip()
    if not held and (name := environ.get("OPSBOARD_CONFIG_KEY_FILE")):
        held = _read(name).strip()
    if not held:
        raise Usage(
            "Set OPSBOARD_CONFIG_KEY, or OPSBOARD_CONFIG_KEY_FILE to a file that holds it: one"
            " secret for all environments of the service, as `openssl rand -hex 32` makes it."
        )
    return held
