"""What is wrong with a sheet, as plain values: files and forms show each at its own place."""

from dataclasses import dataclass

type At = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence. `at` is where: ("connection", "proxy"), ("steps", 1, "take", "token")."""

    at: At
    sentence: str
    # Within the text that stands there, counted from 1. 0: the whole of it is meant.
    column: int = 0

    def below(self, *at: str | int) -> "Problem":
        return Problem((*at, *self.at), self.sentence, self.column)
