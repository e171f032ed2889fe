"""What the page of releases costs: 500 of 50 services, half of them out, with all they have.

Called by script/bench --releases, on the services that script/bench_releases.py makes.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from opsboard.incidents.models import Incident
from opsboard.people.models import Role
from opsboard.probes.models import Kind, Observation, Probe, StateChange, microseconds
from opsboard.probes.rules import Verdict
from opsboard.releases.models import Decision, Evidence, Freeze, Hold, Override, Release
from opsboard.releases.reading import read_readiness
from opsboard.releases.rules import readiness_json
from opsboard.services.models import Service
from opsboard.web.release_list import SHOWN
from script.bench_releases import COMMIT, GATES, measure, seed

SERVICES, OF_EACH = 50, 10
HOUR = timedelta(hours=1)
NUMBERS = ("dns", "connect", "tls", "first_byte", "transfer", "lateness", "size")


def page_row() -> Iterator[dict[str, object]]:
    seed(services=SERVICES, prefix="page")
    now = timezone.now()
    viewer = User.objects.create_user("bench", first_name="Bench")
    Role.objects.create(user=viewer, name="viewer")
    services = list(Service.objects.filter(slug__startswith="page-").select_related("team"))
    _releases(services, now=now)
    _happenings(services, viewer, now=now)
    client = Client()
    client.force_login(viewer)
    page = client.get("/releases")
    assert page.status_code == 200
    assert page.text.count('class="pips"') == 2 * SHOWN
    yield {
        "row": "page of releases",
        "releases": Release.objects.count(),
        "services": SERVICES,
        "kilobytes": len(page.content) // 1000,
        **measure(lambda: client.get("/releases")),
    }


def _releases(services: list[Service], *, now: datetime) -> None:
    """Each service has one already that waits; half of the others went out, an hour apart."""
    made = Release.objects.bulk_create(
        Release(
            service=one, version=f"2026.10.{number}", commit=COMMIT, named_at=now - 50 * HOUR,
            named_as="ci", planned_at=now + number * HOUR, summary="Price crossings anew",
            released_at=now - (number * SERVICES + place) * HOUR / 20 if number % 2 else None,
        )
        for place, one in enumerate(services)
        for number in range(1, OF_EACH)
    )  # fmt: skip
    Evidence.objects.bulk_create(
        Evidence(
            release=one, gate=gate, outcome="passed", commit=COMMIT, started_at=now,
            received_at=now, by_name="ci", facts={"tag": "v4", "object": COMMIT},
        )
        for one in made
        for gate in GATES
    )  # fmt: skip
    known = read_readiness(made, now=now)
    Decision.objects.bulk_create(
        Decision(
            release=one, kind="released", environment_slug="production", at=one.released_at,
            by_name="ci", snapshot=readiness_json(known[one.pk]),
        )
        for one in made
        if one.released_at
    )  # fmt: skip


def _happenings(services: list[Service], person: User, *, now: datetime) -> None:
    """A day of observations every ten minutes, and every fifth service in some trouble."""
    there = Probe.objects.filter(environment__slug="production", path__service__in=services)
    probes = list(there.select_related("path", "environment"))
    there.update(state="passing", observed_at=microseconds(now))
    Observation.objects.bulk_create(
        Observation(
            probe=probe, slot_at=microseconds(now - minute * HOUR / 60), total=90_000,
            kind=Kind.SCHEDULED, verdict=Verdict.PASSING, cache=0, is_wrong=False,
            is_delayed=False, **dict.fromkeys(NUMBERS, 0),
        )
        for probe in probes
        for minute in range(0, 1440, 10)
    )  # fmt: skip
    trouble = services[::5]
    StateChange.objects.bulk_create(
        StateChange(probe=probe, at=microseconds(now - hour * HOUR), before=before, after=after)
        for probe in probes
        if probe.path.service in trouble
        for hour, before, after in ((4, "passing", "failing"), (3, "failing", "passing"))
    )
    for number, one in enumerate(trouble):
        place = one.environments.get(slug="production")
        Incident.objects.create(
            service=one, environment=place, title="Slow", opened_at=now - (number + 1) * HOUR
        )
        Freeze.objects.create(
            service=one, reason="Timetable", starts_at=now - HOUR, ends_at=now + HOUR,
            planned_by=person, planned_at=now,
        )  # fmt: skip
        Hold.objects.create(service=one, reason="Wait", by=person, at=now)
        Override.objects.create(
            release=one.releases.filter(released_at=None).first(), gates=["unit"], asked_by=person,
            reason="Known", asked_at=now, ends_at=now + HOUR, needs_second=False,
        )  # fmt: skip
