"""The files of a board: found, read, and refused when they are no text. All that is wrong is said.

A directory stands for its *.yaml and *.yml in order of name. Every file is held against its bounds
before anything is made of it.
"""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

LARGEST_FILE = 10 * 1024 * 1024
MOST_FILES = 2_000
SUFFIXES = (".yaml", ".yml")

# What YAML cannot hold unescaped. Tabs are judged by its grammar: some are allowed.
_UNSEEN = re.compile("[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_UTF_16_AND_32 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    # As it was given, for errors; `name` without the folders above it, for the board.
    path: str
    text: str

    @property
    def name(self) -> str:
        return Path(self.path).name


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing to mend. Line and column count from 1; 0: it is about the file as a whole."""

    path: str
    line: int
    column: int
    sentence: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}:{self.column}" if self.line else self.path
        return f"{place}: {self.sentence}"


def read_sources(paths: Iterable[str]) -> tuple[list[Source], list[Wrong]]:
    sources: list[Source] = []
    errors: list[Wrong] = []
    for path in _files(paths, errors):
        if len(sources) + len(errors) >= MOST_FILES:
            errors.append(Wrong(str(path), 0, 0, f"A board has at most {MOST_FILES:,} files."))
            break
        read = _read(path)
        (sources if isinstance(read, Source) else errors).append(read)  # type: ignore[arg-type]
    return sources, errors


def _files(paths: Iterable[str], errors: list[Wrong]) -> Iterator[Path]:
    for given in paths:
        path = Path(given)
        if not path.is_dir():
            yield path
            continue
        found = [one for one in sorted(path.iterdir()) if _is_board_file(one)]
        if not found:
            errors.append(Wrong(given, 0, 0, "No file in it ends in .yaml or .yml."))
        yield from found


def _is_board_file(path: Path) -> bool:
    return path.suffix in SUFFIXES and not path.name.startswith(".") and path.is_file()


def _read(path: Path) -> Source | Wrong:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as error:
        return Wrong(str(path), 0, 0, f"It cannot be read: {(error.strerror or '').lower()}.")
    if len(content) > LARGEST_FILE:
        return Wrong(str(path), 0, 0, "A file has at most 10 MiB: divide it into several.")
    return decode(str(path), content)


def decode(path: str, content: bytes) -> Source | Wrong:
    """UTF-8, with or without the mark at its beginning, and nothing that cannot be seen."""
    if content.startswith(_UTF_16_AND_32):
        return Wrong(path, 1, 1, "This is UTF-16 or UTF-32: save the file as UTF-8.")
    try:
        text = content.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line, column = _place(content[: error.start].decode(errors="replace"))
        return Wrong(path, line, column, "This is not UTF-8: save the file as UTF-8.")
    if unseen := _UNSEEN.search(text):
        line, column = _place(text[: unseen.start()])
        sign = f"U+{ord(unseen[0]):04X}"
        return Wrong(
            path, line, column, f"The character {sign} cannot be seen: take it out, or escape it."
        )
    return Source(path, text)


def _place(before: str) -> tuple[int, int]:
    lines = re.split("\r\n|[\r\n]", before)
    return len(lines), len(lines[-1]) + 1
