"""Whether a release is ready, as the board says it: read strictly, and checked against itself."""

from dataclasses import dataclass

from opsboard.cli.answers import Object, inner, maybe_text, number, objects, text, word
from opsboard.cli.leaving import NoAnswer

MET, NOT_MET, NO_EVIDENCE, OUT_OF_DATE = "met", "not met", "no evidence", "out of date"
WORDS = (MET, NOT_MET, NO_EVIDENCE, OUT_OF_DATE)
REQUIRED = "required"
NEEDS = (REQUIRED, "advisory", "absent")
READY, BLOCKED, FROZEN, INCOMPLETE = "ready", "blocked", "frozen", "incomplete"
OVERRIDDEN = "overridden"
EXIT_CODES = {READY: 0, BLOCKED: 1, INCOMPLETE: 3, OUT_OF_DATE: 4, FROZEN: 5, OVERRIDDEN: 6}
WHOLES = tuple(EXIT_CODES)


@dataclass(frozen=True, slots=True)
class Gate:
    gate: str
    name: str
    need: str
    word: str
    reason: str
    who: str
    since: str
    overridden_by: str

    @property
    def is_in_the_way(self) -> bool:
        return self.need == REQUIRED and self.word != MET

    @property
    def blocks(self) -> bool:
        return self.is_in_the_way and not self.overridden_by


@dataclass(frozen=True, slots=True)
class Stop:
    kind: str
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Readiness:
    whole: str
    gates: tuple[Gate, ...]
    stops: tuple[Stop, ...]
    said: Object


def read(said: Object) -> Readiness:
    """Raises NoAnswer for what is unknown, missing, or says ready over a gate that is not met."""
    gates = tuple(_gate(one) for one in objects(said, "gates"))
    stops = tuple(
        Stop(word(one, "kind", ("freeze", "hold")), text(one, "reason"), maybe_text(one, "by"))
        for one in objects(said, "stops")
    )
    whole = word(said, "whole", WHOLES)
    if whole != _whole_of(gates, stops):
        raise NoAnswer(f'The board says "{whole}", and its gates say otherwise.')
    if number(said, "exit_code") != EXIT_CODES[whole]:
        raise NoAnswer(f'The board and this command disagree on "{whole}": update it.')
    return Readiness(whole, gates, stops, said)


def _whole_of(gates: tuple[Gate, ...], stops: tuple[Stop, ...]) -> str:
    blocking = {one.word for one in gates if one.blocks}
    # The gate of the rollback note is always required.
    if not any(one.need == REQUIRED for one in gates):
        return ""
    for is_so, whole in (
        (NOT_MET in blocking, BLOCKED),
        (bool(stops), FROZEN),
        (NO_EVIDENCE in blocking, INCOMPLETE),
        (OUT_OF_DATE in blocking, OUT_OF_DATE),
        (any(one.is_in_the_way for one in gates), OVERRIDDEN),
    ):
        if is_so:
            return whole
    return READY


def _gate(one: Object) -> Gate:
    override = one.get("override")
    return Gate(
        text(one, "gate"),
        text(one, "name"),
        word(one, "need", NEEDS),
        word(one, "word", WORDS),
        text(one, "reason"),
        maybe_text(one, "who"),
        maybe_text(one, "since"),
        "" if override is None else text(inner(one, "override"), "by"),
    )
