"""Text that people wrote, with Markdown, as HTML that can do nothing but be read."""

from functools import cache

import nh3
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

TAGS = {"a", "blockquote", "br", "code", "em", "li", "ol", "p", "pre", "strong", "ul"}
# Within a line.
INLINE = {"a", "code", "em", "strong"}

# To read 30,000 of these takes a second, and nobody writes so many: such a text is shown as typed.
MARKS = "[]*_`<!"
MOST_MARKS = 4_000


@cache
def _parser() -> MarkdownIt:
    # A heading of theirs would stand among those of the page; an image would call its far side.
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True})
    return parser.disable(["heading", "lheading", "image", "hr"])


def render(text: str) -> SafeString:
    if sum(map(text.count, MARKS)) > MOST_MARKS:
        return format_html('<div class="prose"><pre>{}</pre></div>', text)
    return mark_safe(f'<div class="prose">{_clean(_parser().render(text), TAGS)}</div>')


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
