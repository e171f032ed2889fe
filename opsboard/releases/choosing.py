"""What a team and its services want of each gate. Pure; every no is a sentence.

A choice is {"need", "words", "lasts"}: of NEEDS; the words of a gate of their own, "" for one that
Opsboard knows; and the seconds until evidence is out of date, None for as the gate has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opsboard.expectations.units import exact_duration
from opsboard.releases.rules import (
    CONFIG,
    GATES,
    INTEGRATION,
    LINT,
    NEEDS,
    NOTE,
    REHEARSAL,
    UNIT,
    Need,
)
from opsboard.services.rules import check_name, check_slug

type Choice = Mapping[str, Any]
type Choices = Mapping[str, Choice]

DAY = 24 * 60 * 60
LONGEST_GATE = 40
LONGEST_WORDS = 120
SHORTEST_LASTS, LONGEST_LASTS = 1, 365 * DAY
MOST_OWN = 40
# Those whose answer grows old; the others are answered anew whenever somebody looks.
LASTING = (LINT, UNIT, INTEGRATION, CONFIG, NOTE, REHEARSAL)

# What each gate needs where nobody has chosen, in words.
DEFAULTS: Mapping[str, str] = {
    "lint": "Required.",
    "unit": "Required.",
    "integration": "Required. Lasts 24 hours.",
    "config": "Required once the service declares config keys. Lasts until the running config root"
    " changes; 4 hours where it is not told.",
    "tag": "Required.",
    "paths": "Required where the service has a staging environment. Met after 10 minutes of"
    " passing there.",
    "note": "Always required. Lasts 90 days; in tier 1, 30.",
    "rehearsal": "Required in tier 1. Else advisory until it is first met, then required."
    " Lasts 90 days.",
    "owner": "Not asked for.",
    "expected": "Not asked for.",
    "incident": "Not asked for.",
    "baseline": "Not asked for.",
    "verified": "Not asked for.",
}

# The needs behind these words, without what depends on the service.
DEFAULT_NEEDS: Mapping[str, str] = {
    gate: "dropped" if words == "Not asked for." else "required" for gate, words in DEFAULTS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """One gate as it holds for a service, and who wants it so."""

    gate: str
    # "Unit tests".
    name: str
    need: str
    # Seconds. None: as the gate has it.
    lasts: int | None = None
    # "default", "team" or "service".
    source: str = "default"

    @property
    def is_own(self) -> bool:
        return self.gate not in GATES


def chosen(
    team: Choices, service: Choices, defaults: Mapping[str, Need | str]
) -> dict[str, Chosen]:
    """By gate, in the order of the pages, those of their own last.

    `defaults`: what each gate needs where nobody has chosen. A service's choice beats its team's
    as a whole; only the words of a gate of the team's own are the team's still.
    """
    own = dict.fromkeys(gate for gate in (*team, *service) if gate not in GATES)
    return {gate: _one(gate, team, service, defaults) for gate in (*GATES, *own)}


def _one(gate: str, team: Choices, service: Choices, defaults: Mapping[str, Need | str]) -> Chosen:
    source = "service" if gate in service else "team" if gate in team else "default"
    choice: Choice = service.get(gate) or team.get(gate) or {}
    need = choice.get("need") or str(defaults.get(gate, Need.REQUIRED))
    words = [one.get(gate, {}).get("words") for one in (service, team)]
    return Chosen(
        gate=gate,
        name=GATES.get(gate) or next(filter(None, words), gate),
        # Whatever was stored: no release goes out without a way back.
        need=str(Need.REQUIRED) if gate == NOTE else need,
        lasts=choice.get("lasts"),
        source=source,
    )


def check_choice(gate: str, choice: Choice, *, known: Mapping[str, str] = GATES) -> dict[str, str]:
    """What is wrong with a choice, by its part: "gate", "need", "words" or "lasts".

    `known`: gates that have their words already, Opsboard's and the team's.
    """
    wrong = {
        "gate": _wrong_gate(gate),
        "need": _wrong_need(gate, choice["need"]),
        "words": _wrong_words(gate, choice["words"], known),
        "lasts": _wrong_lasts(gate, choice["lasts"]),
    }
    return {part: sentence for part, sentence in wrong.items() if sentence}


def _wrong_gate(gate: str) -> str:
    if len(gate) > LONGEST_GATE:
        return f"The name of a gate has at most {LONGEST_GATE} characters."
    return "" if gate in GATES else check_slug(gate)


def _wrong_need(gate: str, need: str) -> str:
    if need not in NEEDS:
        return f"Write one of {', '.join(NEEDS)}."
    if gate == NOTE and need != Need.REQUIRED:
        return "The rollback note is always required: it cannot be dropped or made advisory."
    return ""


def _wrong_words(gate: str, words: str, known: Mapping[str, str]) -> str:
    if gate in GATES:
        return f"Opsboard calls this gate {GATES[gate]}: take the words out." if words else ""
    if not words and gate not in known:
        return f"{gate} is no gate that Opsboard knows: give it words, as in Load test."
    return check_name(words, LONGEST_WORDS)


def _wrong_lasts(gate: str, lasts: int | None) -> str:
    if lasts is None:
        return ""
    if gate in GATES and gate not in LASTING:
        return "This gate is answered anew whenever somebody looks: it does not grow old."
    if not SHORTEST_LASTS <= lasts <= LONGEST_LASTS:
        return "This may be from 1 s to 365 d."
    return ""


def choice_words(choice: Choice) -> str:
    """ "required, lasts 7 d"."""
    lasts = f"lasts {lasts_words(choice['lasts'])}" if choice["lasts"] else ""
    return ", ".join(filter(None, (choice["words"], choice["need"], lasts)))


def choice_lines(choices: Choices) -> list[str]:
    return [f"{gate}: {choice_words(choices[gate])}" for gate in sorted(choices)]


def lasts_words(seconds: int) -> str:
    return exact_duration(seconds * 1_000_000)
