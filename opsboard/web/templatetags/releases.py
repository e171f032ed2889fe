"""The marks of releases: a gate, its pips, the verdict."""

from collections.abc import Sequence
from functools import lru_cache

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from opsboard.web.release_words import Look, Pip, Verdict

register = template.Library()


# There are few verdicts and few rows of marks, and a list shows them fifty times.
@register.simple_tag
@lru_cache(maxsize=64)
def verdict(value: Verdict, size: str = "") -> SafeString:
    """Mark and word; nothing else looks like a verdict. `size`: "big"."""
    return format_html(
        '<span class="verdict st-{0}{1}"><svg class="gl" aria-hidden="true">'
        '<use href="#g-{2}"/></svg>{3}</span>',
        value.css,
        " verdict-big" if size == "big" else "",
        value.mark,
        value.words,
    )


@register.simple_tag
def gate_mark(look: Look) -> SafeString:
    return format_html(
        '<svg class="gl {}" aria-hidden="true"><use href="#g-{}"/></svg>', look.gate, look.mark
    )


@register.simple_tag
def pips(marks: Sequence[Pip]) -> SafeString:
    """One mark a gate, always in the same order. The words beside it say how many are met."""
    return _drawn(tuple(pip.look for pip in marks))


@lru_cache(maxsize=512)
def _drawn(looks: tuple[Look, ...]) -> SafeString:
    drawn = format_html_join(
        "",
        '<svg class="{}" aria-hidden="true"><use href="#g-{}"/></svg>',
        ((look.gate, look.mark) for look in looks),
    )
    return format_html('<span class="pips" aria-hidden="true">{}</span>', drawn)
