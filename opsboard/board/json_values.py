"""A body written as YAML, kept as the JSON text that is sent."""

import json
import re
from typing import Any, NoReturn, cast

from opsboard.board.kinds import Errors, Schema
from opsboard.board.nodes import DEEPEST, LONGEST_KEY, Node, Scalar, Sequence, quote_it
from opsboard.board.nodes import Mapping as MappingNode
from opsboard.board.references import check_no_reference, escape, plain
from opsboard.board.writing import Bare

# How deep the key json stands in a file.
_STANDS_AT = 7
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = frozenset({"null", "true", "false"})
_LONGEST_NUMBER = 60


class Json:
    """Any value that JSON has. Numbers are kept as they are written."""

    def __init__(self, longest: int) -> None:
        self.longest = longest

    def read(self, node: Node, errors: Errors) -> str | None:
        text = _json_of(node, errors)
        if len(text) > self.longest:
            errors.append(node.wrong(f"At most {self.longest:,} characters go here."))
            return None
        return text

    def write(self, value: str) -> Any:
        return yaml_value_of(value)

    def schema(self) -> Schema:
        return {}

    @property
    def words(self) -> str:
        return f"any value, at most {self.longest:,} characters as JSON"


def _json_of(node: Node, errors: Errors) -> str:
    if isinstance(node, MappingNode):
        pairs = (
            f"{_quoted(_plain(node.keys[name], errors))}: {_json_of(value, errors)}"
            for name, value in node.values.items()
        )
        return "{" + ", ".join(pairs) + "}"
    if isinstance(node, Sequence):
        return "[" + ", ".join(_json_of(item, errors) for item in node.items) + "]"
    return _json_of_scalar(cast("Scalar", node), errors)


def _json_of_scalar(node: Scalar, errors: Errors) -> str:
    if node.style is None:
        if node.text in _WORDS or _is_number(node.text):
            return node.text
        if node.is_empty:
            return "null"
        if node.tag != "str":
            errors.append(node.wrong(quote_it(node.text)))
    return _quoted(_plain(node, errors))


def _plain(node: Scalar, errors: Errors) -> str:
    if wrong := check_no_reference(node.text):
        errors.append(node.wrong(wrong))
    return plain(node.text)


def _is_number(text: str) -> bool:
    return len(text) <= _LONGEST_NUMBER and bool(_NUMBER.fullmatch(text))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


class _NotAsYaml(Exception):
    """This JSON text would not come back from YAML as it is."""


def is_json_for_yaml(body: str, *, deeper: int = 0) -> bool:
    """Whether the key json can hold `body` so that the same text is sent.

    `deeper`: by how much the key stands deeper in the file than that of a path.
    """
    try:
        return _text_of(_loads(body), _STANDS_AT + deeper) == body
    except (ValueError, RecursionError, _NotAsYaml):
        return False


def yaml_value_of(body: str) -> Any:
    """What the writer takes. `body` passed is_json_for_yaml."""
    return _escaped(_loads(body))


def _loads(body: str) -> Any:
    return json.loads(
        body,
        object_pairs_hook=_object,
        parse_int=Bare,
        parse_float=Bare,
        parse_constant=_refuse,
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs) or any(2 * len(name) > LONGEST_KEY for name in read):
        raise _NotAsYaml
    return read


def _refuse(_: str) -> NoReturn:
    raise _NotAsYaml


def _text_of(value: Any, depth: int) -> str:
    if depth > DEEPEST:
        raise _NotAsYaml
    if isinstance(value, dict):
        pairs = (f"{_quoted(name)}: {_text_of(each, depth + 1)}" for name, each in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_text_of(each, depth + 1) for each in value) + "]"
    if isinstance(value, Bare):
        return str(value) if _is_number(value) else ""
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {escape(name): _escaped(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_escaped(each) for each in value]
    return escape(value) if isinstance(value, str) and not isinstance(value, Bare) else value
