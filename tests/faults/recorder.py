"""A process that holds one claimed probe and records a result of it exactly when it is told to.

    python -m tests.faults.recorder

Lines on stdin: "claim" takes the one probe that is due; "passes" or "fails" records that;
"dies before" and "dies after" record a failure and kill -9 the process around its commit.
"""

import os
import signal
import sys
from typing import Any

import django


def main() -> None:
    django.setup()
    from tests.company import claims

    held: Any = None
    print("done", flush=True)
    for line in sys.stdin:
        if line.strip() == "claim":
            [held] = claims(1)
        else:
            _record(held, line.strip())
        print("done", flush=True)


def _record(held: Any, word: str) -> None:
    from opsboard.probes.recording import record
    from opsboard.probes.schedule import database_now
    from opsboard.tasks import react
    from tests.company import BAD, GOOD, result_of

    def react_and_die(result: Any) -> None:
        react(result)
        os.kill(os.getpid(), signal.SIGKILL)

    result = result_of(held, GOOD if word == "passes" else BAD)
    doing = react_and_die if word == "dies before" else react
    dropped = record([result], now=database_now(), react=doing)
    if word == "dies after":
        os.kill(os.getpid(), signal.SIGKILL)
    assert dropped == 0, "the claim was gone"


if __name__ == "__main__":
    main()
