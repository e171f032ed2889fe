"""Reads what a door answered as its reader does, and finds what came from a text and should not."""

import json
import re
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote_plus, urlsplit

from tests.hostile.texts import ELEMENT

# No template has them; an image only of a badge.
NEVER = {
    *("applet", "audio", "base", "embed", "frame", "iframe", "math", "object", "style", "video"),
    ELEMENT,
}
SCHEMES = {"", "http", "https", "mailto"}
ADDRESSES = ("href", "src", "action", "formaction", "xlink:href", "poster", "background")
NAME = re.compile(r"[a-z][a-z0-9:_-]*")
OURS = re.compile(r"/static/|/badges/[\w.-]+\.svg$")


@dataclass
class Read(HTMLParser):
    """A page: its text, its attributes and its JSON as they are read, and its complaints."""

    html: str
    said: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    _json: bool = False
    # In the lines of the badge: Markdown to copy, tested with it.
    _badge: bool = False

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.close()

    @property
    def text(self) -> str:
        return plain("".join(self.said))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.said.append("\n" if tag in ("br", "p", "li", "td", "div", "dd", "option") else "")
        values = {name: value or "" for name, value in attrs}
        self._badge = self._badge or values.get("id") == "badge"
        if tag in NEVER or len(values) < len(attrs):
            self.wrong.append(f"<{tag} {values}>")
        if tag in ("script", "img", "link") and not self._is_ours(tag, values):
            self.wrong.append(f"<{tag} {values}>")
        for name, value in values.items():
            self._attribute(tag, name, value)
        self._json = values.get("type") == "application/json"

    def _is_ours(self, tag: str, values: dict[str, str]) -> bool:
        if tag == "script" and values.get("type") == "application/json":
            return "src" not in values
        return bool(OURS.match(values.get("src") or values.get("href") or ""))

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on") or name == "style" or not NAME.fullmatch(name) or ELEMENT in name:
            self.wrong.append(f"<{tag} {name}={value!r}>")
        if name in ADDRESSES:
            scheme = urlsplit(value.strip()).scheme.lower()
            if scheme not in SCHEMES or (name != "href" and scheme):
                self.wrong.append(f"<{tag} {name}={value!r}>")
            self.links += [value] if name == "href" else []
        if value.startswith(("/", "?")):
            value = unquote_plus(value)
        self.said.append(f"\n{value}\n" if "QZ" in value.upper() else "")

    def handle_endtag(self, tag: str) -> None:
        self._json, self._badge = False, self._badge and tag != "details"
        self.said.append("\n" if tag in ("p", "li", "td", "th", "div", "dd", "textarea") else "")

    def handle_data(self, data: str) -> None:
        if self._badge:
            return
        self.said += [f"\n{text}\n" for text in leaves(json.loads(data))] if self._json else [data]


def leaves(value: object) -> list[str]:
    """All the texts of a JSON value, keys too."""
    if isinstance(value, dict):
        return [text for pair in value.items() for one in pair for text in leaves(one)]
    if isinstance(value, list):
        return [text for one in value for text in leaves(one)]
    return [value] if isinstance(value, str) else []


def plain(text: str) -> str:
    """White space as one space: a no-break space before a unit is ours, and moves nothing."""
    return re.sub(r"\s+", " ", text)


MARK = re.compile(r"QZ(\d{4})ZQ", re.IGNORECASE)


def misread(text: str, written: dict[str, str], *, as_source: bool = False) -> list[str]:
    """The texts that stand in `text` otherwise than they were written; one may be cut short.

    `as_source`: `text` shows a form for programs as it is, with what escapes signs there.
    """
    unescaped = _unescaped if as_source else str
    wrong = []
    for found in MARK.finditer(text := unescaped(text)):
        if found[1] not in written:
            continue
        expected = plain(unescaped(written[found[1]])).strip().casefold()
        there = text[found.start() : found.start() + len(expected) + 20].casefold()
        if there.startswith(expected):
            continue
        kept = len(found[0])
        while kept < len(expected) and there[kept : kept + 1] == expected[kept]:
            kept += 1
        # In a form for programs half an escape may stand before what was cut off.
        if "…" not in there[kept : kept + (6 if as_source else 1)]:
            wrong.append(f"{expected!r} reads {there!r}")
    return wrong


def _unescaped(text: str) -> str:
    """Without what JSON, Markdown, Adaptive Cards and Slack put before or in the place of signs."""
    text = unescape(unescape(re.sub(r"\\+(?![A-Za-z0-9\s])|\u2060", "", text))).replace(
        "\x1b", "\\u001b"
    )
    return text.replace("|", "/").replace("`", "\u02cb")
