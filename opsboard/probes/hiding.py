"""Taking secrets out of what came back, before it is stored or shown. Pure."""

from collections.abc import Sequence
from urllib.parse import quote

from opsboard.probes.connections import SHORTEST_SECRET

MASKED = "[secret]"


def without(secrets: Sequence[str], text: str) -> str:
    """The text with every secret taken out, also where it was percent-encoded."""
    for secret in secrets:
        text = text.replace(secret, MASKED).replace(quote(secret, safe=""), MASKED)
    return _without_cut(secrets, text) if "…" in text else text


def _without_cut(secrets: Sequence[str], text: str) -> str:
    """A sentence is cut before it is masked: what stands before its … may be half a secret."""
    parts = text.split("…")
    for place, part in enumerate(parts[:-1]):
        for secret in secrets:
            shown = _shown_of(secret, part)
            part = part[: len(part) - shown] + MASKED if shown else part
        parts[place] = part
    return "…".join(parts)


def _shown_of(secret: str, text: str) -> int:
    """How much of the beginning of a secret stands at the end of the text; 0 for next to none."""
    most = min(len(secret), len(text))
    sizes = range(most, SHORTEST_SECRET - 1, -1)
    return next((size for size in sizes if text.endswith(secret[:size])), 0)
