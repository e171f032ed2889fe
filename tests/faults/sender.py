"""A process that sends alerts, as a worker does that is rung all the time.

python -m tests.faults.sender
"""

import time

import django


def main() -> None:
    django.setup()
    from opsboard.alerts.delivering import deliver
    from opsboard.alerts.planning import reconcile
    from opsboard.probes.models import moment
    from opsboard.probes.schedule import database_now

    reconciled = 0.0
    while True:
        deliver(is_stopping=lambda: False)
        if time.monotonic() > reconciled + 1:
            reconcile(now=moment(database_now()))
            reconciled = time.monotonic()
        time.sleep(0.1)


if __name__ == "__main__":
    main()
