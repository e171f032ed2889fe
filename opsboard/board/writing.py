"""YAML as an export writes it: one text for one value, on every machine and at every time.

A writer of our own, because what PyYAML writes depends on its release and on libyaml being there.
"""

import re
from collections.abc import Iterator
from typing import Any

from opsboard.board.nodes import plain_tag

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9 _./<>=$%+*()@;~^|&!-]*(?<! )")
# One letter is a truth value to some readers.
_ONE_LETTER = frozenset("yYnN")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_NOT_AS_IT_IS = re.compile('[\\\\"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]')


class Flow(list[Any]):
    """A list on one line."""


class Bare(str):
    """A number written as it stands."""

    __slots__ = ()


def yaml_of(value: dict[str, Any]) -> str:
    return "\n".join(_lines(value, "")) + "\n" if value else "{}\n"


def _lines(value: dict[str, Any] | list[Any], indent: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _entry(f"{indent}{scalar(key)}:", each, indent)
    else:
        for each in value:
            yield from _item(each, indent)


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if _is_nested(value):
        yield head
        yield from _lines(value, indent + "  ")
    else:
        yield from _leaf(head, value, indent)


def _item(value: Any, indent: str) -> Iterator[str]:
    if not _is_nested(value):
        yield from _leaf(f"{indent}-", value, indent)
        return
    inner = _lines(value, indent + "  ")
    yield f"{indent}- {next(inner)[len(indent) + 2 :]}"
    yield from inner


def _is_nested(value: Any) -> bool:
    return isinstance(value, (dict, list)) and bool(value) and not isinstance(value, Flow)


def _leaf(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, str) and not isinstance(value, Bare) and _may_be_block(value):
        yield f"{head} |{_chomping(value)}"
        for line in value.removesuffix("\n").split("\n"):
            yield f"{indent}  {line}" if line else ""
    else:
        yield f"{head} {_on_one_line(value)}"


def _chomping(text: str) -> str:
    return "" if text.endswith("\n") else "-"


def _may_be_block(text: str) -> bool:
    """Several lines that a block gives back as they are."""
    if "\n" not in text or text.endswith("\n\n") or text[0] in " \n\t" or text.strip() == "":
        return False
    if _NOT_AS_IT_IS.search(text.translate({10: " ", 34: " ", 92: " ", 9: " "})):
        return False
    return not any(line.endswith((" ", "\t")) or line.startswith("\t") for line in text.split("\n"))


def _on_one_line(value: Any) -> str:
    if isinstance(value, Bare):
        return str(value)
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(_on_one_line(each) for each in value)}]"
    if isinstance(value, dict):
        return "{}"
    return scalar(value)


def scalar(text: str) -> str:
    if _PLAIN.fullmatch(text) and text not in _ONE_LETTER and plain_tag(text) == "str":
        return text
    return f'"{_NOT_AS_IT_IS.sub(_escape, text)}"'


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04x}"
