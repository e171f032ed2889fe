"""Files of samples on this machine, read a line at a time."""

from collections.abc import Iterator
from pathlib import Path

from opsboard.changes.files import LONGEST_ROW, UnreadableFileError
from opsboard.changes.rules.reading import both_sides
from opsboard.changes.rules.samples import Samples


def sides_of(name: str) -> tuple[Samples, Samples]:
    """Raises UnreadableFileError, whose sentence begins with the file."""
    try:
        return both_sides(_lines(name))
    except OSError as wrong:
        raise UnreadableFileError(f"{name}: {wrong.strerror or wrong}.") from None
    except ValueError as wrong:  # A name that can be no file's.
        raise UnreadableFileError(f"{name!r}: {wrong}.") from None
    except UnreadableFileError as wrong:
        raise UnreadableFileError(f"{name}: {wrong}") from None


def _lines(name: str) -> Iterator[str]:
    with Path(name).open("rb") as file:
        number = 0
        # Of a line without an end, only as much as shows that it is none of ours.
        while line := file.readline(4 * LONGEST_ROW):
            number += 1
            try:
                text = line.decode()
            except UnicodeDecodeError:
                raise UnreadableFileError(f"Row {number} is not UTF-8 text.") from None
            yield text
