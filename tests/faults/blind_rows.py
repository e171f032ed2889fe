"""Rows in which Opsboard cannot tell of itself: each must end in a message by another way out."""

import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from math import inf
from signal import SIGKILL

from tests.faults.boards import production
from tests.faults.postgres import Server
from tests.faults.programs import Program, running
from tests.faults.report import Outcome, PassLine
from tests.faults.rig import Rig, Scale
from tests.faults.runs import Figures
from tests.listening import Listener
from tests.running.processes import free_port, until

# A minute each, scaled down to this many seconds.
PERIOD = 2.0
DOES_NOT = {
    "probes": "is sent: Opsboard does not claim",
    "alerts": "is sent: Opsboard does not deliver",
}
# What was noted is believed for six seconds; then the next word is due.
STOPS_WITHIN: float = 6 + PERIOD + 2


NOT_COUNTED = Figures(
    rounds_lost=None,
    results_duplicated=None,
    max_gap_s=None,
    incidents_duplicated=None,
    alerts_lost=None,
    alerts_duplicated=None,
    recovery_s=None,
)


@dataclass
class Seen:
    """What an outside watcher saw."""

    trouble: list[str]
    notes: list[str]


def outcome(row: str, scale: Scale, seen: Seen, injected: str) -> Outcome:
    return Outcome(
        row=row,
        scale=scale,
        figures=NOT_COUNTED,
        injected=injected,
        pass_line=PassLine(max_gap_s=inf),
        notes=["the seven numbers are not counted: what is judged is the way out", *seen.notes],
        also_broken=seen.trouble,
    )


def watched(listener: Listener) -> dict[str, str]:
    """The environment of a board that tells this listener of itself, scaled down."""
    return {
        "OPSBOARD_ALIVE_URL": f"{listener.url}/alive",
        "OPSBOARD_ALIVE_SECONDS": str(PERIOD),
        "OPSBOARD_BEAT_SILENT_AFTER_SECONDS": "5",
        "OPSBOARD_LAST_RESORT_URL": f"{listener.url}/last",
        "OPSBOARD_LAST_RESORT_AFTER_SECONDS": "2",
    }


def beat_dies(server: Server, scale: Scale) -> Seen:
    """F22: kill -9 of beat. The banner comes, and the word of being alive does not."""
    with Listener() as listener, production(server, scale, **watched(listener)) as rig:
        web, board = _web(rig, listener)
        with running(web):
            assert until(lambda: _asked(f"{board}/readyz") == (200, "ready\n")), web.said
            assert until(lambda: len(listener.times("/alive")) > 1), rig.logs()
            beat = rig.others[-1]
            beat.signal(SIGKILL)
            killed = time.time()
            assert until(lambda: _asked(f"{board}/readyz")[0] == 503), rig.logs()
            banner_after = time.time() - killed
            said = _asked(f"{board}/readyz")[1]
            time.sleep(2 * PERIOD)
            return _judged(listener, killed, banner_after, said)


def _judged(listener: Listener, killed: float, banner_after: float, said: str) -> Seen:
    late = [when - killed for when in listener.times("/alive") if when > killed + 1]
    trouble = [f"said to be alive {late[-1]:.1f} s after the kill"] if late else []
    if "Celery beat is not running" not in said:
        trouble.append(f"the banner says: {said}")
    return Seen(trouble, [f"the banner came after {banner_after:.1f} s of a scaled minute of 5 s"])


def _web(rig: Rig, listener: Listener) -> tuple[Program, str]:
    port = free_port()
    program = rig.program(
        "web", "gunicorn", "opsboard.wsgi", "--bind", f"127.0.0.1:{port}", "--no-control-socket",
        **watched(listener),
    )  # fmt: skip
    return program, f"http://127.0.0.1:{port}"


def _asked(url: str) -> tuple[int, str]:
    """Status and text; 0 while nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as reply:  # noqa: S310 - a loopback address
            return int(reply.status), reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def duty_stops(server: Server, scale: Scale, which: str) -> Seen:
    """One of claim, record and deliver stops; the word of being alive stops as well.

    `which` is "probes" (claiming and recording) or "alerts" (delivering).
    """
    with Listener() as listener, production(server, scale, **watched(listener)) as rig:
        assert until(lambda: len(listener.times("/alive")) > 1), rig.logs()
        stopped = rig.workers
        with ExitStack() as stack:
            if which == "alerts":
                keeper = rig.worker("keeper", "housekeeping", **watched(listener))
                stack.enter_context(running(keeper))
                stopped = rig.others[:1]
            for program in stopped:
                program.kill()
            killed = time.time()
            # Who is to say it still looks, and says why it does not.
            until(lambda: DOES_NOT[which] in rig.logs())
            until(lambda: time.time() > listener.times("/alive")[-1] + 3 * PERIOD + 1)
            late = [when - killed for when in listener.times("/alive")]
            trouble = [f"still alive {late[-1]:.1f} s after"] if late[-1] > STOPS_WITHIN else []
            if DOES_NOT[which] not in rig.logs():
                trouble.append("nobody looked whether it is alive, so nothing is proved")
            return Seen(trouble, [f"last said to be alive after {late[-1]:.1f} s"])
