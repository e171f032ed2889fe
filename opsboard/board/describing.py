"""The format told to others: a JSON Schema for editors, and the keys for README.md. Pure."""

from collections.abc import Iterator
from typing import Any

from opsboard.board.format import (
    BOARD,
    ENVIRONMENT,
    NOTE,
    PATH,
    SERVICE,
    STEP,
    TEAM,
    VERSION,
)
from opsboard.board.gate_format import CONFIG_KEY, GATE
from opsboard.board.kinds import AS_IT_IS, REQUIRED, Key, Shape
from opsboard.board.sheet_format import BASIC, CONNECTION, HEARTBEAT, INPUT, PATH_STEP
from opsboard.expectations.units import exact_duration

_IN_ORDER = (
    *(BOARD, TEAM, SERVICE, ENVIRONMENT, VERSION, CONFIG_KEY, GATE, PATH, INPUT, CONNECTION),
    *(BASIC, PATH_STEP, HEARTBEAT, NOTE, STEP),
)


def schema() -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Opsboard board file",
        "description": "Teams and services as manage.py apply reads them.",
    } | BOARD.schema()


def keys_as_markdown() -> str:
    return "\n".join(line for shape in _IN_ORDER for line in _table(shape)) + "\n"


def _table(shape: Shape) -> Iterator[str]:
    yield f"### {shape.name[:1].upper()}{shape.name[1:]}"
    yield ""
    yield "| key | what it is | what may be written | when left out |"
    yield "|---|---|---|---|"
    for key in shape.keys:
        cells = (f"`{key.name}`", key.about, key.kind.words, left_out(key))
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def left_out(key: Key) -> str:
    """The default in words."""
    if key.default is REQUIRED:
        return "**required**"
    if key.default_words:
        return key.default_words
    if key.default is AS_IT_IS:
        return "as it is on the board"
    if key.name in ("interval", "timeout"):
        return f"`{exact_duration(key.default)}`"
    if isinstance(key.default, bool):
        return f"`{str(key.default).lower()}`"
    return f"`{key.default}`" if key.default else "nothing"
