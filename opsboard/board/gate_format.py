"""The part of a board file that says when a release is ready: config keys, and gates."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsboard.board.kinds import ByName, Duration, Errors, Key, Schema, Shape, Text, entries_of
from opsboard.board.nodes import Mapping as MappingNode
from opsboard.board.nodes import Node, Scalar
from opsboard.releases.choosing import (
    LONGEST_GATE,
    LONGEST_LASTS,
    LONGEST_WORDS,
    MOST_OWN,
    SHORTEST_LASTS,
    check_choice,
)
from opsboard.releases.rules import GATES as KNOWN_GATES
from opsboard.releases.rules import NEEDS
from opsboard.services.config_keys import (
    LONGEST_KEY,
    LONGEST_RULE,
    MOST_KEYS,
    check_key,
    check_rules,
)
from opsboard.services.models import SECOND, ConfigKey
from opsboard.services.rules import check_name

_SLUG = "^[a-z0-9]+(-[a-z0-9]+)*$"


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a few words, or of a few numbers."""

    known: tuple[str | int, ...]

    def read(self, node: Node, errors: Errors) -> str | int | None:
        written = node.text if isinstance(node, Scalar) else ""
        for one in self.known:
            if written == str(one):
                return one
        errors.append(node.wrong(f"Write one of {self._listed}."))
        return None

    @property
    def _listed(self) -> str:
        return ", ".join(map(str, self.known))

    def write(self, value: str | int) -> str | int:
        return value

    def schema(self) -> Schema:
        return {"enum": list(self.known)}

    @property
    def words(self) -> str:
        return f"one of {self._listed}"


def _rule(about: str) -> Text:
    return Text(LONGEST_RULE, lambda text: check_name(text, LONGEST_RULE), strip=False, about=about)


CONFIG_KEY = Shape(
    "config key",
    (
        Key("is", OneOf(tuple(ConfigKey.Presence.values)), "Whether it is there.", "set"),
        Key(
            "across",
            OneOf(tuple(ConfigKey.Across.values)),
            "Whether its value is the same in all environments, or another in each.",
            "",
            "either",
        ),
        Key("equals", _rule("text"), "What its value must be. Never a secret.", "", "anything"),
        Key("matches", _rule("pattern"), "What its value must match.", "", "anything"),
    ),
)


@dataclass(frozen=True, slots=True)
class ConfigKeys:
    """Config keys by name, each judged with its rules."""

    of: ByName

    def read(self, node: Node, errors: Errors) -> dict[str, Any]:
        keys = self.of.read(node, errors)
        for key, value in entries_of(node, []):
            rules = keys.get(key.text)
            wrong = check_rules(key.text, rules) if rules else {}
            for rule, sentence in wrong.items():
                at = value.values.get(rule, value) if isinstance(value, MappingNode) else value
                errors.append(at.wrong(sentence))
        return keys

    def write(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return self.of.write(value)

    def schema(self) -> Schema:
        return self.of.schema()

    @property
    def words(self) -> str:
        return f"{self.of.words}, at most {self.of.most}"


CONFIG = ConfigKeys(
    ByName(CONFIG_KEY, check_key, LONGEST_KEY, "^[A-Za-z_][A-Za-z0-9_.-]*$", MOST_KEYS)
)

GATE = Shape(
    "gate",
    (
        Key("need", OneOf(NEEDS), "What a release needs of it.", "required"),
        Key(
            "words",
            Text(LONGEST_WORDS, lambda text: check_name(text, LONGEST_WORDS), about="one line"),
            "What a gate of your own is called.",
        ),
        Key(
            "lasts",
            Duration(SHORTEST_LASTS * SECOND, LONGEST_LASTS * SECOND),
            "How long an answer to it lasts, in whole seconds.",
            None,
            "as the gate has it",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class GateKind:
    """A need as a word, or a map with more. Kept as opsboard.releases.choosing has a choice."""

    def read(self, node: Node, errors: Errors) -> dict[str, Any] | None:
        if not isinstance(node, MappingNode):
            need = OneOf(NEEDS).read(node, errors)
            return None if need is None else {"need": need, "words": "", "lasts": None}
        choice = GATE.read(node, errors)
        if choice["lasts"] is not None:
            choice["lasts"] //= SECOND
        return choice

    def write(self, value: Mapping[str, Any]) -> Any:
        if not value["words"] and value["lasts"] is None:
            return value["need"]
        lasts = None if value["lasts"] is None else value["lasts"] * SECOND
        return GATE.write({**value, "lasts": lasts})

    def schema(self) -> Schema:
        return {"anyOf": [OneOf(NEEDS).schema(), GATE.schema()]}

    @property
    def words(self) -> str:
        return f"{OneOf(NEEDS).words}, or a map, see gate"


def _check_gate(gate: str) -> str:
    usual = {"need": "required", "words": "", "lasts": None}
    return check_choice(gate, usual, known={gate: ""}).get("gate", "")


@dataclass(frozen=True, slots=True)
class Gates:
    """Choices by gate. Whether their words fit is known when the team is: see checking."""

    of: ByName

    def read(self, node: Node, errors: Errors) -> dict[str, Any]:
        choices = self.of.read(node, errors)
        for key, value in entries_of(node, []):
            choice = choices.get(key.text)
            wrong = check_choice(key.text, choice, known={key.text: ""}) if choice else {}
            for part, sentence in wrong.items():
                if part in ("need", "lasts"):
                    at = value.values.get(part, value) if isinstance(value, MappingNode) else value
                    errors.append(at.wrong(sentence))
        return choices

    def write(self, value: Mapping[str, Any]) -> dict[str, Any]:
        return self.of.write(value)

    def schema(self) -> Schema:
        return self.of.schema()

    @property
    def words(self) -> str:
        return f"map by gate: {GateKind().words}"


GATES = Gates(ByName(GateKind(), _check_gate, LONGEST_GATE, _SLUG, len(KNOWN_GATES) + MOST_OWN))
