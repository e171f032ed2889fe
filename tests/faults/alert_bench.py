"""How soon alerts come, with everything as shipped: the rows of script/bench."""

import os
import time
from collections.abc import Iterator
from statistics import median

from tests.faults.alerts_ledger import taken
from tests.faults.boards import embedded, need_redis_server, production
from tests.faults.postgres import NotHereError, shared_server
from tests.faults.rig import Rig, Scale
from tests.running.processes import until

AS_SHIPPED = {"gather": 1, "delivery_lease": 30, "backoff": 5, "ask_again_after": 3}
QUIET = Scale(
    probes=60, paths_a_service=1, teams=60, interval=4, timeout=1, patience=1, workers=0,
    **AS_SHIPPED,
)  # fmt: skip
STORM = Scale(probes=1000, paths_a_service=1, interval=20, workers=0, **AS_SHIPPED)
ONE_EVERY = 0.5


def rows() -> Iterator[dict[str, object]]:
    """A row each; one that needs what is not here says so."""
    yield {"row": "told, embedded", **_quiet_embedded()}
    try:
        need_redis_server()
        server = shared_server()
    except NotHereError as reason:
        yield {"row": "told, production", "not run": str(reason)}
        return
    with production(server, QUIET) as rig:
        yield {"row": "told, production", **_quiet(rig)}
    with production(server, STORM) as rig:
        yield {"row": "1,000 at once, one worker", **_storm(rig)}


def _quiet_embedded() -> dict[str, object]:
    with embedded(QUIET) as (rig, board):
        board.start()
        rig.warm_up()
        return _quiet(rig)


def _quiet(rig: Rig) -> dict[str, object]:
    """Each path fails at a time of its own, and a channel of its own is told."""
    for number in range(rig.scale.probes):
        rig.tell(str(number), "500")
        time.sleep(ONE_EVERY)
    until(lambda: len(_waits(rig)) == rig.scale.probes, seconds=30)
    return _figures(rig)


def _storm(rig: Rig) -> dict[str, object]:
    rig.tell(f"0-{rig.scale.probes - 1}", "500")
    until(lambda: len(_waits(rig)) == rig.scale.probes, seconds=180)
    opened = "SELECT count(*) FROM incidents_incident"
    figures: dict[str, object] = {
        "incidents": rig.store.one(opened),
        "messages": len(_taken(rig)),
        "targets_failing_within_s": rig.scale.interval,
    }
    return figures | _figures(rig)


def _taken(rig: Rig) -> dict[str, float]:
    """When each message first came, by its key."""
    lines = taken(rig.run(began=0, fault_ended=None, outages=frozenset()))
    return {line.key.replace("-", ""): line.at for line in reversed(lines)}


def _waits(rig: Rig) -> list[float]:
    """Seconds from the confirmation of each failure until its channel had the message."""
    came = _taken(rig)
    told = rig.store.rows(
        "SELECT m.key, d.wanted_at FROM alerts_delivery d"
        " JOIN alerts_message m ON m.id = d.message_id WHERE d.event = 'failing'"
    )
    plain = ((str(key).replace("-", ""), wanted_at / 1_000_000) for key, wanted_at in told)
    return sorted(came[key] - wanted_at for key, wanted_at in plain if key in came)


def _figures(rig: Rig) -> dict[str, object]:
    waits = _waits(rig)
    if not waits:
        return {"told": 0}
    return {
        "told": len(waits),
        "p50_s": round(median(waits), 2),
        "p99_s": round(waits[min(len(waits) - 1, int(0.99 * len(waits)))], 2),
        "longest_s": round(waits[-1], 2),
        # Of the machine, in the last minute: others may be at work on it.
        "load": round(os.getloadavg()[0], 1),
    }
