"""What differs between two versions of a rollback note, field by field and line by line. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from opsboard.rollbacks.models import NoteVersion
from opsboard.rollbacks.writing import steps_text


@dataclass(frozen=True, slots=True)
class DiffLine:
    # "same", "del" or "add".
    sign: str
    text: str

    @property
    def spoken(self) -> str:
        """For those who see neither the sign nor the wash."""
        return {"add": "Added: ", "del": "Removed: "}.get(self.sign, "")


@dataclass(frozen=True, slots=True)
class FieldDiff:
    label: str
    lines: list[DiffLine]


def compare_versions(older: NoteVersion, newer: NoteVersion) -> list[FieldDiff]:
    """The fields that differ, in the order of the note; [] when the two say the same."""
    texts = zip(_fields(older), _fields(newer), strict=True)
    return [
        FieldDiff(label, compare_lines(before.splitlines(), after.splitlines()))
        for (label, before), (_, after) in texts
        if before != after
    ]


def _fields(version: NoteVersion) -> list[tuple[str, str]]:
    return [
        ("What it does", version.title),
        ("Use it when", version.use_when),
        ("It does not undo", version.does_not_undo),
        ("Takes about", "not said" if version.minutes is None else f"{version.minutes} min"),
        ("Steps", steps_text(version.steps)),
    ]


def compare_lines(before: Sequence[str], after: Sequence[str]) -> list[DiffLine]:
    """Every line of both: what is the same once, what was removed before what was added."""
    lines: list[DiffLine] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            lines += [DiffLine("same", text) for text in before[start:end]]
            continue
        lines += [DiffLine("del", text) for text in before[start:end]]
        lines += [DiffLine("add", text) for text in after[new_start:new_end]]
    return lines
