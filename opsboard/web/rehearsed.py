"""What a note's rehearsals are worth, in the words and with the mark of the pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opsboard.rollbacks.rules import RehearsalState, Rehearsed
from opsboard.rollbacks.saying import rehearsed_words, steps_words
from opsboard.rollbacks.words import Known, names_version, words_of

MARKS = {
    Rehearsed.FRESH: ("met", "pass"),
    Rehearsed.NEVER: ("none", "nodata"),
    Rehearsed.FAILED: ("fail", "fail"),
}


@dataclass(frozen=True, slots=True)
class Word:
    """One thing to know of a note, with its mark and the state whose colour that takes."""

    words: str
    mark: str
    css: str
    # "Tomasz Wilk. All 4 steps worked."; "": there is nothing to add.
    detail: str = ""


def rehearsed_of(state: RehearsalState, *, now: datetime) -> Word:
    mark, css = MARKS.get(state.word, ("old", "warn"))
    seen = state.rehearsal
    detail = ""
    if seen:
        of_release = f" For {seen.release}." if seen.release else ""
        detail = f"{seen.by or 'Somebody unknown'}.{of_release} {steps_words(seen)}"
    return Word(rehearsed_words(state, now=now), mark, css, detail)


def rehearsed_for(state: RehearsalState, known: Known) -> str:
    """Which release it was rehearsed for, where that is not the one that failed."""
    seen = state.rehearsal
    if seen is None or not seen.release or not known.version:
        return ""
    if seen.release == known.version:
        return "For the release that failed."
    return f"For {seen.release}, not for {known.version}, which failed."


def written_for(gone: Sequence[Mapping[str, str]], known: Known) -> Word | None:
    """Whether the steps go back from the release that failed. None: that cannot be told."""
    words = words_of(gone)
    if not known.version:
        return Word("Which release failed is not known", "none", "nodata") if words else None
    if numbers := names_version(gone, known.version):
        steps = "Step" if len(numbers) == 1 else "Steps"
        said = f"{steps} {' and '.join(map(str, numbers))} use"
        said += "s" if len(numbers) == 1 else ""
        return Word(f"{said} {known.version}, the version that failed", "old", "warn")
    is_filled = words and all(known.value(word) for word in words)
    if is_filled or names_version(gone, known.previous_version):
        return Word(f"Written for the release that failed, {known.version}", "met", "pass")
    return None
