"""Values of the far side as a person reads them: on one line, short, with nothing unseen in it."""

from opsboard.expectations.json_body import JsonFraction
from opsboard.expectations.literals import quoted

LONGEST = 100

_CONTINUATION = bytes(range(0x80, 0xC0))


def on_one_line(text: str, longest: int = LONGEST) -> str:
    """Cut to `longest` characters, with what cannot be seen written as an escape."""
    start = text[: longest + 1]
    return cut(start if start.isprintable() else "".join(map(_visible, start)), longest)


def cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def in_quotes(text: str) -> str:
    """As a clause writes a text."""
    return quoted(cut(text)) if text[:LONGEST].isprintable() else f'"{on_one_line(text)}"'


def bytes_in_quotes(text: bytes, start: int = 0) -> str:
    """The part of `text` from `start`; bytes that are no UTF-8 show as �."""
    part = text[start : start + 4 * LONGEST]
    if start:
        # Not from the middle of a character.
        return in_quotes("…" + part.lstrip(_CONTINUATION).decode(errors="replace"))
    return in_quotes(part.decode(errors="replace"))


def json_value(value: object) -> str:
    """`187.40`, `"EUR"`, `true`, `null`, `an array of 3`, `an object of 2`."""
    match value:
        case str():
            return in_quotes(value)
        case bool():
            return str(value).lower()
        case None:
            return "null"
        case list():
            return f"an array of {len(value):,}"
        case dict():
            return f"an object of {len(value):,}"
        case JsonFraction():
            return cut(str(value.exact))
    return cut(str(value))


def _visible(character: str) -> str:
    """Controls, halves of characters and what turns a line around, as Python would write them."""
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()
