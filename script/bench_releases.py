"""What the readiness of releases costs: seeds services with all they have, and reads it.

Called by script/bench --releases once Django is set up and a database of its own is made.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from opsboard.probes.models import Probe, StateChange, microseconds, stand_up_all
from opsboard.releases.models import Evidence, GateChoice, Release
from opsboard.releases.reading import read_readiness, readiness_of
from opsboard.rollbacks.models import NoteVersion, Rehearsal, RollbackNote
from opsboard.rollbacks.rules import steps_digest
from opsboard.services.models import SECOND, ConfigKey, CriticalPath, Running, Service, Team

COMMIT = "9f3c1ab" + "0" * 33
GATES = ("lint", "unit", "integration", "config", "tag")
STEPS = [{"do": "Hold releases", "run": "ferryctl hold", "see": "held", "call": ""}] * 5
PATHS = 5


def rows() -> Iterator[dict[str, object]]:
    seed(services=500, prefix="ready")
    ask = Release.objects.select_related("service__team")
    heavy = ask.get(service__slug="ready-0")
    evidence = Evidence.objects.filter(release=heavy).count()
    now = timezone.now()
    found = readiness_of(heavy, now=now)
    assert found.is_ready, found.reasons
    yield {
        "row": "readiness of one",
        "gates": len(found.gates),
        "evidence": evidence,
        **measure(lambda: readiness_of(heavy, now=now)),
    }
    every = list(ask.filter(service__slug__startswith="ready-"))
    yield {
        "row": "readiness of many",
        "releases": len(every),
        "services": Service.objects.filter(slug__startswith="ready-").count(),
        "evidence": Evidence.objects.filter(release__in=every).count(),
        **measure(lambda: read_readiness(every, now=now)),
    }
    few = [one for one in every if int(one.service.slug.removeprefix("ready-")) < 20]
    many = [
        Release(service=one.service, version=f"2026.12.{number}", commit=COMMIT, named_at=now)
        for one in few
        for number in range(24)
    ]
    many = few + Release.objects.bulk_create(many)
    yield {
        "row": "readiness of many",
        "releases": len(many),
        "services": len(few),
        **measure(lambda: read_readiness(many, now=now)),
    }


def measure(read: Callable[[], object]) -> dict[str, object]:
    took, used = [], []
    for _ in range(7):
        began, before = time.perf_counter(), time.process_time()
        read()
        took.append(1000 * (time.perf_counter() - began))
        used.append(1000 * (time.process_time() - before))
    with CaptureQueriesContext(connection) as queries:
        read()
    return {
        "queries": len(queries),
        "median_ms": round(statistics.median(took), 1),
        "of_which_our_cpu_ms": round(statistics.median(used), 1),
        "best_ms": round(min(took), 1),
        "worst_ms": round(max(took), 1),
    }


def seed(services: int, *, prefix: str) -> None:
    """Each service with five green paths on staging, a rehearsed note and one release."""
    now = timezone.now()
    team = Team.objects.create(slug=f"of-{prefix}", name=f"Of {prefix}")
    GateChoice.objects.create(team=team, gate="incident", need="advisory")
    made = Service.objects.bulk_create(
        Service(slug=f"{prefix}-{number}", name=f"{prefix.title()} {number}", team=team)
        for number in range(services)
    )
    _places(made, now=now)
    _notes(made, now=now)
    releases = Release.objects.bulk_create(
        Release(service=service, version="2026.11.4", commit=COMMIT, tag="v4", named_at=now)
        for service in made
    )
    _evidence(releases, now=now)


def _places(services: list[Service], *, now) -> None:
    environment = services[0].environments.model
    ConfigKey.objects.bulk_create(ConfigKey(service=one, name="DEBUG") for one in services)
    places = environment.objects.bulk_create(
        environment(service=one, slug=slug, base_url="http://127.0.0.1:9")
        for one in services
        for slug in ("production", "staging")
    )
    Running.objects.bulk_create(
        Running(
            environment=place,
            commit=COMMIT,
            commit_since=now - timedelta(hours=1),
            config_root="r1",
            told_at=now,
        )
        for place in places
    )
    CriticalPath.objects.bulk_create(
        CriticalPath(
            service=one, slug=f"p{path}", name=f"p{path}", route="/", interval=30 * SECOND,
            expected_result="status == 200",
        )
        for one in services
        for path in range(PATHS)
    )  # fmt: skip
    stand_up_all([one.pk for one in services], now=now - timedelta(hours=1), location="default")
    since, newest = (microseconds(now - timedelta(minutes=some)) for some in (40, 0))
    Probe.objects.filter(environment__slug="staging").update(
        state="passing", state_since=since, observed_at=newest
    )
    StateChange.objects.bulk_create(
        StateChange(probe=probe, at=since - turn, before="no_data", after="passing")
        for probe in Probe.objects.filter(environment__slug="staging")
        for turn in range(3)
    )


def _notes(services: list[Service], *, now) -> None:
    notes = RollbackNote.objects.bulk_create(RollbackNote(service=one) for one in services)
    versions = NoteVersion.objects.bulk_create(
        NoteVersion(
            note=note, number=number, title="Go back", steps=STEPS, written_at=now, checked_at=now
        )
        for note in notes
        for number in (1, 2, 3)
    )
    Rehearsal.objects.bulk_create(
        Rehearsal(
            version=version, environment_slug="staging", steps_digest=steps_digest(STEPS),
            at=now - timedelta(days=1), seconds=300, worked=True,
        )
        for version in versions
    )  # fmt: skip


def _evidence(releases: list[Release], *, now) -> None:
    """40 runs of each gate for the first release, two for each other."""
    Evidence.objects.bulk_create(
        (
            Evidence(
                release=release,
                gate=gate,
                outcome="passed",
                commit=COMMIT,
                environment_slug="staging" if gate in ("integration", "config") else "",
                started_at=now - timedelta(minutes=run),
                finished_at=now - timedelta(minutes=run),
                received_at=now,
                counts={"collected": 1284, "passed": 1281, "failed": 0, "skipped": 3},
                log_tail="x" * 4_000,
                facts={"tag": "v4", "object": COMMIT, "root": "r1"},
            )
            for place, release in enumerate(releases)
            for gate in GATES
            for run in range(2 if place else 40)
        ),
        batch_size=500,
    )
