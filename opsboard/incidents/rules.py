"""What an incident's dates and entries mean: plain values in, plain values out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


def continues(*, resolved_at: datetime | None, now: datetime, within: timedelta) -> bool:
    """Whether a failure at `now` is the same incident again, not a new one."""
    return resolved_at is not None and now - resolved_at < within


@dataclass(frozen=True, slots=True)
class Lower:
    """An open incident of a service that another depends on."""

    incident_id: int
    # When it began, the last time if it began several times.
    began_at: datetime


def lower_for(began_at: datetime, lowers: Sequence[Lower], *, linked_to: int | None) -> int | None:
    """Which of `lowers` a failure that began at `began_at` comes from; None: from none.

    One that it is linked to stays, as long as it is there; else it is the one that began first.
    """
    if any(lower.incident_id == linked_to for lower in lowers):
        return linked_to
    before = [lower for lower in lowers if lower.began_at < began_at]
    first = min(before, key=lambda lower: (lower.began_at, lower.incident_id), default=None)
    return first.incident_id if first else None


# Flapping: paths that fail and recover again and again are told once. --------------------------


def is_told_of_beginning(told_last: str | None) -> bool:
    """Whether a channel hears that it fails (again).

    `told_last` is what it heard last: "failing", "resolved", or None for nothing. Who has not heard
    of an end since believes that it fails, and need not hear so again.
    """
    return told_last != "failing"


def wait_before_resolved(*, opening: int, is_by_person: bool, within: timedelta) -> timedelta:
    """How long the end is kept back, so that one that does not last is told to nobody.

    The first end is told at once. From the second beginning on it must last; a person's word is
    taken at once.
    """
    return within if opening > 1 and not is_by_person else timedelta()


def is_seen_failing(
    *,
    newest: str,
    observed_at: datetime | None,
    since: datetime,
    now: datetime,
    patience: timedelta,
) -> bool:
    """Whether a path fails by itself now that what was below it has recovered, at `since`.

    It needs a moment to recover too: it must be seen failing after that, or have had time enough.
    `newest` is the letter of the newest verdict.
    """
    is_seen = observed_at is not None and observed_at > since and newest == "f"
    return is_seen or now - since > patience
