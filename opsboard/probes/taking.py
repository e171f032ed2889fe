"""Values that one step of a path takes out of its reply, and where later steps put them.

What was taken is the far side's: it is bounded, put nowhere unescaped, and masked out of all that
is kept, as it may be a token.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from opsboard.expectations import paths
from opsboard.expectations.facts import Facts
from opsboard.expectations.json_body import JsonFraction
from opsboard.expectations.shown import json_value
from opsboard.outbound.targets import BadTargetError, read_target

LONGEST_TAKEN = 4_096
# Shorter ones would be masked out of half of every answer, and protect nothing.
SHORTEST_MASKED = 4
# Texts that are kept are cut: this many characters of a longer value in a row are masked too.
_PIECE = 16

_TAKE = re.compile(r"(json|header)[ \t]+(\S.*)", re.DOTALL)


class Use(StrEnum):
    """Where a taken value goes, and so how it is written."""

    LINE = "a header"
    ADDRESS = "an address"
    # The whole route is the mark: what was taken is an address by itself, such as a Location.
    WHOLE_ADDRESS = "a whole address"
    TEXT = "a body"
    FORM = "a form"
    IN_JSON_TEXT = "a text in JSON"
    JSON_VALUE = "a value in JSON"


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a taken value stands in a text that is otherwise rendered."""

    name: str
    use: Use


# A rendered text, cut where taken values go.
type Text = tuple[str | Slot, ...]


@dataclass(frozen=True, slots=True)
class Take:
    """What a step takes: `json $.token`, or `header Location`."""

    name: str
    fact: str
    argument: str
    # Where later steps put it.
    uses: frozenset[Use] = frozenset()

    @property
    def subject(self) -> str:
        return f"{self.fact} {self.argument}"


@dataclass(frozen=True, slots=True)
class Taken:
    value: str
    # The address that was asked for it: what it may be relative to.
    url: str
    # A number or a boolean, which JSON writes without quotes.
    is_bare: bool = False


class CannotTakeError(Exception):
    """The value is not there, or of no use; the message is a sentence about it without an end."""


class CannotPutError(Exception):
    """A taken value cannot stand where a step puts it; the message says why."""


def read_take(name: str, text: str, uses: Iterable[Use] = ()) -> Take:
    """Raises ValueError with a sentence when `text` is neither a JSON path nor a header."""
    found = _TAKE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{name} is taken by `json $.token` or `header Location`")
    fact, argument = found[1], found[2].strip()
    if fact == "json" and (wrong := paths.refusal(argument)):
        raise ValueError(wrong.rstrip("."))
    return Take(name, fact, argument, frozenset(uses))


def take(wanted: Take, facts: Facts, url: str) -> Taken:
    """The value `wanted` names in a whole reply to `url`. Raises CannotTakeError."""
    value, is_bare = _read(wanted, facts)
    if why := _unusable(value, wanted.uses):
        raise CannotTakeError(f"{wanted.name} was not taken: {wanted.subject} {why}")
    return Taken(value, url, is_bare)


def _read(wanted: Take, facts: Facts) -> tuple[str, bool]:
    values = _in_json(wanted, facts) if wanted.fact == "json" else _in_headers(wanted, facts)
    if len(values) != 1:
        found = "is not there" if not values else f"is there {len(values):,} times"
        raise CannotTakeError(f"{wanted.name} was not taken: {wanted.subject} {found}")
    match values[0]:
        case str() as text:
            return text, False
        case bool() as truth:
            return str(truth).lower(), True
        case JsonFraction() as number:
            return str(number.exact), True
        case int() as number:
            return str(number), True
    what = json_value(values[0])
    raise CannotTakeError(f"{wanted.name} was not taken: {wanted.subject} is {what}")


def _in_json(wanted: Take, facts: Facts) -> list[object]:
    if facts.json.problem:
        problem = f"the body is not JSON, {facts.json.problem}"
        raise CannotTakeError(f"{wanted.name} was not taken: {problem}")
    try:
        return paths.select(wanted.argument, facts.json.document)
    except paths.TooManyStepsError:
        many = f"the path visits more than {paths.MOST_STEPS:,} values"
        raise CannotTakeError(f"{wanted.name} was not taken: {many}") from None


def _in_headers(wanted: Take, facts: Facts) -> list[object]:
    lower = wanted.argument.lower()
    return [value for name, value in facts.reply.headers if name.lower() == lower]


def _unusable(value: str, uses: frozenset[Use]) -> str:
    if not value:
        return "is empty"
    if len(value) > LONGEST_TAKEN:
        return f"is longer than {LONGEST_TAKEN:,} characters"
    in_a_line = uses & {Use.LINE, Use.ADDRESS, Use.WHOLE_ADDRESS}
    if in_a_line and any(unicodedata.category(sign) in ("Cc", "Cs") for sign in value):
        return "holds a control character, which no header and no address may carry"
    if Use.LINE in uses and not value.isascii():
        return "holds letters outside ASCII, which no header may carry"
    return ""


# Putting ------------------------------------------------------------------------------------


def names_of(*texts: Text) -> frozenset[str]:
    return frozenset(part.name for text in texts for part in text if isinstance(part, Slot))


def fill(text: Text, taken: Mapping[str, Taken]) -> str:
    """The text with what was taken in its places. Raises CannotPutError."""
    return "".join(
        part if isinstance(part, str) else _written(part, taken[part.name]) for part in text
    )


def fill_address(text: Text, taken: Mapping[str, Taken]) -> str:
    """Like `fill`, where a query may follow an address that was taken whole, with its own."""
    first, *rest = text
    query = fill(tuple(rest), taken)
    address = fill((first,), taken)
    if isinstance(first, Slot) and first.use is Use.WHOLE_ADDRESS and query and "?" in address:
        query = f"&{query[1:]}"
    return address + query


def _written(slot: Slot, taken: Taken) -> str:
    match slot.use:
        case Use.ADDRESS | Use.FORM:
            return quote(taken.value, safe="")
        case Use.WHOLE_ADDRESS:
            return _same_site(slot.name, taken)
        case Use.IN_JSON_TEXT:
            return json.dumps(taken.value)[1:-1]
        case Use.JSON_VALUE:
            return taken.value if taken.is_bare else json.dumps(taken.value)
    return taken.value


def _same_site(name: str, taken: Taken) -> str:
    """What was taken as an address: of the site it came from, or the sheet's headers would go
    wherever the far side likes."""
    try:
        target = read_target(taken.value.encode(), taken.url)
    except (BadTargetError, ValueError):
        raise CannotPutError(f"{name} is not an address that can be asked") from None
    if target.origin != read_target(taken.url.encode()).origin:
        raise CannotPutError(f"{name} leads to another site, where the headers must not go")
    return target.url


# Masking ------------------------------------------------------------------------------------


def mask(text: str, taken: Mapping[str, Taken]) -> str:
    """`text`, which may have been cut, with the name of a taken value where that stood."""
    for name, value in _masked(taken):
        for written in _ways(value):
            text = text.replace(written, f"[{name}]")
        if len(value) > _PIECE:
            text = _without_pieces(text, value, f"[{name}]")
    return text


def mask_whole(body: bytes, taken: Mapping[str, Taken]) -> bytes:
    """A whole body with stars in the place of taken values: its size is what was measured."""
    for _, value in _masked(taken):
        for written in _ways(value):
            raw = written.encode(errors="replace")
            body = body.replace(raw, b"*" * len(raw))
    return body


def _masked(taken: Mapping[str, Taken]) -> list[tuple[str, str]]:
    """Longest first: one may be a part of another."""
    values = [
        (name, one.value)
        for name, one in taken.items()
        if len(one.value) >= SHORTEST_MASKED and one.value not in ("true", "false")
    ]
    return sorted(values, key=lambda pair: -len(pair[1]))


def _ways(value: str) -> set[str]:
    escaped = json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]
    return {value, quote(value, safe=""), *escaped}


def _without_pieces(text: str, value: str, instead: str) -> str:
    pieces = {value[at : at + _PIECE] for at in range(len(value) - _PIECE + 1)}
    kept: list[str] = []
    at = 0
    while at < len(text):
        if text[at : at + _PIECE] not in pieces:
            kept.append(text[at])
            at += 1
            continue
        end = at + _PIECE
        while end < len(text) and text[end - _PIECE + 1 : end + 1] in pieces:
            end += 1
        kept.append(instead)
        at = end
    return "".join(kept)
