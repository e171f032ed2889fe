"""Writing a record: one tree of facts as JSON and as Markdown, the same content. Pure.

The same facts give the same bytes, and so the same SHA-256. What people wrote cannot break out of
its place: one line is escaped, code stands in a span, several lines stand in a fence.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

type Fact = str | int | float | bool | Sequence["Fact"] | Mapping[str, "Fact"] | None
type Facts = Mapping[str, Fact]

NOT_RECORDED = "not recorded"
# Shown as code: what is copied, or compared sign by sign.
CODE = frozenset({"command", "commit", "run", "route", "tag", "commands", "slow_query_or_command"})
# What an item of a list is called by, the first that it has.
NAMES = ("name", "title", "gate", "gates", "do", "kind", "act")

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&$=:^\"'])")
# They end a line, or turn the rest of it around.
_BREAKS = re.compile("\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TICKS = re.compile("`+")
_HTTP = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9._~:/?#@%&+,;=-]*")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")


def write_json(facts: Facts) -> bytes:
    return (json.dumps(facts, ensure_ascii=False, indent=2) + "\n").encode()


def write_markdown(facts: Facts) -> bytes:
    """`facts` has "title" and "as_of"; every other key is a section."""
    lines = [f"# {escape(str(facts['title']))}", "", f"As of {facts['as_of']}."]
    for key, value in facts.items():
        if key not in ("title", "as_of"):
            lines += ["", f"## {_label(key)}", "", *_section(key, value)]
    return ("\n".join(line.rstrip() for line in lines) + "\n").encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def moment(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with a Z: the same moment is always the same text."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None


def minutes(begin: datetime | None, end: datetime | None) -> float | None:
    """To a tenth, rounded down; None while it has not come."""
    if begin is None or end is None:
        return None
    return max(end - begin, timedelta()) // timedelta(seconds=6) / 10


# Markdown ----------------------------------------------------------------------------------


def escape(text: str) -> str:
    """One line that reads as it was written, whatever signs are in it."""
    return _SPECIAL.sub(r"\\\1", _visible(_BREAKS.sub(" ", text)))


def code(text: str) -> str:
    """A span whose ticks are more than any in the text."""
    shown = _visible(text)
    fence = "`" * (_most_ticks(shown) + 1)
    pad = " " if shown[:1] in ("`", " ") or shown[-1:] in ("`", " ") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def _visible(text: str) -> str:
    return _UNSEEN.sub("\ufffd", text)


def _most_ticks(text: str) -> int:
    return max((len(run) for run in _TICKS.findall(text)), default=0)


def _label(key: str) -> str:
    words = key.replace("_", " ")
    return escape(words[:1].upper() + words[1:])


def _section(key: str, value: Fact) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        yield from _fields(value, 0)
    elif _is_many(value):
        yield from _items(key, value, 0)
    else:
        yield from _text(key, value, "", 0)


def _fields(facts: Facts, depth: int) -> Iterator[str]:
    """A list of labels and values, each nested part two signs further in."""
    for key, value in facts.items():
        head = f"{'  ' * depth}- **{_label(key)}**:"
        if isinstance(value, Mapping) and value:
            yield head
            yield from _fields(value, depth + 1)
        elif _is_many(value):
            yield head
            yield from _items(key, value, depth + 1)
        else:
            yield from _text(key, value, head, depth + 1)


def _items(key: str, items: object, depth: int) -> Iterator[str]:
    for item in items if isinstance(items, Sequence) else ():
        head = f"{'  ' * depth}-"
        if isinstance(item, Mapping):
            yield f"{head} {_name_of(item)}"
            yield from _fields(item, depth + 1)
        else:
            yield from _text(key, item, head, depth + 1)


def _name_of(item: Facts) -> str:
    name = next((item[key] for key in NAMES if isinstance(item.get(key), str)), "")
    return f"**{escape(str(name))}**" if name else "**One**"


def _text(key: str, value: Fact, head: str, depth: int) -> Iterator[str]:
    """What stands behind a label: on its line, or below it in a fence."""
    text = _plain(value)
    if not _BREAKS.search(text):
        yield (
            f"{head} {_inline(key, value, text)}".strip()
            if not head
            else (f"{head} {_inline(key, value, text)}")
        )
        return
    indent = "  " * depth
    fence = "`" * max(3, _most_ticks(text) + 1)
    yield head
    yield ""
    yield f"{indent}{fence}text"
    yield from (f"{indent}{_visible(line)}" for line in _BREAKS.split(text))
    yield f"{indent}{fence}"
    yield ""


def _inline(key: str, value: Fact, text: str) -> str:
    if not isinstance(value, str) or _MOMENT.fullmatch(text):
        return text
    if key == "url" and _HTTP.fullmatch(text):
        return f"<{text}>"
    return code(text) if key in CODE and text else escape(text) or "none"


def _plain(value: Fact) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (Mapping, Sequence)) and not isinstance(value, str):
        return "none"
    return str(value)


def _is_many(value: Fact) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str) and bool(value)
