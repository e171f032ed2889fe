"""How far a window is, in the words of the page: no figure of it is a verdict yet."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from opsboard.changes.collecting import Progress, progress
from opsboard.changes.models import FEWEST_SAMPLES, Burst, Window
from opsboard.web.change_plot import progress_width
from opsboard.web.words import counted, number, when

LEFT_OUT = {
    "warm_up": "in the warm-up",
    "delayed": "delayed",
    "errors": "without an answer to compare",
}


@dataclass(frozen=True, slots=True)
class Collecting:
    """One window that is not full, and the burst that fills it."""

    side: str
    words: str
    # Of the bar, in percent.
    width: float
    since: datetime
    starts_later: bool
    closes_at: datetime
    # None: nothing comes, or nobody can say.
    full_at: datetime | None
    left_out: str
    # Why none may come; "": nothing is known to be in the way.
    trouble: str
    # Why it cannot be sealed yet; "": it can.
    not_yet: str
    burst: Burst | None
    burst_words: str
    burst_width: float

    @property
    def is_asking(self) -> bool:
        return self.burst is not None and self.burst.finished_at is None


def collecting_of(window: Window, *, now: datetime) -> Collecting:
    """`window` with its bursts prefetched."""
    at = progress(window, now=now)
    burst = max(window.bursts.all(), key=lambda one: one.started_at, default=None)
    return Collecting(
        side=window.side,
        words=f"collecting, {number(at.count)} of {number(at.of)}",
        width=progress_width(at.count, at.of),
        since=at.since,
        starts_later=at.since > now,
        closes_at=at.closes_at,
        full_at=_full_at(at, now=now),
        left_out=left_out_words(at.left_out),
        trouble=at.trouble,
        not_yet=_not_yet(at),
        burst=burst,
        burst_words=_burst_words(burst, now=now),
        burst_width=progress_width(burst.asked, burst.wanted) if burst else 0.0,
    )


def left_out_words(left_out: dict[str, int]) -> str:
    """ "10 in the warm-up, 2 delayed"; "" for none."""
    return ", ".join(
        f"{number(count)} {LEFT_OUT.get(why, why)}" for why, count in left_out.items() if count
    )


def _full_at(at: Progress, *, now: datetime) -> datetime | None:
    if not at.per_hour or at.is_full:
        return None
    # Further away than its end is not said: then it is taken as it is.
    hours = min((at.of - at.count) / at.per_hour, 10_000.0)
    full = max(now, at.since) + timedelta(hours=hours)
    return full if full < at.closes_at else None


def _not_yet(at: Progress) -> str:
    if at.count >= FEWEST_SAMPLES:
        return ""
    return f"It can be sealed from {counted(FEWEST_SAMPLES, 'sample')} on."


def _burst_words(burst: Burst | None, *, now: datetime) -> str:
    if burst is None:
        return ""
    asked = f"{number(burst.asked)} of {counted(burst.wanted, 'sample')}"
    if burst.finished_at is None:
        return f"A burst is asking: it has {asked}."
    ended = f"{when(burst.finished_at, now)}"
    if burst.trouble:
        return f"The last burst ended early, {ended}, after {asked}: {burst.trouble}"
    if burst.stopped_at:
        return f"The last burst was stopped, {ended}, after {asked}."
    return f"The last burst ended {ended}: {asked}."
