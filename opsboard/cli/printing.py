"""What people and programs see: short sentences, tables, or one JSON document.

Colour is never the only sign, is for terminals only, and respects NO_COLOR. What came from
elsewhere is printed without control characters, so that nobody's text can move the cursor.
"""

import json
import os
import sys
from collections.abc import Sequence
from typing import Any, TextIO

_GREEN, _YELLOW, _RED, _GREY = "32", "33", "31", "90"
_COLOURS = {
    **dict.fromkeys(("ready", "met", "passing", "passed", "resolved"), _GREEN),
    **dict.fromkeys(
        ("incomplete", "no evidence", "warning", "overridden", "acknowledged", "out of date"),
        _YELLOW,
    ),
    **dict.fromkeys(("blocked", "not met", "failing", "failed", "error", "frozen", "open"), _RED),
    **dict.fromkeys(("absent", "paused", "no data"), _GREY),
}
_WIDEST = 72


def plain(said: str) -> str:
    """On one line, every character visible."""
    return "".join(one if one.isprintable() else " " for one in said)


def say(sentence: str = "") -> None:
    """To standard output: the answer."""
    print(sentence)


def tell(sentence: str) -> None:
    """To standard error: what is not the answer itself."""
    lines = "\n".join(map(plain, sentence.split("\n")))
    print(f"opsboard: {lines}", file=sys.stderr, flush=True)


def document(value: Any) -> None:
    """The one JSON document of --json."""
    written = json.dumps(value, indent=2, ensure_ascii=False)
    # What is not printable stands within a text: escaped, it is the same to who reads the document.
    print("".join(one if one.isprintable() or one == "\n" else _escaped(one) for one in written))


def _escaped(sign: str) -> str:
    return json.dumps(sign)[1:-1]


def paint(word: str, stream: TextIO | None = None) -> str:
    """The word in its colour, where colours are wanted."""
    colour = _COLOURS.get(word.strip())
    return f"\033[{colour}m{word}\033[0m" if colour and _has_colours(stream or sys.stdout) else word


def table(rows: Sequence[Sequence[str]]) -> None:
    """Columns of plain texts, the last one as wide as it needs."""
    shown = [[_cell(one) for one in row] for row in rows]
    widths = [max(len(row[at]) for row in shown) for at in range(len(shown[0]))] if shown else []
    for row in shown:
        cells = [paint(one.ljust(width)) for one, width in zip(row[:-1], widths, strict=False)]
        print("  ".join([*cells, row[-1]]).rstrip())


def _cell(said: str) -> str:
    shown = plain(said)
    return shown if len(shown) <= 4 * _WIDEST else shown[: 4 * _WIDEST - 1] + "…"


def _has_colours(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()
