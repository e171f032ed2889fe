"""What a note's rehearsals are worth, in the words and with the mark of the pages."""

from dataclasses import dataclass
from datetime import datetime

from opsboard.rollbacks.rules import RehearsalState, Rehearsed
from opsboard.rollbacks.saying import rehearsed_words, steps_words

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
