"""Which window takes samples now."""

from datetime import datetime

from opsboard.changes.holding import gone_of, said_at
from opsboard.changes.models import Comparison, Window
from opsboard.changes.refusing import Refused


def collecting_window(held: Comparison, *, now: datetime, side: str | None = None) -> Window:
    """The window of an attempt that collects; of that `side`, where one is named.

    Hold the attempt before, so that it stays so. Raises Refused.
    """
    wanted = Window.Side.AFTER if held.applied_at else Window.Side.BEFORE
    if side is not None and side != wanted:
        raise Refused(f"{held} collects {wanted.value}, not {side[:20]}: leave the side out.")
    window = held.windows.filter(side=wanted).first()
    if window is None:
        raise Refused(f"{held} has no window that is open: repeat it.")
    window.comparison = held
    if why := why_closed(window, now=now):
        raise Refused(why)
    return window


def why_closed(window: Window, *, now: datetime) -> str:
    """Why nothing may be added to a window, in a sentence; "": it collects."""
    comparison = window.comparison
    change = comparison.change
    if change.withdrawn_at is not None:
        return f"{change} was withdrawn."
    if comparison.given_up_at is not None:
        return f"{comparison} was given up."
    if window.sealed_at is not None:
        what = "baseline" if window.side == Window.Side.BEFORE else "after window"
        return f"The {what} is sealed: nothing is added to it."
    if now >= window.closes_at:
        return f"The time of this window ended at {said_at(window.closes_at)}."
    return gone_of(change)
