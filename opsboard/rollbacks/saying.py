"""What is said of a note's rehearsals, on pages and in messages. Pure."""

from collections.abc import Mapping
from datetime import datetime

from opsboard.rollbacks.rules import RehearsalSeen, RehearsalState, Rehearsed

OUTCOMES: Mapping[str, str] = {"worked": "worked", "failed": "failed", "left out": "was left out"}


def rehearsed_words(state: RehearsalState, *, now: datetime) -> str:
    """ "Rehearsed 8 Nov on staging, 3 min 50 s", "Never rehearsed"; without a full stop."""
    seen = state.rehearsal
    if seen is None:
        return "Never rehearsed"
    gone = f"{day(seen.at, now)} on {seen.environment}"
    match state.word:
        case Rehearsed.FAILED:
            return f"Rehearsed {gone}: {_failed(seen)}"
        case Rehearsed.STEPS_CHANGED:
            return f"Not rehearsed with these steps: they changed since {gone}"
        case Rehearsed.NEW_MIGRATIONS:
            return f"Not rehearsed with {_migrations(state.new_migrations)}: last {gone}"
        case Rehearsed.TOO_OLD if state.until:
            return f"Rehearsed {gone}: out of date since {day(state.until, now)}"
    return f"Rehearsed {gone}, {took(seen.seconds)}"


def steps_words(seen: RehearsalSeen) -> str:
    """ "All 4 steps worked.", "Step 2 failed.", "3 of 4 steps worked, 1 was left out."."""
    total = len(seen.outcomes)
    left_out = seen.outcomes.count("left out")
    if seen.failed_steps:
        said = _failed(seen)
        return f"{said[0].upper()}{said[1:]}."
    if left_out:
        verb = "was" if left_out == 1 else "were"
        return f"{total - left_out} of {total} steps worked, {left_out} {verb} left out."
    return "The one step worked." if total == 1 else f"All {total} steps worked."


def took(seconds: int) -> str:
    """ "45 s", "3 min 50 s", "4 min", "1 h 5 min"."""
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    parts = [(hours, "h"), (minutes, "min"), (0 if hours else rest, "s")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)


def day(at: datetime, now: datetime) -> str:
    """ "8 Nov", "8 Nov 2025" in another year."""
    return f"{at.day} {at:%b}" + ("" if at.year == now.year else f" {at.year}")


def _failed(seen: RehearsalSeen) -> str:
    *others, last = map(str, seen.failed_steps)
    return f"steps {', '.join(others)} and {last} failed" if others else f"step {last} failed"


def _migrations(names: tuple[str, ...]) -> str:
    return f"migration {names[0]}" if len(names) == 1 else f"{len(names)} migrations"
