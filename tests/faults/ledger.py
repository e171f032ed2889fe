"""The seven numbers of a run: what Opsboard stored, joined with what its targets and sink saw.

The journals are the independent truth. Moments are seconds since 1970 UTC of the real clock; slots
are whole microseconds of the database's clock.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from opsboard.expectations.tally import Tally
from opsboard.probes import narrow
from tests.faults.alerts_ledger import alerts_lost, incidents_of, times_told, too_many
from tests.faults.runs import MICRO, Figures, Run
from tests.faults.store import Store

SCHEDULED = 0
ERROR = 3
# Longer than the window that the seeded expected result counts over.
WINDOW = 60 * 60 * MICRO


@dataclass
class Books:
    """Everything that was written down about a run, read once."""

    run: Run
    # (probe, slot) of every stored observation that was scheduled.
    slots: set[tuple[int, int]] = field(default_factory=set)
    # Trace, which is one probe and slot: when the targets were asked, stored or not.
    asked: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    # Observations of turns that no target was ever asked for.
    invented: list[tuple[int, int]] = field(default_factory=list)
    # probe: when those requests were made whose result was stored, of every kind.
    results: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))


def seven_numbers(run: Run) -> Figures:
    books = open_books(run)
    incidents, told = incidents_of(run), times_told(run)
    return Figures(
        rounds_lost=len(lost_rounds(books)) if run.has_a_grid else None,
        results_duplicated=len(asked_too_soon(books)) + counted_twice(run),
        max_gap_s=round(longest_gap(books), 1),
        incidents_duplicated=too_many(incidents, run.outages),
        alerts_lost=alerts_lost(run, incidents, told),
        alerts_duplicated=sum(count - 1 for count in told.values()),
        recovery_s=_recovery(books),
    )


def open_books(run: Run) -> Books:
    books = Books(run)
    for at, _, mark in read_journal(run.journal):
        books.asked[mark].append(at)
    rows = run.store.rows(
        "SELECT probe_id, slot_at, slot_at + lateness, flags FROM probes_observation"
    )
    for probe, slot, asked_at, flags in rows:
        kind, verdict = narrow.KIND.read(flags), narrow.VERDICT.read(flags)
        if kind == SCHEDULED:
            books.slots.add((probe, slot))
        if moments := books.asked.get(trace(probe, slot)):
            # Asked twice, the result is of the request that the observation says it is of.
            recorded = min(moments, key=lambda at: abs(at * MICRO - asked_at))
            books.results[probe].append(recorded)
        elif verdict != ERROR:
            books.invented.append((probe, slot))
    return books


def trace(probe: int, slot: int) -> str:
    """The trace id that the request of one slot carries, as the journal shows it."""
    return hashlib.blake2b(f"{probe}/{slot}".encode(), digest_size=24).hexdigest()[:32]


def read_journal(journal: Path) -> Iterable[tuple[float, str, str]]:
    for line in journal.read_text().splitlines():
        at, path, mark = line.split()
        yield float(at), path, mark


def lost_rounds(books: Books) -> set[tuple[int, int]]:
    """Slots of the run's grid that have no observation and lie in no gap."""
    run = books.run
    step = round(run.interval * MICRO)
    due = set()
    for probe, slot in _newest_slots(books.slots).items():
        first = slot - (slot - round(run.began * MICRO)) // step * step
        due |= {(probe, at) for at in range(first, round(run.ended * MICRO), step)}
    missing_probes = {(probe, 0) for probe in run.probes} - {(p, 0) for p, _ in books.slots}
    return (due - books.slots - _in_gaps(run.store, step)) | missing_probes


def _newest_slots(slots: Iterable[tuple[int, int]]) -> dict[int, int]:
    """A grid point of each probe. Its first slot is when it was stood up, which is on no grid."""
    newest: dict[int, int] = {}
    for probe, slot in slots:
        newest[probe] = max(slot, newest.get(probe, 0))
    return newest


def _in_gaps(store: Store, step: int) -> set[tuple[int, int]]:
    rows = store.rows("SELECT probe_id, first_slot_at, last_slot_at FROM probes_gap")
    return {(probe, at) for probe, first, last in rows for at in range(first, last + 1, step)}


def asked_too_soon(books: Books) -> list[str]:
    """Turns that were asked twice though the first lease cannot have run out.

    A lease is given up to half a second before the request, so it has that much less to run.
    """
    if books.run.hands_back:
        return []
    soon = books.run.lease - 0.5
    return [
        mark
        for mark, moments in books.asked.items()
        if any(later - sooner < soon for sooner, later in pairwise(sorted(moments)))
    ]


def counted_twice(run: Run) -> int:
    """Observations that the standings counted beyond those that are stored.

    The key of an observation would hide a second one; the counters of a window would not.
    """
    # Read in one statement: the board goes on beside us.
    counts = (
        f"{narrow.KIND.sql('o.flags', SCHEDULED)} AND NOT ({narrow.VERDICT.sql('o.flags', ERROR)})"
    )
    rows = run.store.rows(
        "SELECT windows, observed_at, (SELECT count(*) FROM probes_observation o"  # noqa: S608
        f" WHERE o.probe_id = p.id AND {counts}) FROM probes_probe p"
    )
    return sum(max(0, _counted(windows, at) - count) for windows, at, count in rows)


def _counted(windows: str, observed_at: int | None) -> int:
    return Tally.load(windows).over(WINDOW, (observed_at or 0) // (60 * MICRO)).observations


def longest_gap(books: Books) -> float:
    return max(_longest_gap(books, probe) for probe in books.run.probes)


def _longest_gap(books: Books, probe: int) -> float:
    """The longest silence of one probe that reached into the run. Its ends count as results."""
    began, ended = books.run.began, books.run.ended
    moments = sorted(books.results.get(probe, []))
    before = max((at for at in moments if at < began), default=began)
    inside = [at for at in moments if began <= at <= ended]
    return max(later - sooner for sooner, later in pairwise([before, *inside, ended]))


def _recovery(books: Books) -> float | None:
    end = books.run.fault_ended
    if end is None:
        return None
    first = [
        min((at for at in books.results.get(probe, []) if at >= end), default=books.run.ended)
        for probe in books.run.probes
    ]
    return round(max(first) - end, 1)
