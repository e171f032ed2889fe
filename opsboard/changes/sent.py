"""One sample as a program sends it, or as it is read from a log. Plain values: no Django."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One answer of the path, or of the control path."""

    # With its offset.
    at: datetime
    # Microseconds, above zero.
    latency_us: int
    # hit, miss, stale, bypass or unknown.
    cache: str = "unknown"
    # It was not wrong, however long it took.
    ok: bool = True
    # None: not reported.
    db_calls: int | None = None
    is_control: bool = False
