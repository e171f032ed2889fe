"""What a worker process keeps between claims: compiled orders, and the standings it wrote itself.

The database decides: an order is used for its version only, and a standing only while the probe's
row is as this process wrote it.
"""

import time
from dataclasses import dataclass, field

from opsboard.expectations.tally import Tally
from opsboard.probes.orders import Order

# Seconds. What was removed from the board is forgotten with all the rest after so long.
LASTS = 600.0


@dataclass(frozen=True, slots=True)
class Written:
    """The parts of a standing that are long to read, and the row they are of."""

    order_version: int
    observed_at: int | None
    reason: str
    tally: Tally


@dataclass
class Memory:
    orders: dict[int, Order] = field(default_factory=dict)
    written: dict[int, Written] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)

    @property
    def is_old(self) -> bool:
        return time.monotonic() - self.since > LASTS

    def order_of(self, probe_id: int, version: int) -> Order | None:
        order = self.orders.get(probe_id)
        return order if order is not None and order.version == version else None

    def written_of(self, probe_id: int, version: int, observed_at: int | None) -> Written | None:
        """Everybody else who writes a standing raises the order's version or has another time."""
        known = self.written.get(probe_id)
        if known and (known.order_version, known.observed_at) == (version, observed_at):
            return known
        return None
