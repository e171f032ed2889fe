"""F46E: the key of a channel's address is lost, and comes back."""

import base64
import secrets
import time

from tests.faults.blind_rows import Seen, watched
from tests.faults.boards import embedded, run_to_its_end
from tests.faults.programs import Program
from tests.faults.rig import Rig, Scale
from tests.faults.watching import BROKEN_PATHS
from tests.listening import Listener
from tests.running.processes import until

TOLD_WITHIN = 30.0
A_CHANNEL = """
import django; django.setup()
from opsboard.alerts.models import Channel
channel = Channel(name="Ours", kind="webhook")
channel.keep(address="{address}", signing_secret="of the fault tests")
channel.save()
"""


def key_is_lost(scale: Scale) -> Seen:
    """Probes go on, the incident opens, the last resort tells; the alert comes with the key."""
    seen = Seen([], [])
    with Listener() as listener, embedded(scale, **watched(listener)) as (rig, board):
        text = A_CHANNEL.format(address=f"{listener.url}/hook")
        run_to_its_end(rig.environment, "tests.faults.saying", text)
        other = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        board.environment["OPSBOARD_FIELD_KEYS"] = other
        board.start()
        rig.warm_up()
        began = time.time()
        rig.tell(BROKEN_PATHS, "500")
        _without_the_key(rig, listener, seen)
        if rig.observed(began) < scale.probes:
            seen.trouble.append("probes stopped")
        board.kill()
        _with_the_key(rig, board, listener, seen)
    return seen


def _without_the_key(rig: Rig, listener: Listener, seen: Seen) -> None:
    began = time.time()
    if not until(lambda: _opened(rig), seconds=TOLD_WITHIN):
        seen.trouble.append("no incident was opened")
    if not until(lambda: _told(listener), seconds=TOLD_WITHIN):
        seen.trouble.append("no message by the last resort")
    seen.notes.append(f"told by the last resort after {time.time() - began:.1f} s")
    if listener.bodies("/hook"):
        seen.trouble.append("an alert went out without its key")


def _with_the_key(rig: Rig, board: Program, listener: Listener, seen: Seen) -> None:
    del board.environment["OPSBOARD_FIELD_KEYS"]
    board.start()
    began = time.time()
    if not until(lambda: listener.bodies("/hook"), seconds=TOLD_WITHIN):
        seen.trouble.append(f"the alert that waited was lost: {board.said}")
    seen.notes.append(f"the alert came {time.time() - began:.1f} s after the start with the key")
    if _opened(rig) != 1:
        seen.trouble.append(f"there are {_opened(rig)} incidents")


def _opened(rig: Rig) -> int:
    return int(rig.store.one("SELECT count(*) FROM incidents_incident"))


def _told(listener: Listener) -> bool:
    return any("cannot be decrypted" in body["text"] for body in listener.bodies("/last"))
