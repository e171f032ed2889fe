"""The kinds of values a board file has. Each reads, writes and describes itself.

`read` gives None for what is wrong, and says so; the value is then not used. `write` gives what
`read` would read, as the writer takes it: texts, numbers, lists, maps, Flow and Bare.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from opsboard.board.nodes import Mapping as MappingNode
from opsboard.board.nodes import Node, Scalar, Sequence, inside, quote_it
from opsboard.board.references import check_no_reference, escape, plain
from opsboard.board.sources import Wrong
from opsboard.board.writing import Flow
from opsboard.expectations.grammar import ClauseErrors, parse
from opsboard.expectations.nearest import did_you_mean
from opsboard.expectations.units import exact_duration, parse_duration
from opsboard.services.problems import Problem

type Errors = list[Wrong]
type Schema = dict[str, Any]
# A sentence, or "" when nothing is wrong.
type Check = Callable[[str], str]

_WHOLE = re.compile(r"0|[1-9][0-9]{0,8}")


class Kind(Protocol):
    def read(self, node: Node, errors: Errors) -> Any: ...

    def write(self, value: Any) -> Any: ...

    def schema(self) -> Schema: ...

    @property
    def words(self) -> str:
        """What may be written, with its limits."""
        ...


def what(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "a map"
    return "a list" if isinstance(node, Sequence) else "a single value"


def text_of(node: Node, errors: Errors) -> str | None:
    """The text of a scalar that nobody could take for anything else."""
    if not isinstance(node, Scalar):
        errors.append(
            node.wrong(
                f"Expected a text, found {what(node)}: quote a text that begins with {{ or [."
            )
        )
        return None
    if node.is_empty:
        errors.append(node.wrong("This is empty: write a text, or take the key out."))
        return None
    if node.tag != "str":
        errors.append(node.wrong(quote_it(node.text)))
        return None
    return node.text


def nothing(_: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Text:
    longest: int
    check: Check = nothing
    # Part of a request: ${NAME} is refused, and $${ stands for the letters ${.
    in_request: bool = False
    strip: bool = True
    of_lines: bool = False
    may_be_empty: bool = False
    pattern: str = ""
    about: str = "text"

    def read(self, node: Node, errors: Errors) -> str | None:
        written = text_of(node, errors)
        if written is None:
            return None
        text = written.strip() if self.strip else written
        wrong = self._wrong(text)
        if self.in_request:
            wrong = wrong or check_no_reference(text)
            text = plain(text)
        if wrong := wrong or self.check(text):
            errors.append(node.wrong(wrong))
            return None
        return text

    def _wrong(self, text: str) -> str:
        if not text and not self.may_be_empty:
            return "This is empty: write a text, or take the key out."
        if len(text) > self.longest:
            return f"At most {self.longest:,} characters go here, and these are {len(text):,}."
        return ""

    def write(self, value: str) -> str:
        return escape(value) if self.in_request else value

    def schema(self) -> Schema:
        schema: Schema = {"type": "string", "maxLength": self.longest}
        schema |= {} if self.may_be_empty else {"minLength": 1}
        return schema | ({"pattern": self.pattern} if self.pattern else {})

    @property
    def words(self) -> str:
        lines = " of several lines" if self.of_lines else ""
        return f"{self.about}{lines}, at most {self.longest:,} characters"


@dataclass(frozen=True, slots=True)
class Whole:
    low: int
    high: int

    def read(self, node: Node, errors: Errors) -> int | None:
        if (
            isinstance(node, Scalar)
            and node.style is None
            and _WHOLE.fullmatch(node.text)
            and self.low <= int(node.text) <= self.high
        ):
            return int(node.text)
        errors.append(node.wrong(f"Write a whole number from {self.low:,} to {self.high:,}."))
        return None

    def write(self, value: int) -> int:
        return value

    def schema(self) -> Schema:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}

    @property
    def words(self) -> str:
        return f"whole number from {self.low:,} to {self.high:,}"


@dataclass(frozen=True, slots=True)
class YesOrNo:
    def read(self, node: Node, errors: Errors) -> bool | None:
        if isinstance(node, Scalar) and node.style is None and node.text in ("true", "false"):
            return node.text == "true"
        errors.append(node.wrong("Write true or false."))
        return None

    def write(self, value: bool) -> bool:
        return value

    def schema(self) -> Schema:
        return {"type": "boolean"}

    @property
    def words(self) -> str:
        return "true or false"


@dataclass(frozen=True, slots=True)
class Duration:
    low: int
    high: int

    def read(self, node: Node, errors: Errors) -> int | None:
        written = node.text if isinstance(node, Scalar) else ""
        try:
            duration = parse_duration(written)
        except ValueError as error:
            errors.append(node.wrong(f"{error} It may be {self._range}."))
            return None
        if not self.low <= duration <= self.high:
            errors.append(node.wrong(f"This may be {self._range}."))
            return None
        return duration

    @property
    def _range(self) -> str:
        return f"from {exact_duration(self.low)} to {exact_duration(self.high)}"

    def write(self, value: int) -> str:
        return exact_duration(value)

    def schema(self) -> Schema:
        return {"type": "string", "pattern": r"^\s*[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)\s*$"}

    @property
    def words(self) -> str:
        return f"duration {self._range}"


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts; `in_order` False: which comes first says nothing, and none stands twice."""

    of: Text
    most: int
    in_order: bool = False
    is_flow: bool = True

    def read(self, node: Node, errors: Errors) -> list[str] | None:
        items = items_of(node, self.most, errors)
        if items is None:
            return None
        texts: list[str] = []
        for item in items:
            text = self.of.read(item, errors)
            if text is not None and text in texts:
                errors.append(item.wrong(f"{text[:60]} stands in this list twice."))
            elif text is not None:
                texts.append(text)
        return texts if self.in_order else sorted(texts)

    def write(self, value: list[str]) -> Any:
        written = [self.of.write(one) for one in value]
        return Flow(written) if self.is_flow else written

    def schema(self) -> Schema:
        return {
            "type": ["array", "null"],
            "items": self.of.schema(),
            "maxItems": self.most,
            "uniqueItems": True,
        }

    @property
    def words(self) -> str:
        return f"list of at most {self.most}"


def items_of(node: Node, most: int, errors: Errors) -> list[Node] | None:
    """The items of a list; nothing at all is an empty one."""
    if isinstance(node, Scalar) and node.is_empty:
        return []
    if not isinstance(node, Sequence):
        errors.append(node.wrong(f"Expected a list, found {what(node)}: write [ ] around it."))
        return None
    if len(node.items) > most:
        errors.append(node.items[most].wrong(f"At most {most:,} go here: take some out."))
        return None
    return node.items


@dataclass(frozen=True, slots=True)
class Clauses:
    """The expected result, one clause an item. Kept as lines."""

    longest: int

    def read(self, node: Node, errors: Errors) -> list[str] | None:
        items = items_of(node, 1_000, errors)
        if items is None:
            return None
        lines: list[str] = []
        for item in items:
            line = text_of(item, errors)
            if line is None:
                continue
            if wrong := _wrong_clause(item, line):
                errors.extend(wrong)
            lines.append(line)
        return self._tidied(lines, node, errors)

    def _tidied(self, lines: list[str], node: Node, errors: Errors) -> list[str] | None:
        # As the form does: nothing empty around the whole.
        text = "\n".join(lines).strip()
        if len(text) > self.longest:
            errors.append(node.wrong(f"At most {self.longest:,} characters go here."))
            return None
        return text.split("\n") if text else []

    def write(self, value: list[str]) -> list[str]:
        return value

    def schema(self) -> Schema:
        return {"type": ["array", "null"], "items": {"type": "string"}}

    @property
    def words(self) -> str:
        return "list of clauses, at most 100"


def _wrong_clause(item: Node, line: str) -> list[Wrong]:
    if "\n" in line:
        return [item.wrong("Write one clause an item: this holds several lines.")]
    try:
        parse(line)
    except ClauseErrors as errors:
        return [_inside(item, line, each.column, each.message) for each in errors.errors]
    return []


def _inside(item: Node, line: str, column: int, message: str) -> Wrong:
    """Where in the file a column of a clause is; the beginning of the clause when it is escaped."""
    lines = item.source.text.splitlines()
    written = lines[item.line - 1] if item.line <= len(lines) else ""
    start = written.find(line, item.column - 1)
    at = start + column if start in (item.column - 1, item.column) else item.column
    return Wrong(item.source.path, item.line, at, message)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names with values in the order written: a map, or a list of small maps when a name repeats.

    `check` is given name and value.
    """

    most: int
    value: Text
    check: Callable[[str, str], str]

    def read(self, node: Node, errors: Errors) -> list[list[str]] | None:
        pairs: list[list[str]] = []
        maps = node.items if isinstance(node, Sequence) else [node]
        for each in maps:
            for key, value in entries_of(each, errors):
                if pair := self._pair(key, value, errors):
                    pairs.append(pair)
        if len(pairs) > self.most:
            errors.append(node.wrong(f"At most {self.most} go here; these are {len(pairs)}."))
            return None
        return pairs

    def _pair(self, key: Scalar, value: Node, errors: Errors) -> list[str] | None:
        text = self.value.read(value, errors)
        if text is None:
            return None
        name = key.text.strip()
        if wrong := self.check(name, text):
            errors.append(value.wrong(wrong))
        return [name, text]

    def write(self, value: list[list[str]]) -> Any:
        names = [name for name, _ in value]
        if len(set(names)) == len(names):
            return {name: self.value.write(text) for name, text in value}
        return [{name: self.value.write(text)} for name, text in value]

    def schema(self) -> Schema:
        texts = {"type": "object", "additionalProperties": self.value.schema()}
        return {"anyOf": [texts, {"type": "array", "items": texts}, {"type": "null"}]}

    @property
    def words(self) -> str:
        return f"map of texts, or a list of them where a name repeats, at most {self.most}"


def entries_of(node: Node, errors: Errors) -> list[tuple[Scalar, Node]]:
    """The entries of a map; nothing at all is an empty one."""
    if isinstance(node, Scalar) and node.is_empty:
        return []
    if not isinstance(node, MappingNode):
        errors.append(node.wrong(f"Expected a map of names and values, found {what(node)}."))
        return []
    return [(node.keys[name], value) for name, value in node.values.items()]


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts by name: each a text, a list of texts, or texts by name."""

    most: int
    text: Text
    check: Callable[[str, Any], str]

    def read(self, node: Node, errors: Errors) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        entries = entries_of(node, errors)
        if len(entries) > self.most:
            errors.append(entries[self.most][0].wrong(f"At most {self.most} facts go here."))
        for key, value in entries:
            fact = self._fact(value, errors)
            if fact is None:
                continue
            if wrong := self.check(key.text, fact):
                errors.append(value.wrong(wrong))
            facts[key.text] = fact
        return facts

    def _fact(self, node: Node, errors: Errors) -> Any:
        if isinstance(node, Sequence):
            texts = [self.text.read(item, errors) for item in node.items]
            return [text for text in texts if text is not None]
        if isinstance(node, MappingNode):
            read = {key.text: self.text.read(value, errors) for key, value in entries_of(node, [])}
            return {name: text for name, text in read.items() if text is not None}
        return self.text.read(node, errors)

    def write(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _fact_written(value[name]) for name in sorted(value)}

    def schema(self) -> Schema:
        text = self.text.schema()
        kinds = [text, {"type": "array", "items": text}]
        fact = {"anyOf": [*kinds, {"type": "object", "additionalProperties": text}]}
        return {"type": ["object", "null"], "additionalProperties": fact}

    @property
    def words(self) -> str:
        return f"map of texts, lists of texts or maps of texts, at most {self.most}"


def _fact_written(fact: Any) -> Any:
    return {name: fact[name] for name in sorted(fact)} if isinstance(fact, dict) else fact


class _Required:
    def __repr__(self) -> str:
        return "required"


REQUIRED = _Required()
# Left out of a file, it stays as it is on the board.
AS_IT_IS = None


@dataclass(frozen=True, slots=True)
class Key:
    name: str
    kind: Kind
    about: str
    # What a file means that leaves it out. REQUIRED: it may not.
    default: Any = ""
    # The default in words, where it cannot be shown.
    default_words: str = ""

    def when_left_out(self) -> Any:
        """The default; for what may not be left out, which is said elsewhere, something empty."""
        if self.default is REQUIRED:
            return [] if isinstance(self.kind, Several) else ""
        return self.default


def no_problem(_: dict[str, Any], __: frozenset[str]) -> Iterable[Problem]:
    return ()


@dataclass(frozen=True, slots=True)
class Shape:
    """A map with known keys."""

    name: str
    keys: tuple[Key, ...]
    # What is wrong beyond single values, and which keys are wrong already: see `_check`.
    check: Callable[[dict[str, Any], frozenset[str]], Iterable[Problem]] = no_problem
    # One of these keys is needed, where none is by itself.
    needs_one_of: tuple[str, ...] = ()
    by_name: dict[str, Key] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {key.name: key for key in self.keys})

    def read(self, node: Node, errors: Errors, at: Node | None = None) -> dict[str, Any]:
        """Values by key, defaults for what is left out or wrong. `at`: what the map is told by."""
        read = {key.name: key.when_left_out() for key in self.keys}
        wrong = set[str]()
        for key, value in entries_of(node, errors):
            already = len(errors)
            known = self.by_name.get(key.text)
            if known is None:
                errors.append(key.wrong(_unknown(key.text, self.name, tuple(self.by_name))))
                continue
            got = known.kind.read(value, errors)
            read[known.name] = known.when_left_out() if got is None else got
            if len(errors) > already:
                wrong.add(known.name)
        self._check_required(node, errors, at or node)
        self._check(node, read, frozenset(wrong), errors, at or node)
        return read

    def _check(
        self,
        node: Node,
        read: dict[str, Any],
        wrong: frozenset[str],
        errors: Errors,
        at: Node,
    ) -> None:
        """What is wrong of the whole; nothing more is said of a key that is wrong already."""
        for problem in self.check(read, wrong):
            if not problem.at:
                errors.append(at.wrong(problem.sentence))
            elif problem.at[0] not in wrong:
                errors.append(_wrong_at(node, problem))

    def _check_required(self, node: Node, errors: Errors, at: Node) -> None:
        there = node.values if isinstance(node, MappingNode) else {}
        errors.extend(
            at.wrong(f"{self.name[:1].upper()}{self.name[1:]} needs {key.name}: {key.about}")
            for key in self.keys
            if key.default is REQUIRED and key.name not in there
        )

    def write(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {
            key.name: key.kind.write(value[key.name])
            for key in self.keys
            if key.name in value and value[key.name] != key.default
        }

    def schema(self) -> Schema:
        required = [key.name for key in self.keys if key.default is REQUIRED]
        return {
            "type": "object" if required or self.needs_one_of else ["object", "null"],
            "additionalProperties": False,
            "properties": {
                key.name: {"description": key.about} | key.kind.schema() for key in self.keys
            },
            **({"required": required} if required else {}),
            **self._schema_of_needs(),
        }

    def _schema_of_needs(self) -> Schema:
        any_of = [{"required": [name]} for name in self.needs_one_of]
        return {"anyOf": any_of} if any_of else {}

    @property
    def words(self) -> str:
        return f"map, see {self.name}"


def _wrong_at(node: Node, problem: Problem) -> Wrong:
    """Where a problem stands: as near to it as the file goes."""
    found, whole = node, True
    for step in problem.at:
        below = inside(found, step)
        if below is None:
            whole = False
            break
        found = below
    if whole and problem.column and isinstance(found, Scalar):
        return _inside(found, found.text, problem.column, problem.sentence)
    return found.wrong(problem.sentence)


def _unknown(word: str, name: str, known: tuple[str, ...]) -> str:
    return f"Unknown key `{word[:60]}` of {name}; {did_you_mean(word, known, {})}"


@dataclass(frozen=True, slots=True)
class ByName:
    """A map from names that people choose to things of one kind."""

    of: Any
    check: Check
    longest: int
    pattern: str
    most: int = 10_000

    def read(self, node: Node, errors: Errors) -> dict[str, Any]:
        things: dict[str, Any] = {}
        entries = entries_of(node, errors)
        if len(entries) > self.most:
            errors.append(entries[self.most][0].wrong(f"At most {self.most:,} go here."))
        for key, value in entries[: self.most]:
            if wrong := self._wrong(key.text):
                errors.append(key.wrong(wrong))
            is_shape = isinstance(self.of, Shape)
            got = self.of.read(value, errors, key) if is_shape else self.of.read(value, errors)
            if got is not None:
                things[key.text] = got
        return things

    def _wrong(self, name: str) -> str:
        if len(name) > self.longest:
            return f"A name here has at most {self.longest} characters."
        return self.check(name)

    def write(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self.of.write(value[name]) for name in sorted(value)}

    def schema(self) -> Schema:
        return {
            "type": ["object", "null"],
            "propertyNames": {"pattern": self.pattern, "maxLength": self.longest},
            "additionalProperties": self.of.schema(),
        }

    @property
    def words(self) -> str:
        things = f" of {self.of.name}" if isinstance(self.of, Shape) else ""
        return f"map{things} by name"


@dataclass(frozen=True, slots=True)
class Several:
    """A list of maps of one shape."""

    of: Shape
    most: int

    def read(self, node: Node, errors: Errors) -> list[dict[str, Any]] | None:
        items = items_of(node, self.most, errors)
        return None if items is None else [self.of.read(item, errors) for item in items]

    def write(self, value: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [self.of.write(one) for one in value]

    def schema(self) -> Schema:
        return {"type": "array", "items": self.of.schema(), "maxItems": self.most}

    @property
    def words(self) -> str:
        return f"list of {self.of.name}, at most {self.most}"
