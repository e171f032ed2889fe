"""A badge as an SVG image: the name, and the state as shape and word. Pure.

It is shown on pages of others, of any colour: it brings its own ground, and white on it is read on
light and on dark. It needs no style, script or font: colours are attributes, and `textLength` keeps
the text in its box whatever font is there.
"""

import unicodedata

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from opsboard.probes.rules import State
from opsboard.web.xml_text import writable

# White on each of them has a contrast of at least 4.5 to 1.
LABEL = "2f3640"
COLOURS = {
    State.PASSING: "11694a",
    State.WARNING: "855000",
    State.FAILING: "b01f15",
    State.NO_DATA: "5d4499",
    State.PAUSED: "505966",
}
# As in templates/_icons.html; {} is the colour under the shape, where something is cut out of it.
_SHAPES = {
    State.PASSING: '<circle cx="7" cy="7" r="4" fill="#fff"/>',
    State.WARNING: '<path d="M7 1.2 13.4 12.6H.6z" fill="#fff"/>'
    '<path d="M7 5v3.6" stroke="#{0}" stroke-width="1.6"/>'
    '<circle cx="7" cy="10.6" r=".95" fill="#{0}"/>',
    State.FAILING: '<rect x=".8" y=".8" width="12.4" height="12.4" rx="1.4" fill="#fff"/>'
    '<path d="m4.2 4.2 5.6 5.6m0-5.6-5.6 5.6" stroke="#{0}" stroke-width="1.8" '
    'stroke-linecap="round"/>',
    State.NO_DATA: '<path d="M7 1.1 12.9 7 7 12.9 1.1 7z" fill="none" stroke="#fff" '
    'stroke-width="1.6"/><circle cx="7" cy="7" r="1.2" fill="#fff"/>',
    State.PAUSED: '<path d="M4.6 2.2v9.6M9.4 2.2v9.6" stroke="#fff" stroke-width="2.6"/>',
}

# Of a name that is longer the rest stands in the title only.
LONGEST_LABEL = 60
# Tenths of a pixel, of Verdana at 11 pixels; most sans serifs are narrower.
_WIDE = 110
_USUAL = 70
_WIDTHS = {
    sign: width
    for width, signs in {
        30: "il'",
        39: "fj ",
        44: "t!.,",
        48: "rIJ-/:;()[]\\|",
        58: "csz\"",
        65: "aekvxyFL?",
        69: "bdghnopquEPTY{}",
        76: "ABCKRSVXZ&",
        84: "DGHNOQU",
        92: "wM#+<=>^~",
        112: "mW@%",
    }.items()
    for sign in signs
}  # fmt: skip

_BADGE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" '
    'viewBox="0 0 {width} 20" role="img" aria-label="{title}"><title>{title}</title>'
    '<rect width="{width}" height="20" rx="3" fill="#{ground}"/>'
    '<path d="M{split} 0h{inner}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H{split}z" fill="#{colour}"/>'
    '<g transform="translate({shape_x} 3)" aria-hidden="true">{shape}</g>'
    '<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11" '
    'aria-hidden="true"><text x="7" y="14" textLength="{label_width}" '
    'lengthAdjust="spacingAndGlyphs">{label}</text>'
    '<text x="{word_x}" y="14" textLength="{word_width}" '
    'lengthAdjust="spacingAndGlyphs">{word}</text></g></svg>\n'
)


def draw(name: str, state: State) -> SafeString:
    full = writable(name)
    label, word, colour = _cut(full), state.words, COLOURS[state]
    label_width, word_width = text_width(label), text_width(word)
    split = label_width + 14
    width = split + 26 + word_width + 7
    return format_html(
        _BADGE,
        width=width,
        title=f"{full}: {word}",
        ground=LABEL,
        split=split,
        inner=width - split - 3,
        colour=colour,
        shape_x=split + 7,
        shape=mark_safe(_SHAPES[state].format(colour)),
        label=label,
        label_width=label_width,
        word_x=split + 26,
        word=word,
        word_width=word_width,
    )


def text_width(text: str) -> int:
    """Whole pixels, rounded up, and never 0: SVG would not draw a text of that length."""
    return max(1, -(-sum(map(_sign_width, text)) // 10))


def _sign_width(sign: str) -> int:
    if sign in _WIDTHS:
        return _WIDTHS[sign]
    if unicodedata.category(sign) in ("Mn", "Me", "Cf"):
        return 0
    return _WIDE if unicodedata.east_asian_width(sign) in "WF" else _USUAL


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else f"{text[: LONGEST_LABEL - 1]}…"
