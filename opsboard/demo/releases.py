"""Releases of the example company: named once, with evidence that says it is an example."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha1

from django.db import transaction

from opsboard.demo.house import NEXT, VERSION
from opsboard.people.audit import Actor
from opsboard.releases import giving, naming
from opsboard.releases.giving import Given
from opsboard.releases.models import Release
from opsboard.services.models import Service

COUNTS = {"collected": 415, "passed": 412, "failed": 0, "skipped": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    service: str
    version: str
    summary: str
    planned_in: timedelta
    # The gates that its CI has answered.
    answered: Sequence[str] = ()
    migrations: Sequence[str] = ()

    @property
    def commit(self) -> str:
        """As the sample service tells it, of the version it runs."""
        named = f"{self.service} {self.version}".encode()
        return sha1(named, usedforsecurity=False).hexdigest()


EXAMPLES = (
    Example(
        service="fares-api",
        version=NEXT,
        summary="Example: load fare rules in one query",
        planned_in=timedelta(hours=3),
        answered=("lint", "unit", "tag"),
        migrations=("0148_fare_rule_index",),
    ),
    Example(
        service="payments",
        version=VERSION,
        summary="Example: retry card holds once on a dropped connection",
        planned_in=timedelta(hours=5),
        answered=("lint", "unit", "tag"),
    ),
    Example(
        service="boarding-gates",
        version=NEXT,
        summary="Example: show the deck on the gate display",
        planned_in=timedelta(days=2),
    ),
)


def name_examples(*, by: Actor, now: datetime) -> None:
    """Those that are not on the board. What became of the others is left as it is."""
    for example in EXAMPLES:
        service = Service.objects.standing().filter(slug=example.service).first()
        known = Release.objects.filter(service__slug=example.service, version=example.version)
        if service and not known.exists():
            _name(service, example, by=by, now=now)


@transaction.atomic
def _name(service: Service, example: Example, *, by: Actor, now: datetime) -> None:
    named = naming.Named(
        version=example.version,
        commit=example.commit,
        summary=example.summary,
        planned_at=(now + example.planned_in).replace(minute=0, second=0, microsecond=0),
        migrations=example.migrations,
    )
    release, _ = naming.name_release(service, named, by=by, now=now)
    for gate in example.answered:
        giving.give(release, _given(gate, example, now), by=by, now=now)


def _given(gate: str, example: Example, now: datetime) -> Given:
    if gate == "tag":
        facts = {"tag": f"v{example.version}", "object": example.commit}
        return Given(
            gate=gate, outcome="passed", commit=example.commit, started_at=now, finished_at=now,
            facts=facts,
        )  # fmt: skip
    return Given(
        gate=gate,
        outcome="passed",
        commit=example.commit,
        started_at=now - timedelta(minutes=4),
        finished_at=now - timedelta(minutes=1),
        environment_slug="staging" if gate == "integration" else "",
        command=f"make {gate}",
        exit_code=0,
        counts=COUNTS if gate in ("unit", "integration") else {},
        assumptions=["An example: nothing was run."],
    )
