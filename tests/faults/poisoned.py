"""The Celery app of a worker whose process dies, as by kill -9, when it asks one certain path.

    POISON=/t/7 celery -A tests.faults.poisoned worker ...

Every time it does, it writes a line into the file POISON_JOURNAL first.
"""

import os
import signal
from pathlib import Path
from typing import Any

from opsboard.celery import app
from opsboard.outbound.http import Asker

__all__ = ["app"]

_ask = Asker.ask


def _ask_and_die(asker: Asker, ask: Any, **how: Any) -> None:
    if ask.url.endswith(os.environ["POISON"]):
        with Path(os.environ["POISON_JOURNAL"]).open("a") as journal:
            journal.write(f"{os.getpid()}\n")
        os.kill(os.getpid(), signal.SIGKILL)
    _ask(asker, ask, **how)


Asker.ask = _ask_and_die  # type: ignore[method-assign]
