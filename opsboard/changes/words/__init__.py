"""The words of a verdict: two sentences a new colleague understands, made from the numbers. Pure.

`say` is the way in. Whatever figures are missing, it says the rest.
"""

from opsboard.changes.rules.judged import Judged
from opsboard.changes.words.about import About, Said
from opsboard.changes.words.beside import beside
from opsboard.changes.words.seen import Seen
from opsboard.changes.words.settling import settling
from opsboard.changes.words.two import two_sentences

__all__ = ["WORDS", "About", "Said", "say"]

WORDS = {
    "improved": "Improved",
    "regressed": "Regressed",
    "no_change": "No change",
    "inconclusive": "Inconclusive",
    "confounded": "Confounded",
    "invalid": "Invalid",
}


def say(judged: Judged, about: About) -> Said:
    """Raises KeyError for a verdict that is none."""
    seen = Seen(judged, about)
    sentences = two_sentences(seen)
    return Said(
        word=WORDS[judged["verdict"]],
        sentences=sentences,
        reasons=(*sentences, *beside(seen)),
        settle=settling(seen),
    )
