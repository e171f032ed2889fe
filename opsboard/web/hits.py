"""A place where words stand in what is kept, and a page's worth of such places."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Of each kind so many are shown; the others are counted.
SHOWN = 20
AROUND = 60

# A place where words can stand, and what stands there.
type Text = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Hit:
    name: str
    # What it belongs to; "" for what stands alone.
    of: str
    url: str
    # Where the words stand: "name", "route", "tag".
    place: str
    # The text there, cut around the words: before, the words, after.
    before: str
    match: str
    after: str


@dataclass(frozen=True, slots=True)
class Kind:
    words: str
    hits: list[Hit]
    # How many there are in all.
    count: int

    @property
    def more(self) -> int:
        return self.count - len(self.hits)


def kind(words: str, hits: Sequence[Hit], count: int | None = None) -> Kind:
    return Kind(words, list(hits[:SHOWN]), len(hits) if count is None else count)


def find_in(texts: Iterable[Text], wanted: str) -> Text | None:
    """The first text that holds `wanted`; None: none does."""
    low = wanted.lower()
    return next((text for text in texts if low in text[1].lower()), None)


def hit(name: str, of: str, url: str, texts: Iterable[Text], wanted: str) -> Hit:
    """`wanted` stands in one of `texts`."""
    place, text = find_in(texts, wanted) or ("", "")
    at = text.lower().find(wanted.lower())
    start, end = max(0, at - AROUND), at + len(wanted)
    return Hit(
        name=name,
        of=of,
        url=url,
        place=place,
        before=("…" if start else "") + text[start:at],
        match=text[at:end],
        after=text[end : end + AROUND] + ("…" if len(text) > end + AROUND else ""),
    )
