"""Rows of what wants a look: each names one act."""

from collections.abc import Sequence
from dataclasses import dataclass

ROWS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Act:
    words: str
    url: str
    # A form that is sent, and not a page that is opened.
    is_form: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    url: str
    # Where the thing belongs: the service of a path.
    place: str
    why: str
    act: Act


@dataclass(frozen=True, slots=True)
class Section:
    """Rows of one kind, the most pressing first. `note` says how they are chosen."""

    slug: str
    heading: str
    note: str
    rows: Sequence[Row]

    @property
    def shown(self) -> Sequence[Row]:
        return self.rows[:ROWS_SHOWN]

    @property
    def more(self) -> int:
        return len(self.rows) - len(self.shown)
