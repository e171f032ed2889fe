"""Stores a company to probe, in a process of its own, in the database its environment names.

    python -m tests.faults.seed '{"probes": 300, ...}'    see rig.Scale and rig.seed

The database has its tables. Services of up to so many critical paths each; path number N of all
asks /t/N of the targets.
"""

import json
import sys
from typing import Any

import django


def main(order: dict[str, Any]) -> None:
    django.setup()
    from django.core.management import call_command

    if order["probes"]:
        _store(order)
        call_command("prepare")


def _store(order: dict[str, Any]) -> None:
    from django.conf import settings
    from django.utils import timezone

    from opsboard.alerts.models import Channel
    from opsboard.probes.models import stand_up
    from opsboard.services.models import Team

    paths, count = order["paths_a_service"], order["teams"]
    teams = [Team.objects.create(slug=f"team-{n}", name=f"Team {n}") for n in range(count)]
    for name, (kind, address) in order["channels"].items():
        # A team that has a channel of its own name hears of its own services only.
        channel = Channel(name=name, kind=kind, team=Team.objects.filter(slug=name).first())
        channel.keep(address=address, signing_secret="of the fault tests")
        channel.save()
    for first in range(0, order["probes"], paths):
        last = min(first + paths, order["probes"])
        service = _service(teams[first // paths % count], order, range(first, last))
        stand_up(service, now=timezone.now(), location=settings.HOME_LOCATION)


def _service(team: Any, order: dict[str, Any], numbers: range) -> Any:
    from opsboard.services.models import CriticalPath

    slug = f"service-{numbers.start // order['paths_a_service']}"
    service = team.services.create(slug=slug, name=slug)
    service.environments.create(slug="production", base_url=order["targets"])
    CriticalPath.objects.bulk_create(
        CriticalPath(
            service=service,
            slug=f"path-{number}",
            name=f"Path {number}",
            route=f"/t/{number}",
            interval=order["interval"],
            timeout=order["timeout"],
            patience=order["patience"],
            expected_result=order["expected_result"],
            locations=order.get("locations", []),
        )
        for number in numbers
    )
    return service


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
