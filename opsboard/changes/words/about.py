"""What a verdict is said of, and what is said. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the figures do not tell of themselves. Everything may be left out."""

    # The names of the path, of its environment, and of the control path. "": none.
    path: str = ""
    environment: str = ""
    control: str = ""
    # As Change has them.
    metric: str = "time"
    aim: str = "improve"
    # By how much it was meant to fall, as a share.
    goal: float | None = None
    margin: float = 0.10
    # The declared variables, and what else was found to differ, in words: "release 2026.11.3".
    variables: tuple[str, ...] = ()
    found: tuple[str, ...] = ()
    sampling: str = "probes"
    # Samples left out at the beginning of the after window.
    warm_up: int = 0
    attempt: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    # "No change".
    word: str
    # Exactly two: what happened, and why or how sure that is.
    sentences: tuple[str, str]
    # Both of them, and then what else is known: for programs and gates.
    reasons: tuple[str, ...]
    # What would settle it; "": nothing is left to settle.
    settle: str
