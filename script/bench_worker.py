"""A probe worker alone in its process, as a row of the bench measures it: it drains until SIGTERM.

It loads what a worker of Celery loads, so that its memory is that of one, but no bell rings.
"""

import os
import signal
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "opsboard.settings")


def main() -> None:
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    import django

    django.setup()
    from opsboard.probes.drain import drain
    from opsboard.tasks import react

    while not stopping.is_set():
        drain("default", react=react, is_stopping=stopping.is_set)
        # Nobody was needed: there was a shift before whose end is not known yet.
        stopping.wait(0.2)


if __name__ == "__main__":
    main()
