"""The known word nearest to one that is not known."""

from collections.abc import Mapping
from difflib import get_close_matches


def did_you_mean(word: str, known: tuple[str, ...], elsewhere: Mapping[str, str]) -> str:
    """The end of a sentence about `word`: the nearest known word, or all of them.

    `elsewhere` maps words of other languages to known ones.
    """
    near = nearest(word, (*known, *elsewhere))
    near = elsewhere.get(near, near)
    return f"did you mean `{near}`?" if near in known else f"known are {listed(known)}."


def nearest(word: str, known: tuple[str, ...]) -> str:
    """The one of `known` most like `word`, or "" when none is."""
    by_lower_case = {each.lower(): each for each in known}
    near = get_close_matches(word.lower()[:40], by_lower_case, n=1, cutoff=0.5)
    return by_lower_case[near[0]] if near else ""


def listed(words: tuple[str, ...], last: str = "and") -> str:
    """`a, b and c`."""
    return f" {last} ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
