"""The samples that a window has, read whole; opsboard.changes.collecting only counts them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from opsboard.changes.collecting import Sampling, collected_in, probe_of, seen_by, warm_up_of
from opsboard.changes.models import Sample, Window
from opsboard.changes.rows import Row, rows_in
from opsboard.probes import narrow
from opsboard.probes.models import Probe, microseconds
from opsboard.probes.rules import Verdict
from opsboard.probes.stored import CACHE
from opsboard.services.models import CriticalPath

ROWS_A_PIECE = 5_000


@dataclass(frozen=True, slots=True)
class Taken:
    """The samples a window is made of, and what was left out."""

    rows: list[Row]
    left_out: dict[str, int]


def samples_of(window: Window, *, now: datetime) -> list[Row]:
    """The samples of the path that a window has, oldest first: of one sealed, what was sealed."""
    if window.sealed_at is not None:
        return rows_in(window.text)
    return take(window, now=now).rows


def take(window: Window, *, now: datetime) -> Taken:
    """Like `samples_of`, of a window that collects, with what was left out."""
    change = window.comparison.change
    if change.sampling == Sampling.PROBES:
        probe = probe_of(change, change.path)
        rows, left_out = _observed(probe, window, now=now) if probe else ([], {})
    else:
        rows, left_out = _rows(collected_in(window, now=now)), {}
    if window.side == Window.Side.BEFORE:
        return Taken(rows[-change.samples :], left_out)
    starts_at = microseconds(window.starts_at)
    dropped = warm_up_of(window, change, len(rows), sum(row.at < starts_at for row in rows))
    if dropped:
        left_out["warm_up"] = dropped
    return Taken(rows[dropped : dropped + change.samples], left_out)


def beside(
    window: Window, path: CriticalPath, *, first: int, last: int, now: datetime, is_control: bool
) -> list[Row]:
    """The samples of the control path or of a guarded one, within the time of the path's own.

    A guarded path is only asked by its own probes.
    """
    change = window.comparison.change
    if is_control and change.sampling != Sampling.PROBES:
        rows = _rows(collected_in(window, now=now, is_control=True))
    else:
        probe = probe_of(change, path)
        if probe is None:
            return []
        rows, _ = _observed(probe, window, now=now)
        if window.side == Window.Side.BEFORE and not is_control:
            # Before it was last ordered it may have been asked otherwise. For the control path the
            # window's beginning sees to that.
            first = max(first, probe.ordered_at or microseconds(window.opened_at))
    found = [row for row in rows if first <= row.at <= last]
    return (
        found[-change.samples :] if window.side == Window.Side.BEFORE else found[: change.samples]
    )


def _rows(samples: QuerySet[Sample]) -> list[Row]:
    columns = ("at", "latency", "cache", "is_ok", "db_calls")
    return [
        Row(at, max(1, latency), CACHE[cache], is_ok, db_calls)
        for at, latency, cache, is_ok, db_calls in samples.order_by("at", "pk").values_list(
            *columns
        )
    ]


def _observed(probe: Probe, window: Window, *, now: datetime) -> tuple[list[Row], dict[str, int]]:
    left_out = {"delayed": 0, "errors": 0}
    rows = []
    columns = ("slot_at", "lateness", "total", "flags", "db_calls")
    seen = seen_by(probe, window, now=now).order_by("slot_at").values_list(*columns)
    for slot_at, lateness, total, flags, db_calls in seen.iterator(chunk_size=ROWS_A_PIECE):
        if narrow.VERDICT.read(flags) == Verdict.ERROR:
            left_out["errors"] += 1
        elif narrow.IS_DELAYED.read(flags):
            left_out["delayed"] += 1
        else:
            cache = CACHE[narrow.CACHED.read(flags)]
            is_ok = not narrow.IS_WRONG.read(flags)
            rows.append(Row(slot_at + lateness, max(1, total), cache, is_ok, db_calls))
    rows.sort(key=lambda row: row.at)
    return rows, {name: n for name, n in left_out.items() if n}
