"""A process that makes paths fail and recover as recording does, exactly when it is told to.

    python -m tests.faults.breaker

Lines on stdin: "failing 7" or "passing 7" for path 7, "replay" for all that was given up.
"""

import sys

import django


def main() -> None:
    django.setup()
    print("done", flush=True)
    for line in sys.stdin:
        word, _, number = line.strip().partition(" ")
        if word == "replay":
            _replay()
        else:
            _become(int(number), word)
        print("done", flush=True)


def _become(number: int, state: str) -> None:
    from django.db import transaction

    from opsboard.alerts.planning import react
    from opsboard.probes.models import Probe, moment
    from opsboard.probes.schedule import database_now
    from opsboard.services.models import Service

    probe = Probe.objects.select_related("path").get(path__slug=f"path-{number}")
    with transaction.atomic():
        Service.objects.select_for_update().get(pk=probe.path.service_id)
        now = database_now()
        Probe.objects.filter(pk=probe.pk).update(state=state, state_since=now, observed_at=now)
        react(probe.path_id, probe.environment_id, now=moment(now))


def _replay() -> None:
    from django.utils import timezone

    from opsboard.alerts.models import Message
    from opsboard.alerts.replaying import replay

    for message in Message.objects.exclude(dead_at=None).select_related("channel"):
        assert replay(message, now=timezone.now()) == ""


if __name__ == "__main__":
    main()
