"""What a release's way back says on its page, and what of the gates that wait runs out soon."""

from datetime import timedelta

import pytest

from opsboard.releases.models import Decision, GateChoice, Release
from opsboard.releases.running_out import running_out
from opsboard.releases.versions_known import known_of_release, steps_for
from opsboard.services.models import Deploy, Service
from tests.company import NOON, a_service
from tests.releases.test_reading import given

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
STEPS = [{"do": "Go back to {{ previous_version }}", "run": "deploy {{ release.tag }}"}]


@pytest.fixture
def service() -> Service:
    return a_service("fares-api")


def a_release(service: Service, version: str, *, hours_ago: int | None = None) -> Release:
    """Released so many hours ago; None: it waits."""
    return Release.objects.create(
        service=service, version=version, commit=version.encode().hex().ljust(40, "0"),
        tag=f"v{version}", named_at=NOON - 100 * HOUR,
        released_at=None if hours_ago is None else NOON - hours_ago * HOUR,
    )  # fmt: skip


def told(service: Service, *versions: str) -> None:
    place = service.environments.get()
    for number, version in enumerate(versions):
        at = NOON - (len(versions) - number) * HOUR
        place.deploys.create(kind=Deploy.Kind.RELEASE, name=version, at=at)


def test_a_release_that_waits_goes_back_to_what_runs_now(service: Service) -> None:
    told(service, "1", "2")
    filled = steps_for(a_release(service, "3"), STEPS, now=NOON)
    assert filled.steps == [{"do": "Go back to 2", "run": "deploy v3"}]
    assert filled.unknown == ()


def test_one_that_is_out_goes_back_to_the_one_before_it(service: Service) -> None:
    told(service, "1", "2", "3")
    released = a_release(service, "3", hours_ago=1)
    assert known_of_release(released, now=NOON).previous_version == "2"


def test_where_no_deploy_was_told_decisions_know(service: Service) -> None:
    a_release(service, "1", hours_ago=30)
    rolled = a_release(service, "2", hours_ago=20)
    Decision.objects.create(
        release=rolled, kind=Decision.Kind.ROLLED_BACK, environment_slug="production",
        at=NOON - 19 * HOUR,
    )  # fmt: skip
    waits = a_release(service, "3")
    assert known_of_release(waits, now=NOON).previous_version == "1"


def test_of_the_first_release_nothing_is_known(service: Service) -> None:
    filled = steps_for(a_release(service, "1"), STEPS, now=NOON)
    assert filled.steps[0]["do"] == "Go back to {{ previous_version }}"
    assert len(filled.unknown) == 1


@pytest.mark.parametrize(("lasts", "is_listed"), [(10 * 24, True), (20 * 24, False)])
def test_a_gate_of_a_release_that_waits_is_listed_before_it_runs_out(
    service: Service, lasts: int, is_listed: bool
) -> None:
    GateChoice.objects.create(service=service, gate="lint", need="required", lasts=lasts * 3600)
    given(a_release(service, "3"), "lint", at=NOON)
    rows = running_out([service.team_id], now=NOON + HOUR).get(service.team_id, [])
    expected = [("Lint of 3", "fares-api")] if is_listed else []
    assert [(row.what, row.whose) for row in rows] == expected
