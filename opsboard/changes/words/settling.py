"""What would settle a verdict that is none: one sentence. Pure."""

from opsboard.changes.words.numbers import is_number
from opsboard.changes.words.seen import MANY, Seen


def settling(seen: Seen) -> str:
    """ "": nothing is left to settle, or nobody knows what would."""
    settle = seen.get("settle") or {}
    samples = settle.get("samples")
    number = f"{samples:,.0f}" if is_number(samples) and samples > 0 else ""
    by = settle.get("by")
    if by == "more":
        if not number:
            return "More samples alone would not settle it."
        if some := MANY.get(settle.get("stratum") or ""):
            return f"About {number} samples on each side would have enough {some} to settle it."
        return f"About {number} samples on each side would settle it."
    if by == "misses":
        sides = f"{number} on each side, " if number else ""
        return f"Ask for misses only, {sides}so that a lucky hit cannot help."
    if by == "control":
        return "Have the control path asked as often as the path itself, on both sides."
    if by == "cache status":
        return (
            "Let the answers tell their cache result, or their number of database calls, and "
            "measure again."
        )
    if by == "database calls":
        return "Let the answers tell their number of database calls, and measure again."
    if by == "one variable":
        return "Change one thing at a time, and measure each by itself."
    if by == "slower":
        least = f", at least {number} times on each side" if number else ""
        return f"Ask more slowly{least}: answers close to each other were alike, and told little."
    return ""
