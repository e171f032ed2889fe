"""Text that people wrote, with Markdown, as HTML that can do nothing but be read."""

from functools import cache, lru_cache
from typing import Any

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {"a", "blockquote", "br", "code", "em", "li", "ol", "p", "pre", "strong", "ul"}
# Within a line.
INLINE = {"a", "code", "em", "strong"}

# What takes long to read, and nobody writes, is shown as typed: so many signs that may be marks,
# and so many lines, each of which may begin a list. At either limit it takes about 75 ms.
MARKS = "[]*_`<!"
MOST_MARKS = 2_000
MOST_LINES = 2_000
# What stands in these at such a depth the parser leaves out, and says nothing.
CONTAINERS = {"list_item_open", "blockquote_open"}
TOO_DEEP = 19


@cache
def _parser() -> MarkdownIt:
    # A heading of theirs would stand among those of the page; an image would call its far side.
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True})
    return parser.disable(["heading", "lheading", "image", "hr"])


# The same few texts are read again and again, and a poll reads them all.
@lru_cache(maxsize=1024)
def render(text: str) -> SafeString:
    html = None if _has_too_many(text) else _read(text)
    if html is None:
        return format_html('<div class="prose"><pre>{}</pre></div>', text)
    return mark_safe(f'<div class="prose">{_clean(html, TAGS)}</div>')


def _has_too_many(text: str) -> bool:
    return sum(map(text.count, MARKS)) > MOST_MARKS or text.count("\n") > MOST_LINES


def _read(text: str) -> str | None:
    """None: something of it is nested too deep to be read."""
    parser = _parser()
    known: dict[str, Any] = {}
    tokens = parser.parse(text, known)
    if any(token.level >= TOO_DEEP and token.type in CONTAINERS for token in tokens):
        return None
    html: str = parser.renderer.render(tokens, parser.options, known)
    return html


@lru_cache(maxsize=1024)
def render_line(text: str) -> SafeString:
    """One line, as a step of a rollback note: marks within it, no paragraphs or lists."""
    if sum(map(text.count, MARKS)) > MOST_MARKS:
        return format_html("{}", text)
    return mark_safe(_clean(_parser().renderInline(text), INLINE))


def _clean(html: str, tags: set[str]) -> str:
    return nh3.clean(
        html,
        tags=tags,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
