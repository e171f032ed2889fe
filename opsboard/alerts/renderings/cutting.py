"""Keeping within what a far side takes: a message that is refused tells nobody anything. Pure."""

ELLIPSIS = "…"


def cut(text: str, most: int) -> str:
    """At most so many characters; what was cut off is seen to be."""
    return text if len(text) <= most else text[: most - 1] + ELLIPSIS
