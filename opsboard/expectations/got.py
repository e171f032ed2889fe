"""How a clause held, with what was got, in words."""

from dataclasses import dataclass

from opsboard.expectations.clauses import Clause
from opsboard.expectations.words import expectation


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One clause against one reply."""

    clause: Clause
    # None: not judged, which is neither held nor broken.
    held: bool | None
    # "503", "2.84 s", "not reported": one line.
    got: str
    # "status is 503, expected 201".
    sentence: str


def judged(clause: Clause, got: str, *, held: bool) -> Holding:
    says = f"{clause.subject} is {got}"
    return _holding(clause, held, got, says if held else f"{says}, expected {expectation(clause)}")


def missing(clause: Clause, why: str) -> Holding:
    """The fact is not there: the clause fails. `why` reads as "not sent" or "no reply: timeout"."""
    says = f"is {why}" if why.startswith("not ") else f"is unknown ({why})"
    sentence = f"{clause.subject} {says}, expected {expectation(clause)}"
    return _holding(clause, False, why, sentence)


def not_judged(clause: Clause, why: str) -> Holding:
    return _holding(clause, None, "not judged", f"{clause.subject} was not judged: {why}")


def fault(clause: Clause, got: str, sentence: str) -> Holding:
    """Fails with a sentence of its own."""
    return _holding(clause, False, got, sentence)


def _holding(clause: Clause, held: bool | None, got: str, sentence: str) -> Holding:
    return Holding(clause=clause, held=held, got=got, sentence=sentence)
