"""One run of a fault, and the seven numbers that come of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.faults.store import Store

MICRO = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Figures:
    """None: cannot be told of this row, which says why in its notes."""

    # Slots that passed with neither a result nor a gap written down.
    rounds_lost: int | None
    # Asked again while a lease still ran, or counted twice by the standing.
    results_duplicated: int | None
    # The longest time in which one probe had no result, the ends of the run included.
    max_gap_s: float | None
    # More than one incident for one outage, and incidents without any.
    incidents_duplicated: int | None
    # Openings and resolutions that the sink never heard of.
    alerts_lost: int | None
    alerts_duplicated: int | None
    # From the end of the fault to the first result of the last probe; None without an end.
    recovery_s: float | None


@dataclass(kw_only=True)
class Run:
    """What a row did, for the ledger. `outages` is the numbers of the services that were broken."""

    store: Store
    probes: Mapping[int, int]
    journal: Path
    sink: Path
    lease: float
    interval: float
    began: float
    ended: float
    fault_ended: float | None = None
    outages: frozenset[int] = frozenset()
    # Claims that were handed back are asked again at once, by right.
    hands_back: bool = False
    # False when the database's clock itself jumped: its grid is then another one.
    has_a_grid: bool = True
