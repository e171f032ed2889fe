"""From a config report to the gate "config" of a release, as its page and CI read it."""

from datetime import timedelta

import pytest

from opsboard.instrument import config
from opsboard.releases.config_reports import Told, keep, release_for
from opsboard.releases.models import GateChoice, Release
from opsboard.releases.reading import readiness_of
from opsboard.releases.refusing import Refused
from opsboard.releases.rules import GateState
from opsboard.services.models import ConfigKey, Running
from tests.company import BY, NOON, a_service

pytestmark = pytest.mark.django_db
K = "k" * 32
COMMIT = "ab" * 20


@pytest.fixture
def release() -> Release:
    service = a_service()
    service.environments.create(slug="staging", base_url="http://127.0.0.1:9")
    ConfigKey.objects.create(service=service, name="ZONE", across="equal")
    return Release.objects.create(
        service=service, version="2026.11.4", commit=COMMIT, named_at=NOON
    )


def told(zone: str | None) -> Told:
    said = config.report(K, ["ZONE"], {} if zone is None else {"ZONE": zone}, {})
    return Told(at=NOON, **said)  # type: ignore[arg-type]


def report(release: Release, environment: str, zone: str | None) -> str:
    place = release.service.environments.get(slug=environment)
    keep(place, told(zone), release=release, by=BY, now=NOON)
    return told(zone).root


def runs(release: Release, root: str) -> None:
    """What staging says of itself."""
    Running.objects.update_or_create(
        environment=release.service.environments.get(slug="staging"),
        defaults={
            "commit": COMMIT, "commit_since": NOON, "config_root": root, "root_since": NOON,
            "told_at": NOON,
        },
    )  # fmt: skip


def gate(release: Release, *, later: timedelta = timedelta(minutes=1)) -> GateState:
    found = readiness_of(release, now=NOON + later)
    return next(one for one in found.gates if one.gate == "config")


def test_without_a_report_there_is_no_evidence(release):
    assert gate(release).word == "no evidence"


def test_without_declared_keys_it_cannot_apply(release):
    ConfigKey.objects.all().delete()
    assert gate(release).need == "absent"


def test_it_is_met_while_staging_runs_what_was_reported(release):
    report(release, "production", "UTC")
    root = report(release, "staging", "UTC")
    runs(release, root)
    assert gate(release).word == "met"
    runs(release, "0" * 64)
    assert gate(release).word == "out of date"


def test_where_the_root_is_not_told_it_lasts_four_hours_or_as_chosen(release):
    report(release, "production", "UTC")
    report(release, "staging", "UTC")
    assert gate(release, later=timedelta(hours=3)).word == "met"
    assert gate(release, later=timedelta(hours=5)).word == "out of date"
    GateChoice.objects.create(service=release.service, gate="config", need="required", lasts=60)
    assert gate(release, later=timedelta(minutes=2)).word == "out of date"


def test_a_difference_is_not_met_and_names_the_key_alone(release):
    report(release, "production", "UTC")
    report(release, "staging", "Asia/Tokyo")
    found = gate(release)
    assert (found.word, found.reason) == ("not met", "1 key is wrong on staging: ZONE (differs).")


def test_what_could_not_be_compared_is_not_met_and_says_why(release):
    report(release, "staging", "UTC")
    found = gate(release)
    assert found.word == "not met"
    assert "production has never reported its configuration" in found.reason


def test_a_report_of_another_environment_answers_nothing(release):
    report(release, "production", "UTC")
    assert gate(release).word == "no evidence"


def test_a_dropped_gate_is_not_asked(release):
    GateChoice.objects.create(team=release.service.team, gate="config", need="dropped")
    gates = readiness_of(release, now=NOON).gates
    assert [one for one in gates if one.gate == "config"] == []


def test_a_release_that_does_not_wait_is_not_chosen_by_itself(release):
    assert release_for(release.service, "") == release
    Release.objects.update(released_at=NOON)
    assert release_for(release.service, "") is None
    assert release_for(release.service, release.version) == release
    with pytest.raises(Refused):
        release_for(release.service, "2026.11.5")
