"""Asks machines by name, all at once, and says what came of each.

    python -m tests.faults.lookups SECONDS PORT NAME...

A JSON line for each name: name, failure, detail, ours, seconds, status; then one line with the most
lookups that ran at a time.
"""

import json
import sys
import threading
import time

from opsboard.outbound.egress import Policy
from opsboard.outbound.http import Asker
from opsboard.outbound.reply import Ask


def main(seconds: float, port: str, names: list[str]) -> None:
    asker, most = Asker(max_open=len(names)), 0
    asker.start()
    now = time.monotonic()
    for name in names:
        ask = Ask(method="GET", url=f"http://{name}:{port}/t/0", timeout=round(seconds * 1e6))
        asker.ask(ask, policy=Policy(allow_private=True), at=now, key=name)
    while asker.in_flight:
        most = max(most, sum(thread.name == "lookup" for thread in threading.enumerate()))
        time.sleep(0.01)
    for _ in names:
        name, _, reply = asker.replies.get(timeout=1)
        told = {"name": name, "failure": reply.failure, "detail": reply.detail}
        told |= {"ours": reply.is_ours, "seconds": reply.phases.total / 1e6}
        print(json.dumps(told | {"status": reply.status}))
    print(json.dumps(most))
    asker.stop()


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2], sys.argv[3:])
