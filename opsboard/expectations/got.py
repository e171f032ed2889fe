"""How a clause held, with what was got, in words."""

from typing import NamedTuple

from opsboard.expectations.clauses import Clause
from opsboard.expectations.words import expectation


class Holding(NamedTuple):
    """One clause against one reply."""

    clause: Clause
    # None: not judged, which is neither held nor broken.
    held: bool | None
    # "503", "2.84 s", "not reported": one line.
    got: str
    # What is said of it unless it holds; see `sentence`.
    said: str = ""

    @property
    def sentence(self) -> str:
        """ "status is 503, expected 201"."""
        return self.said or f"{self.clause.subject} is {self.got}"


def judged(clause: Clause, got: str, *, held: bool) -> Holding:
    if held:
        # Nearly all hold, and nobody asks what is said of them.
        return Holding(clause, True, got)
    return Holding(clause, False, got, f"{clause.subject} is {got}, expected {expectation(clause)}")


def missing(clause: Clause, why: str) -> Holding:
    """The fact is not there: the clause fails. `why` reads as "not sent" or "no reply: timeout"."""
    says = f"is {why}" if why.startswith("not ") else f"is unknown ({why})"
    sentence = f"{clause.subject} {says}, expected {expectation(clause)}"
    return Holding(clause, False, why, sentence)


def not_judged(clause: Clause, why: str) -> Holding:
    return Holding(clause, None, "not judged", f"{clause.subject} was not judged: {why}")


def fault(clause: Clause, got: str, sentence: str) -> Holding:
    """Fails with a sentence of its own."""
    return Holding(clause, False, got, sentence)
