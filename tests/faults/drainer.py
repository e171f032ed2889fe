"""A whole board without broker and pages, in the network it is started in: it drains and notices.

    python -m tests.faults.drainer

It reads nothing, and goes on until it is ended.
"""

import threading
import time

import django


def main() -> None:
    django.setup()
    from django.conf import settings
    from django.utils import timezone

    from opsboard.alerts import noticing, planning
    from opsboard.probes.drain import drain
    from opsboard.probes.schedule import database_now
    from opsboard.probes.shift import ring
    from opsboard.tasks import react

    def look_after() -> None:
        while True:
            ring(database_now())
            planning.reconcile(now=timezone.now())
            noticing.notice(now=timezone.now())
            time.sleep(1)

    threading.Thread(target=look_after, daemon=True).start()
    while True:
        drain(settings.LOCATION, react=react, is_stopping=lambda: False)


if __name__ == "__main__":
    main()
