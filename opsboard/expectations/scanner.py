"""Reads one line from left to right and knows the column it is at."""

import re

from opsboard.expectations.units import SPACE

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]*")
SYMBOL = re.compile(r"[<>=!~]+")
NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
# Cannot be stored, or would break the line wherever the clause is shown.
UNSEEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_SPACES = re.compile(f"[{SPACE}]*")
_WORD = re.compile(f"[^{SPACE}]+")


class LineError(Exception):
    """What is wrong with one line: the column it is about, from 1, and one sentence."""

    def __init__(self, column: int, sentence: str) -> None:
        super().__init__(sentence)
        self.column = column
        self.sentence = sentence


class Cursor:
    def __init__(self, line: str) -> None:
        self.line = line
        self.at = 0

    @property
    def is_done(self) -> bool:
        return self.next_at() >= len(self.line)

    def next_at(self) -> int:
        """Where the next word begins. Moves there."""
        found = _SPACES.match(self.line, self.at)
        self.at = found.end() if found else self.at
        return self.at

    def look(self, pattern: re.Pattern[str]) -> str:
        """What `pattern` finds at the next word, or ""."""
        found = pattern.match(self.line, self.next_at())
        return found[0] if found else ""

    def take(self, pattern: re.Pattern[str]) -> str:
        """Like `look`, and moves behind it."""
        found = self.look(pattern)
        self.at += len(found)
        return found

    def take_word(self, word: str) -> bool:
        """Whether the next name is `word`; if it is, it is taken."""
        is_next = self.look(NAME) == word
        self.at += len(word) * is_next
        return is_next

    def take_mark(self, mark: str) -> bool:
        """Like `take_word`, for signs such as `,` and `%`."""
        is_next = self.line.startswith(mark, self.next_at())
        self.at += len(mark) * is_next
        return is_next

    def next_word(self) -> str:
        """The next word as a message shows it."""
        word = self.look(_WORD)
        if not word:
            return "the end of the line"
        return f"`{word[:40]}…`" if len(word) > 40 else f"`{word}`"

    def error(self, sentence: str, at: int | None = None) -> LineError:
        """What is wrong with what stands at `at`, or else with the next word."""
        return LineError((self.next_at() if at is None else at) + 1, sentence)
