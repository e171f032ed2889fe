"""However many releases there are, the whole request of their list stays within 12 queries."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from opsboard.incidents.models import Incident
from opsboard.probes.models import Probe, StateChange, microseconds, stand_up
from opsboard.releases.models import Decision, GateChoice, Hold, Release
from opsboard.services.models import CriticalPath, Running, Service
from tests.web.releases import (
    HOUR,
    MINUTE,
    a_freeze,
    a_note,
    a_release,
    an_override,
    evidence,
    now,
    went_out,
)

SignIn = Callable[[Any], Client]
HERE = "/releases"
QUERIES = 12


@pytest.fixture
def client(client_of: SignIn) -> Client:
    return client_of("viewer")


@pytest.fixture
def company(service: Service, environment: Any, editor: User) -> Service:
    """A service of which everything that the list reads is there."""
    staging = service.environments.create(slug="staging", base_url="http://127.0.0.1:9")
    Running.objects.create(environment=staging, commit="9" * 40, commit_since=now(), told_at=now())
    CriticalPath.objects.create(
        service=service, slug="quote", name="Quote", route="/", expected_result="status == 200"
    )
    begun = now() - timedelta(days=40)
    stand_up(service, now=begun, location="default")
    StateChange.objects.bulk_create(
        StateChange(
            probe=probe, at=microseconds(begun + day * 24 * HOUR), before="passing", after="failing"
        )
        for probe in Probe.objects.all()
        for day in range(40)
    )
    Incident.objects.create(
        service=service, environment=environment, opened_at=now() - 2 * HOUR, title="Slow"
    )
    a_note(service)
    a_freeze(service=service)
    Hold.objects.create(service=service, reason="Wait", at=now())
    GateChoice.objects.create(team=service.team, gate="security", words="S", need="required")
    return service


def some(service: Service, *, waiting: int, released: int, by: User) -> None:
    first = a_release(service, "0.1", planned_at=now() + MINUTE)
    evidence(first, "lint")
    an_override(first, "unit", by=by)
    gone = a_release(service, "0.2", named_at=now() - HOUR)
    went_out(gone)
    begun = now() - timedelta(days=30)
    Release.objects.bulk_create(
        Release(
            service=service,
            version=f"1.{number}",
            commit=f"{number:040x}",
            named_at=begun,
            planned_at=now() + number * HOUR,
            released_at=begun + number * HOUR if number >= waiting else None,
        )
        for number in range(waiting + released)
    )
    Decision.objects.bulk_create(
        Decision(
            release=one, kind=Decision.Kind.RELEASED, at=one.released_at,
            environment_slug="production", by_name="ci",
        )
        for one in Release.objects.filter(version__startswith="1.", released_at__isnull=False)
    )  # fmt: skip


@pytest.mark.parametrize("half", [1, 249], ids=["4 releases", "500 releases"])
def test_the_whole_request_of_a_viewer_takes_at_most_12_queries(client, company, editor, half):
    some(company, waiting=half, released=half, by=editor)
    with CaptureQueriesContext(connection) as asked:
        page = client.get(HERE)
    assert page.status_code == 200
    assert len(asked) <= QUERIES, "\n".join(one["sql"] for one in asked.captured_queries)
