"""Words of a note's steps that stand for a release: `{{ previous_version }}` and its like. Pure.

What is not known is left as it was written, and said to be unknown: a command that lost a part of
itself would run, and do something else.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

# By what stands between the braces: what it is, as sentences say it.
WORDS: Mapping[str, str] = {
    "previous_version": "the previous version",
    "release.version": "the version of the release",
    "release.tag": "the tag of the release",
}
# The parts of a step that they are filled in.
FILLED = ("do", "run", "see", "call")
_WORD = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_OPENED = re.compile(r"\{\{|\}\}")
# What may stand in a command that somebody copies into a shell. A version is typed by people and
# told by programs: nothing else of it is put there.
_SAFE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+/@:~-]{0,199}")

type Step = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the words stand for. "": it is not known."""

    previous_version: str = ""
    version: str = ""
    tag: str = ""

    def value(self, word: str) -> str:
        """ "": not known, or not fit for a command."""
        values = {
            "previous_version": self.previous_version,
            "release.version": self.version,
            "release.tag": self.tag,
        }
        value = values[word]
        return value if _SAFE.fullmatch(value) else ""


NOTHING = Known()


@dataclass(frozen=True, slots=True)
class Filled:
    """Steps as they are to be gone now, and what of them is not known."""

    steps: list[dict[str, str]]
    # "The previous version is not known.", one a word.
    unknown: tuple[str, ...] = ()


def fill_steps(steps: Sequence[Step], known: Known) -> Filled:
    filled = [{name: fill(text, known) for name, text in step.items()} for step in steps]
    missing = [word for word in words_of(steps) if not known.value(word)]
    return Filled(filled, tuple(_unknown(word) for word in missing))


def fill(text: str, known: Known) -> str:
    return _WORD.sub(lambda found: _filled(found, known), text)


def _filled(found: re.Match[str], known: Known) -> str:
    word = found[1]
    return (known.value(word) if word in WORDS else "") or found[0]


def _unknown(word: str) -> str:
    what = WORDS[word]
    return f"{what[0].upper()}{what[1:]} is not known: fill in {{{{ {word} }}}} yourself."


def words_of(steps: Iterable[Step]) -> list[str]:
    """The known words that steps use, each once, in the order of WORDS."""
    used = {word for step in steps for text in step.values() for word in _WORD.findall(text)}
    return [word for word in WORDS if word in used]


def wrong_words(text: str) -> str:
    """Why a part of a step is refused for its braces, in a sentence; "": it is not."""
    for found in _WORD.finditer(text):
        if found[1] not in WORDS:
            return f"{found[0]} is no word that is filled in. {_known()}"
    if _OPENED.search(_WORD.sub("", text)):
        return f"These braces do not close. {_known()}"
    return ""


def refuse_words(text: str) -> str:
    """Why a title or a paragraph is refused for its braces: they are filled in steps alone."""
    if _OPENED.search(text):
        return f"Braces are filled in steps alone. {_known()}"
    return ""


def _known() -> str:
    *first, last = [f"{{{{ {word} }}}}" for word in WORDS]
    return f"Known are {', '.join(first)} and {last}."


def names_version(steps: Iterable[Step], version: str) -> list[int]:
    """The numbers, from 1, of the steps that have this version typed into what is done or run."""
    if not version:
        return []
    found = re.compile(rf"(?<![\w.]){re.escape(version)}(?!\w|\.\w)")
    return [
        number
        for number, step in enumerate(steps, 1)
        if any(found.search(step.get(part, "")) for part in ("do", "run"))
    ]
