"""From the text of a file to a tree that knows its places, without making anything of it.

Size and depth are bounded on the stream of events, before there is a tree. Anchors, aliases, tags
and merge keys are refused: one way to write a thing, and nothing that unfolds into more than is
there. Duplicate keys are refused with both places.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from opsboard.board.sources import Source, Wrong

DEEPEST = 20
LONGEST_KEY = 1_000
_NO_KEY = "A key is a text. Quote a value that begins with { or [, as in {{ NAME }}."
_SURROGATE = re.compile("[\ud800-\udfff]")
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True, eq=False)
class Node:
    source: Source
    line: int
    column: int

    def wrong(self, sentence: str) -> Wrong:
        return Wrong(self.source.path, self.line, self.column, sentence)


@dataclass(slots=True, eq=False)
class Scalar(Node):
    text: str
    # None: plain. Else the sign that begins it: ' " | or >
    style: str | None

    @property
    def tag(self) -> str:
        """What other readers of YAML would take a plain one for: "str", "bool", "int", "null"…"""
        return plain_tag(self.text) if self.style is None else "str"

    @property
    def is_empty(self) -> bool:
        return self.tag == "null"


@dataclass(slots=True, eq=False)
class Sequence(Node):
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Mapping(Node):
    # Keys stand for their own places.
    keys: dict[str, Scalar] = field(default_factory=dict)
    values: dict[str, Node] = field(default_factory=dict)


def inside(node: Node | None, step: str | int) -> Node | None:
    if isinstance(node, Mapping) and isinstance(step, str):
        return node.values.get(step)
    if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
        return node.items[step]
    return None


class _Unreadable(Exception):
    def __init__(self, wrong: Wrong) -> None:
        self.wrong = wrong


def plain_tag(text: str) -> str:
    """What YAML 1.1 takes a plain scalar for: many readers do, and a person cannot know which."""
    resolvers: Any = yaml.SafeLoader.yaml_implicit_resolvers
    for tag, pattern in (*resolvers.get(text[:1], ()), *resolvers.get(None, ())):
        if pattern.match(text):
            return str(tag).rpartition(":")[2]
    return "str"


def read_nodes(source: Source, errors: list[Wrong]) -> Node | None:
    """The tree of one file; None when it is empty or cannot be read. Adds what is wrong."""
    try:
        return _Builder(source, errors).document()
    except _Unreadable as unreadable:
        errors.append(unreadable.wrong)
    except yaml.YAMLError as error:
        errors.append(_wrong_yaml(source, error))
    return None


class _Builder:
    def __init__(self, source: Source, errors: list[Wrong]) -> None:
        self.source, self.errors = source, errors
        self.events: Iterator[Any] = yaml.parse(source.text, Loader=LOADER)
        self.depth = 0

    def document(self) -> Node | None:
        root: Node | None = None
        documents = 0
        for event in self.events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._refuse(event, "A file holds one document: take the line --- out.")
            elif isinstance(event, yaml.NodeEvent):
                root = self._node(event)
        return None if isinstance(root, Scalar) and root.is_empty else root

    def _node(self, event: Any) -> Node:
        self._check(event)
        if isinstance(event, yaml.ScalarEvent):
            if _SURROGATE.search(event.value):
                raise self._refuse(event, "This holds half of a character: take the escape out.")
            style = event.style or None
            return Scalar(self.source, *self._place(event), event.value, style)
        self.depth += 1
        if self.depth > DEEPEST:
            raise self._refuse(event, f"This is nested more than {DEEPEST} deep.")
        is_list = isinstance(event, yaml.SequenceStartEvent)
        node = self._sequence(event) if is_list else self._mapping(event)
        self.depth -= 1
        return node

    def _check(self, event: Any) -> None:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            sign = "*" if isinstance(event, yaml.AliasEvent) else "&"
            raise self._refuse(
                event,
                f"Anchors and aliases are not allowed: write {sign}{event.anchor} out, "
                "or quote it.",
            )
        if event.tag is not None:
            raise self._refuse(
                event, "Tags such as !!str are not allowed: quote a value that is a text."
            )

    def _sequence(self, event: Any) -> Sequence:
        node = Sequence(self.source, *self._place(event))
        for each in self.events:
            if isinstance(each, yaml.SequenceEndEvent):
                break
            node.items.append(self._node(each))
        return node

    def _mapping(self, event: Any) -> Mapping:
        node = Mapping(self.source, *self._place(event))
        for each in self.events:
            if isinstance(each, yaml.MappingEndEvent):
                break
            key, value = self._node(each), self._node(next(self.events))
            if isinstance(key, Scalar) and self._is_good(key, node):
                node.keys[key.text], node.values[key.text] = key, value
            elif not isinstance(key, Scalar):
                self.errors.append(key.wrong(_NO_KEY))
        return node

    def _is_good(self, key: Scalar, among: Mapping) -> bool:
        if sentence := _wrong_key(key, among):
            self.errors.append(key.wrong(sentence))
        return not sentence

    def _place(self, event: Any) -> tuple[int, int]:
        return event.start_mark.line + 1, event.start_mark.column + 1

    def _refuse(self, event: Any, sentence: str) -> _Unreadable:
        return _Unreadable(Wrong(self.source.path, *self._place(event), sentence))


def _wrong_key(key: Scalar, among: Mapping) -> str:
    if key.tag == "merge":
        return "Merge keys (<<) are not allowed: write out what is meant."
    if key.tag != "str":
        return "A key is missing before the colon." if not key.text else quote_it(key.text)
    if len(key.text) > LONGEST_KEY:
        return f"A key has at most {LONGEST_KEY:,} characters."
    if first := among.keys.get(key.text):
        return (
            f"`{key.text[:60]}` stands here twice, first in line {first.line}, column "
            f"{first.column}: take one out."
        )
    return ""


def quote_it(text: str) -> str:
    return f'Quote this value: "{text[:60]}". Without quotes, YAML takes it for something else.'


def _wrong_yaml(source: Source, error: yaml.YAMLError) -> Wrong:
    problem = str(getattr(error, "problem", "") or "it cannot be read")
    mark = getattr(error, "problem_mark", None)
    begun = getattr(error, "context_mark", None)
    if begun is not None and "end of stream" in problem:
        # Where a quote was opened: what follows it was swallowed.
        mark, problem = begun, "a quote that is opened here is never closed"
    elif begun is not None and "expected ':'" in problem:
        mark = begun
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return Wrong(source.path, line, column, _yaml_sentence(problem, _sign_at(source, line, column)))


def _sign_at(source: Source, line: int, column: int) -> str:
    lines = source.text.splitlines()
    return lines[line - 1][column - 1 : column] if line <= len(lines) else ""


def _yaml_sentence(problem: str, sign: str) -> str:
    if (
        "\\t" in problem
        or "tab character" in problem
        or ("start any token" in problem and sign == "\t")
    ):
        return "A tab cannot stand here: indent with spaces."
    if "start any token" in problem:
        return f"A value cannot begin with {sign}: quote it."
    for part, sentence in _YAML_SENTENCES.items():
        if part in problem:
            return sentence
    return f"This is not YAML: {problem.rstrip('.')}."


_YAML_SENTENCES = {
    "could not find expected ':'": "Expected ':' after this key.",
    "mapping values are not allowed": "A colon cannot stand here: quote the value, or look at the "
    "indentation.",
    "did not find expected key": "Expected a key here: look at the indentation, and at the line "
    "above.",
    "expected <block end>": "Expected a key here: look at the indentation, and at the line above.",
    "nesting depth": f"This is nested more than {DEEPEST} deep.",
    "escape": "What follows the backslash means nothing: write \\\\ for a backslash, or use single "
    "quotes.",
}
